"""Who may call: Basic credentials, and Bearer tokens that are issued, expired and revoked here."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What callers must show. The default lets anyone in who shows anything at all."""

    #: The only account there is; None: any.
    account_id: str | None = None
    #: User name and password for Basic; None: any.
    basic: tuple[str, str] | None = field(default=None, repr=False)
    #: Client id and secret for the token endpoint; None: any.
    client: tuple[str, str] | None = field(default=None, repr=False)
    #: How long a token is good for.
    token_seconds: float = 3_600.0
    #: The callers are known, but have no permission to message: everything is a 403.
    forbidden: bool = False


class Gate:
    """Checks requests against `Credentials` and keeps the tokens that are good.

    The same `seed` gives out the same tokens in the same order: they guard nothing.
    """

    def __init__(self, credentials: Credentials, *, seed: int) -> None:
        self._wanted, self._seed = credentials, seed
        self._tokens: dict[str, float] = {}
        self._issued = 0

    @property
    def token_seconds(self) -> float:
        """How long a token is good for."""
        return self._wanted.token_seconds

    def issue(self, authorization: str | None, *, now: float) -> str | None:
        """Return a token for client id and secret in a Basic header; None where they are wrong."""
        shown = _basic(authorization)
        if shown is None or self._wanted.client not in {None, shown}:
            return None

        self._issued += 1
        name = f"{self._seed}/token/{self._issued}"
        token = blake2b(name.encode(), digest_size=16).hexdigest()
        self._tokens[token] = now + self._wanted.token_seconds
        return token

    def revoke(self) -> None:
        """Make every token issued so far worthless: callers must renew."""
        self._tokens.clear()

    def knows(self, authorization: str | None, *, now: float) -> bool:
        """Say whether the header shows credentials that are right: otherwise 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._tokens.get(token.strip(), now) > now

        shown = _basic(authorization)
        return shown is not None and self._wanted.basic in {None, shown}

    def allows(self, account_id: str) -> bool:
        """Say whether the caller may use this account: otherwise 403."""
        return not self._wanted.forbidden and self._wanted.account_id in {None, account_id}


def _basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None

    try:
        name, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        return None

    return (name, secret) if colon else None
