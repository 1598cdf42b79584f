"""Requests that may be repeated, to one account: address, credentials, answers or sentences.

Everything but the POST of a message goes through here: asking again changes nothing, so a 401 is
followed by one more request with a fresh token, and a caller may repeat what failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from pipeline.account import Account
from pipeline.bandwidth import wire
from pipeline.bandwidth.auth import Auth, TokenUnavailable
from pipeline.bandwidth.verdict import retry_after_seconds
from pipeline.errors import BandcastError, CredentialsError, UsageError

Headers = Sequence[tuple[bytes, bytes]]

_UNAUTHORIZED = 401
#: Without the provider's own words: a redirect, or no such address.
_NOT_THE_API = frozenset({301, 302, 303, 307, 308, 404, 405})
_NUMBER = re.compile(r"\+?[0-9]{5,}")


class RequestFailed(BandcastError):
    """The provider did not do what was asked, or did not answer. Asking again is harmless.

    What it refuses for good is bad input, and ends a command with its code.
    """

    def __init__(
        self,
        sentence: str,
        *,
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        if not self.may_pass:
            self.exit_code = UsageError.exit_code

        super().__init__(sentence)

    @property
    def may_pass(self) -> bool:
        """Tell whether the same request may succeed later: no answer, 429 or 5xx."""
        return self.http_status is None or self.http_status == 429 or self.http_status >= 500


class Answer(NamedTuple):
    """A complete answer of 2xx."""

    status: int
    headers: httpx.Headers
    body: bytes


class Connection:
    """One account at one address. Whoever gave the transport closes it."""

    def __init__(self, account: Account, transport: httpx.AsyncBaseTransport, auth: Auth) -> None:
        self._base = f"{account.messaging_url}/users/{quote(account.account_id, safe='')}"
        self.transport, self.auth = transport, auth
        self.headers: list[tuple[bytes, bytes]] = [
            (b"Host", self.url("").netloc),
            (b"Accept", b"application/json"),
            (b"User-Agent", b"bandcast"),
        ]

    def url(self, path: str, query: bytes = b"") -> httpx.URL:
        """Return the address of a resource; the slashes of `path` stay slashes."""
        url = httpx.URL(f"{self._base}/{quote(path, safe='/')}")
        return url.copy_with(query=query) if query else url

    async def ask(
        self,
        method: str,
        url: httpx.URL,
        *,
        failure: str,
        headers: Headers = (),
        content: httpx.AsyncByteStream | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Exchange one request for its complete answer. Takes and raises what `open` does."""
        response = await self.open(
            method, url, failure=failure, headers=headers, content=content, extensions=extensions
        )
        return Answer(response.status_code, response.headers, await _read(response, failure))

    async def open(
        self,
        method: str,
        url: httpx.URL,
        *,
        failure: str,
        headers: Headers = (),
        content: httpx.AsyncByteStream | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Exchange one request for an answer of 2xx, whose body is the caller's to read.

        Args:
            method: GET, PUT or DELETE.
            url: From `url`.
            failure: How the sentence begins that says why it failed.
            headers: Besides those of every request.
            content: The body; can be read more than once.
            extensions: For the transport.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it (401, 403).
            RequestFailed: any other reason, with the wait that the provider asks for.
        """

        async def send(authorization: str) -> httpx.Response:
            request = httpx.Request(
                method,
                url,
                headers=[*self.headers, *headers, (b"Authorization", authorization.encode())],
                stream=content,
                extensions=dict(extensions or {}),
            )
            return await self.transport.handle_async_request(request)

        try:
            header = await self.auth.header()
            response = await send(header)
            if response.status_code == _UNAUTHORIZED:
                fresh = await self.auth.renew(header)
                if fresh != header:
                    await response.aclose()
                    response = await send(fresh)
        except TokenUnavailable as error:
            raise RequestFailed(f"{failure}: {error}") from None
        except httpx.HTTPError as error:
            raise _unanswered(failure, error) from None

        if not response.is_success:
            raise _refusal(response, await _read(response, failure), failure)

        return response


async def content_of(response: httpx.Response) -> bytes:
    """Read the body; where nothing is encoded without `aread`, which takes 45 us to find that."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    is_encoded = any(name.lower() == b"content-encoding" for name, _ in response.headers.raw)
    try:
        if is_encoded:
            return await response.aread()

        return b"".join([chunk async for chunk in response.stream])
    finally:
        await response.aclose()


async def _read(response: httpx.Response, failure: str) -> bytes:
    try:
        return await content_of(response)
    except httpx.HTTPError as error:
        raise _unanswered(failure, error) from None


def _unanswered(failure: str, error: httpx.HTTPError) -> RequestFailed:
    return RequestFailed(f"{failure}: the provider does not answer ({type(error).__name__})")


def _reason(error: wire.ErrorBody) -> str:
    """Say what the provider says, without the numbers that may stand in it."""
    said = "; ".join([error.description, *(each.description for each in error.field_errors or ())])
    return f"{error.type}: {_NUMBER.sub('...', said)}".rstrip(": ")


def _refusal(response: httpx.Response, body: bytes, failure: str) -> BandcastError:
    status = response.status_code
    if status in (_UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return CredentialsError(
            f"{failure}: Bandwidth does not let these credentials do it (HTTP {status}): "
            "check the credentials, the account and its permissions"
        )

    error = wire.decode_error(body)
    said = f" {_reason(error)}" if error else ""
    if error is None and status in _NOT_THE_API:
        said = ": check BW_MESSAGING_URL and BW_ACCOUNT_ID"

    return RequestFailed(
        f"{failure}: HTTP {status}{said}",
        http_status=status,
        retry_after_seconds=retry_after_seconds(response.headers),
    )
