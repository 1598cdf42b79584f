"""Bandwidth's API as verbs: send one message, list messages, and the account's media.

`send` answers with an outcome whatever the wire does, and POSTs once; only a 401, which proves that
nothing was sent, is followed by a second POST with a fresh token. It speaks to the transport
directly: `httpx.AsyncClient` above it would double the cost of a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import httpx

from pipeline.account import Account
from pipeline.bandwidth import wire
from pipeline.bandwidth.auth import Auth, TokenUnavailable, auth_for
from pipeline.bandwidth.connection import Connection, RequestFailed, content_of
from pipeline.bandwidth.media import MediaStore
from pipeline.bandwidth.transport import MAY_LEAVE, AiohttpTransport, Withheld
from pipeline.bandwidth.verdict import outcome_of_answer, outcome_of_error
from pipeline.model import Channel, Delivery, Halted, InDoubt, Message, NotSent, Outcome

_UNAUTHORIZED = 401
_HOME_NUMBER = re.compile(r"\+1\d{10}", re.ASCII)
_UNLISTED = "messages cannot be listed"

Filter = str | int | float | bool | datetime | list[str] | None


def client_of(
    account: Account,
    *,
    lanes: int = 4,
    delivery: Delivery | None = None,
    may_leave: Callable[[], bool] = lambda: True,
) -> BandwidthClient:
    """Return a client of the account that carries up to `lanes` requests at a time."""
    transport = AiohttpTransport(lanes=lanes)
    auth = auth_for(account, transport)
    return BandwidthClient(account, transport, auth, delivery=delivery, may_leave=may_leave)


class BandwidthClient:
    """One account's messages and media. Owns the transport: `async with` closes it.

    `may_leave` is asked of every POST of a message, last of all before its first byte is written.
    """

    def __init__(
        self,
        account: Account,
        transport: httpx.AsyncBaseTransport,
        auth: Auth,
        *,
        delivery: Delivery | None = None,
        may_leave: Callable[[], bool] = lambda: True,
    ) -> None:
        self._application_id = account.application_id
        self._delivery = delivery or Delivery()
        self._extensions = {MAY_LEAVE: may_leave}
        self._transport = transport
        self._auth = auth
        self._connection = Connection(account, transport, auth)
        self._url = self._connection.url("messages")
        self._post_headers = [
            *self._connection.headers,
            (b"Content-Type", b"application/json; charset=utf-8"),
        ]
        #: The account's files.
        self.media = MediaStore(self._connection)
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
        body = wire.encode_message(
            message,
            application_id=self._application_id,
            tag=tag,
            priority="high" if self._delivery.is_urgent and may_be_urgent(message) else None,
            expires_at=_expiry(self._delivery.expires_after),
        )
        try:
            header = await self._auth.header()
            outcome = await self._post(body, header, tag)
            if not isinstance(outcome, Halted) or outcome.http_status != _UNAUTHORIZED:
                self._unproven = None
                return outcome

            if hash(header) == self._unproven:
                return outcome

            fresh = await self._auth.renew(header)
            self._unproven = hash(fresh)
        except TokenUnavailable as error:
            return NotSent(reason=f"no access token: {error}")

        return (
            outcome
            if fresh == header
            else NotSent(reason="access token renewed", http_status=_UNAUTHORIZED)
        )

    async def ready(self, _message: Message, /) -> NotSent | None:
        """Make sure of an access token before a message takes its slot of the rate.

        Returns:
            Why nothing can be sent now; None where `send` will not have to wait.

        Raises:
            CredentialsError: the token endpoint refuses us.
        """
        try:
            await self._auth.header()
        except TokenUnavailable as error:
            return NotSent(reason=f"no access token: {error}")

        return None

    async def list_messages(self, **filters: Filter) -> wire.MessagesPage:
        """GET one page of the listing.

        Args:
            filters: The documented query parameters, in snake_case: ``source_tn``,
                ``destination_tn`` (also as a list of up to 10), ``from_date_time``, ``page_token``,
                ``limit`` ... None leaves one out. Bandwidth insists on at least one filter.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it (401, 403).
            RequestFailed: any other reason, with the wait that the provider asks for.
        """
        url = self._connection.url("messages", query=_query(filters))
        answer = await self._connection.ask("GET", url, failure=_UNLISTED)
        try:
            return wire.decode_page(answer.body)
        except wire.Unreadable as error:
            raise RequestFailed(f"{_UNLISTED}: {error}", http_status=answer.status) from None

    async def _post(self, body: bytes, header: str, tag: str) -> Outcome:
        headers = [
            *self._post_headers,
            (b"Authorization", header.encode()),
            (b"Content-Length", b"%d" % len(body)),
        ]
        request = httpx.Request(
            "POST",
            self._url,
            headers=headers,
            stream=httpx.ByteStream(body),
            extensions=self._extensions,
        )
        try:
            response = await self._transport.handle_async_request(request)
        except Withheld:
            return NotSent(reason="stopped before it left")
        except Exception as error:
            return outcome_of_error(error)

        try:
            content = await content_of(response)
        except Exception:  # whatever its class says: the request has been read
            return InDoubt(reason="answer cut or garbled", http_status=response.status_code)

        return outcome_of_answer(response.status_code, response.headers, content, tag=tag)


def may_be_urgent(message: Message) -> bool:
    """Tell whether the provider knows a priority for such messages.

    SMS and MMS of short codes, SMS of North American numbers (support article 360063389073).
    """
    if message.sender.isdigit():
        return True

    return message.channel is Channel.SMS and _HOME_NUMBER.fullmatch(message.sender) is not None


def _expiry(after: timedelta | datetime | None) -> datetime | None:
    return datetime.now(UTC) + after if isinstance(after, timedelta) else after


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
