"""Which failed messages may be sent again: those whose error passes, by the table of error codes.

Bandwidth's rule is that what the carrier found is tried again once only; what Bandwidth found
before any carrier cost nothing, and may be tried as often as somebody asks. A code that is not in
the table, and a failure without one, is never worth a second text.
"""

from __future__ import annotations

from collections.abc import Collection

from pipeline.bandwidth.error_codes import Detector, ErrorClass, ErrorCode, find


def may_retry(error_code: str | None, earlier: Collection[str]) -> bool:
    """Tell whether a message that failed may be sent again.

    Args:
        error_code: what it failed with.
        earlier: what the attempts before failed with.
    """
    known = _known(error_code)
    if known is None or known.error_class is not ErrorClass.TRANSIENT:
        return False

    return not (_is_carriers(known) and any(_is_carriers(_known(code)) for code in earlier))


def _known(error_code: str | None) -> ErrorCode | None:
    code = error_code or ""
    return find(int(code)) if code.isascii() and code.isdigit() else None


def _is_carriers(code: ErrorCode | None) -> bool:
    return code is not None and code.detected_by is Detector.CARRIER
