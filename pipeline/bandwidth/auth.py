"""Who we are: the Authorization header, from Basic credentials or an OAuth2 token.

A token is asked for once for all lanes, kept, and renewed a minute before it runs out. Secrets are
read at the moment they are written to the wire, and are in no repr and no exception.
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Protocol

import anyio
import httpx

from pipeline.account import Account, BasicCredentials, ClientCredentials
from pipeline.bandwidth import wire
from pipeline.errors import BandcastError, CredentialsError

#: How long before its end a token is replaced; a token that lives shorter is replaced at half-time.
RENEW_BEFORE_SECONDS = 60.0

#: Of 4xx: a hop's clock ran out, or too many asked.
_PASSING = frozenset({408, 425, 429})

#: RFC 6750 section 2.1; anything else could break out of the header.
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class TokenUnavailable(BandcastError):
    """The token endpoint did not answer, or not sensibly. No message was sent; try again later."""


class Auth(Protocol):
    """The source of the Authorization header."""

    async def header(self) -> str:
        """Return the header's value.

        Raises:
            CredentialsError: the provider refuses the credentials.
            TokenUnavailable: there is no token now.
        """

    async def renew(self, stale: str) -> str:
        """Return another value after the provider answered 401 to `stale`.

        Where somebody replaced `stale` meanwhile, nobody is asked again. Where there can be no
        other value, `stale` itself comes back. Raises what `header` raises.
        """


class BasicAuth:
    """User name and password (RFC 7617): the same header for ever."""

    def __init__(self, credentials: BasicCredentials) -> None:
        self._credentials = credentials

    async def header(self) -> str:
        """Return the header's value."""
        return _basic(self._credentials.username, self._credentials.password.get_secret_value())

    async def renew(self, stale: str) -> str:
        """Return `stale`: there is no other."""
        return stale


class ClientCredentialsAuth:
    """OAuth2 client credentials (RFC 6749 section 4.4).

    Args:
        credentials: Of the API user.
        token_url: The token endpoint.
        transport: Carries the request for a token.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        credentials: ClientCredentials,
        token_url: str,
        transport: httpx.AsyncBaseTransport,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        self._token_url = httpx.URL(token_url)
        self._transport = transport
        self._clock = clock
        self._lock = anyio.Lock()
        self._header = ""
        self._renew_at_seconds = self._expires_at_seconds = 0.0
        self._asked = 0
        self._failure: CredentialsError | TokenUnavailable | None = None

    async def header(self) -> str:
        """Return the header's value; asks for a token where there is none that lasts.

        While the old one lasts one lane renews it, and the others go on: a wait of all lanes would
        end in a burst.
        """
        now = self._clock()
        lasts = now < self._expires_at_seconds and self._lock.locked()
        if self._header and (now < self._renew_at_seconds or lasts):
            return self._header

        return await self._replace(self._header)

    async def renew(self, stale: str) -> str:
        """Return another value than `stale`, which the provider does not take any longer."""
        return await self._replace(stale)

    async def _replace(self, stale: str) -> str:
        asked = self._asked
        async with self._lock:
            if self._header not in ("", stale):
                return self._header

            if self._failure is not None and self._asked != asked:
                raise type(self._failure)(str(self._failure))  # of the lane we waited for

            return await self._ask()

    async def _ask(self) -> str:
        asked_at = self._clock()
        try:
            token = await self._token()
        except (CredentialsError, TokenUnavailable) as failure:
            self._failure = failure
            raise
        else:
            self._failure = None
        finally:
            self._asked += 1

        margin = min(RENEW_BEFORE_SECONDS, token.expires_in / 2)
        self._expires_at_seconds = asked_at + token.expires_in
        self._renew_at_seconds = self._expires_at_seconds - margin
        self._header = f"Bearer {token.access_token}"
        return self._header

    async def _token(self) -> wire.TokenBody:
        try:
            response = await self._transport.handle_async_request(self._request())
            try:
                body = await response.aread()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise TokenUnavailable(
                f"the token endpoint cannot be reached ({type(error).__name__}): try again later, "
                "or check BW_TOKEN_URL"
            ) from None

        return _read_token(response.status_code, body)

    def _request(self) -> httpx.Request:
        header = _basic(
            self._credentials.client_id, self._credentials.client_secret.get_secret_value()
        )
        return httpx.Request(
            "POST",
            self._token_url,
            headers={"Authorization": header, "Accept": "application/json"},
            data={"grant_type": "client_credentials"},
        )


def auth_for(account: Account, transport: httpx.AsyncBaseTransport) -> Auth:
    """Return the way of the account's credentials."""
    match account.credentials:
        case ClientCredentials() as credentials:
            return ClientCredentialsAuth(credentials, account.token_url, transport)
        case BasicCredentials() as credentials:
            return BasicAuth(credentials)


def _basic(name: str, secret: str) -> str:
    return f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"


def _read_token(status: int, body: bytes) -> wire.TokenBody:
    if status in (400, 401, 403):
        raise CredentialsError(
            f"Bandwidth refuses the client credentials (HTTP {status}): "
            "check BW_CLIENT_ID and BW_CLIENT_SECRET"
        )

    if 400 <= status < 500 and status not in _PASSING:
        raise CredentialsError(
            f"the address for tokens answers with HTTP {status}: check BW_TOKEN_URL"
        )

    if status != httpx.codes.OK:
        raise TokenUnavailable(f"the token endpoint answers with HTTP {status}")

    try:
        token = wire.decode_token(body)
    except wire.Unreadable:
        raise TokenUnavailable("the token endpoint's answer holds no token") from None

    if not _B64TOKEN.fullmatch(token.access_token):
        raise TokenUnavailable("the token endpoint's answer holds no usable token")

    return token
