"""Whether a caller is the provider: HTTP Basic (RFC 7617), compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac

from pipeline.account import BasicCredentials


class Guard:
    """Admits who shows the credentials; keeps digests only, so that no length shows either."""

    def __init__(self, credentials: BasicCredentials) -> None:
        pair = f"{credentials.username}:{credentials.password.get_secret_value()}"
        self._wanted = _digest(base64.b64encode(pair.encode()))

    def admits(self, authorization: str | None) -> bool:
        """Tell whether an Authorization header, None where there is none, is the right one."""
        scheme, _, token = (authorization or "").partition(" ")
        shown = _digest(token.strip().encode())
        return hmac.compare_digest(shown, self._wanted) and scheme.lower() == "basic"


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
