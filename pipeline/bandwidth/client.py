"""Bandwidth's API as two verbs: send one message, list messages.

`send` answers with an outcome whatever the wire does, and POSTs once; only a 401, which proves that
nothing was sent, is followed by a second POST with a fresh token. It speaks to the transport
directly: `httpx.AsyncClient` above it would double the cost of a message.
"""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import httpx

from pipeline.account import Account
from pipeline.bandwidth import wire
from pipeline.bandwidth.auth import Auth, TokenUnavailable
from pipeline.bandwidth.verdict import outcome_of_answer, outcome_of_error, retry_after_seconds
from pipeline.errors import BandcastError, CredentialsError
from pipeline.model import Halted, InDoubt, Message, NotSent, Outcome

_UNAUTHORIZED = 401

Filter = str | int | float | bool | datetime | list[str] | None


class ListingFailed(BandcastError):
    """A page of the listing did not come. Asking again is harmless."""

    def __init__(
        self,
        sentence: str,
        *,
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        super().__init__(sentence)


class BandwidthClient:
    """One account's messages. Owns the transport: `async with` closes it."""

    def __init__(self, account: Account, transport: httpx.AsyncBaseTransport, auth: Auth) -> None:
        self._application_id = account.application_id
        self._transport = transport
        self._auth = auth
        self._url = httpx.URL(
            f"{account.messaging_url}/users/{quote(account.account_id, safe='')}/messages"
        )
        self._headers = [
            (b"Host", self._url.netloc),
            (b"Accept", b"application/json"),
            (b"User-Agent", b"bandcast"),
        ]
        self._post_headers = [*self._headers, (b"Content-Type", b"application/json; charset=utf-8")]
        #: Hash of the header that a 401 made us renew, until anything but a 401 answers it.
        self._unproven: int | None = None

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(exc_type, exc, traceback)

    async def send(self, message: Message, *, tag: str) -> Outcome:
        """POST one message once.

        Args:
            message: What to send.
            tag: Comes back in every callback about it; holds no personal data.

        Returns:
            What the attempt came to. A 401 renews the access token, once until something is
            answered otherwise; the message was not sent then, and needs a new slot of the rate.

        Raises:
            CredentialsError: the token endpoint refuses us; nothing was sent.
        """
        body = wire.encode_message(message, application_id=self._application_id, tag=tag)
        try:
            header = await self._auth.header()
            outcome = await self._post(body, header)
            if not isinstance(outcome, Halted) or outcome.http_status != _UNAUTHORIZED:
                self._unproven = None
                return outcome

            if hash(header) == self._unproven:
                return outcome

            fresh = await self._auth.renew(header)
            self._unproven = hash(fresh)
        except TokenUnavailable:
            return NotSent(reason="no access token")

        return (
            outcome
            if fresh == header
            else NotSent(reason="access token renewed", http_status=_UNAUTHORIZED)
        )

    async def ready(self) -> NotSent | None:
        """Make sure of an access token before a message takes its slot of the rate.

        Returns:
            Why nothing can be sent now; None where `send` will not have to wait.

        Raises:
            CredentialsError: the token endpoint refuses us.
        """
        try:
            await self._auth.header()
        except TokenUnavailable:
            return NotSent(reason="no access token")

        return None

    async def list_messages(self, **filters: Filter) -> wire.MessagesPage:
        """GET one page of the listing.

        Args:
            filters: The documented query parameters, in snake_case: ``source_tn``,
                ``destination_tn`` (also as a list of up to 10), ``from_date_time``, ``page_token``,
                ``limit`` ... None leaves one out. Bandwidth insists on at least one filter.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it (401, 403).
            ListingFailed: any other reason, with the wait that the provider asks for.
        """
        url = self._url.copy_with(query=_query(filters))
        try:
            header = await self._auth.header()
            status, headers, body = await self._get(url, header)
            if status == _UNAUTHORIZED and (fresh := await self._auth.renew(header)) != header:
                status, headers, body = await self._get(url, fresh)
        except TokenUnavailable as error:
            raise ListingFailed(f"messages cannot be listed: {error}") from None

        return _page(status, headers, body)

    async def _post(self, body: bytes, header: str) -> Outcome:
        headers = [
            *self._post_headers,
            (b"Authorization", header.encode()),
            (b"Content-Length", b"%d" % len(body)),
        ]
        request = httpx.Request("POST", self._url, headers=headers, stream=httpx.ByteStream(body))
        try:
            response = await self._transport.handle_async_request(request)
        except Exception as error:
            return outcome_of_error(error)

        try:
            content = await _content(response)
        except Exception:  # whatever its class says: the request has been read
            return InDoubt(reason="answer cut or garbled", http_status=response.status_code)

        return outcome_of_answer(response.status_code, response.headers, content)

    async def _get(self, url: httpx.URL, header: str) -> tuple[int, httpx.Headers, bytes]:
        headers = [*self._headers, (b"Authorization", header.encode())]
        try:
            response = await self._transport.handle_async_request(
                httpx.Request("GET", url, headers=headers)
            )
            return response.status_code, response.headers, await _content(response)
        except httpx.HTTPError as error:
            raise ListingFailed(
                f"messages cannot be listed: the provider does not answer ({type(error).__name__})"
            ) from None


async def _content(response: httpx.Response) -> bytes:
    """Read the body; where nothing is encoded without `aread`, which takes 45 us to find that."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    is_encoded = any(name.lower() == b"content-encoding" for name, _ in response.headers.raw)
    try:
        if is_encoded:
            return await response.aread()

        return b"".join([chunk async for chunk in response.stream])
    finally:
        await response.aclose()


def _query(filters: dict[str, Filter]) -> bytes:
    pairs = [
        (_camel(name), _written(value)) for name, value in filters.items() if value is not None
    ]
    return urlencode(pairs, quote_via=quote, safe="").encode()  # `+` of a number is %2B


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _written(value: Filter) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return wire.query_time(value)
        case list():
            return ",".join(value)
        case _:
            return str(value)


def _page(status: int, headers: httpx.Headers, body: bytes) -> wire.MessagesPage:
    if status in (_UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise CredentialsError(
            f"Bandwidth does not let these credentials list messages (HTTP {status}): "
            "check the credentials, the account and its permissions"
        )

    if status != httpx.codes.OK:
        error = wire.decode_error(body)
        raise ListingFailed(
            f"messages cannot be listed: HTTP {status} {error.type if error else ''}".rstrip(),
            http_status=status,
            retry_after_seconds=retry_after_seconds(headers),
        )

    try:
        return wire.decode_page(body)
    except wire.Unreadable as error:
        raise ListingFailed(f"messages cannot be listed: {error}", http_status=status) from None
