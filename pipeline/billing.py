"""What Bandwidth bills of one message: its own count of segments, and most failures not at all.

A refused request (any 4xx or 5xx answer) is free; which failures after the 202 are, the table of
error codes says. What might have cost counts as spent. `settle.billing` says the same of frames.
"""

from __future__ import annotations

from pipeline.bandwidth.error_codes import is_billed


def is_free(error_code: str | None) -> bool:
    """Tell whether a message that failed with this code costs nothing."""
    code = error_code or ""
    return code.isascii() and code.isdigit() and not is_billed(int(code))


def billed_micros(estimated_micros: int, *, segments: int, counted: int | None) -> int:
    """Return what a message costs by the provider's count, in millionths, half a one rounded up.

    Args:
        estimated_micros: its price by our count.
        segments: our count.
        counted: the provider's; None is ours.
    """
    if counted is None or counted == segments:
        return estimated_micros

    return (2 * estimated_micros * counted + segments) // (2 * segments)
