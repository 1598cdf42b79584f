"""The fast transport: httpx outside, one aiohttp session inside, honest about what has left.

    before a byte of the request has left    ConnectError, ConnectTimeout
    the answer did not come in time          ReadTimeout
    the connection broke                     ReadError, WriteError
    the answer is cut, or is not HTTP        RemoteProtocolError

The first line is proof that nothing was sent, and is claimed for nothing else. No POST is sent
twice here: aiohttp repeats idempotent methods only, once, and redirects are not followed. No answer
is taken for that of the next request: a connection that spoke unasked is not used again.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import NamedTuple, Self

import aiohttp
import httpx
from yarl import URL

DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)

#: An idle connection is closed by us before a server or a load balancer thinks of it (60 seconds
#: are usual): a request written while the other end hangs up is in doubt. A busy lane never idles
#: that long, so the price is a handshake after a pause.
KEEPALIVE_SECONDS = 15.0

#: Extension of a request: its answer is wanted as soon as it begins.
LIVE = "bandcast.live"

#: Extension of a request: asked when a connection is there and nothing is written yet; False
#: withholds the request.
MAY_LEAVE = "bandcast.may_leave"

_may_leave: ContextVar[Callable[[], bool] | None] = ContextVar("may_leave", default=None)

#: What aiohttp would add by itself; the headers of the request are all there are.
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Withheld(httpx.ConnectError):
    """`MAY_LEAVE` said no; not a byte of the request has left."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Carries up to `lanes` requests at a time.

    Args:
        lanes: Connections at most.
        timeout: Used where a request brings none. `connect` bounds name look-up, TCP and TLS
            together, and waiting for a free connection; `connect`, `write` and `read` added up
            bound the whole exchange, so that an answer that drips cannot hold a lane for ever.
        trust: Whose certificates are believed; the system's authorities by default.
    """

    def __init__(
        self,
        *,
        lanes: int = 100,
        timeout: httpx.Timeout = DEFAULT_TIMEOUT,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._lanes = lanes
        self._trust = trust
        self._bounds = _Bounds.of(timeout.as_dict())
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Exchange one request for its complete answer.

        A body that is a stream is read as it is sent. With the extension `LIVE` the answer comes
        back when it begins, and its body is read as it arrives: no bound but for each piece.

        Raises:
            httpx.TransportError: see the table of this module.
        """
        try:
            return await self._exchange(request)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = _translated(error)

        # Raised out here: aiohttp's errors hold the request's headers, and must not be its context.
        failure.request = request
        raise failure

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        given = request.extensions.get("timeout")
        bounds = self._bounds if given is None else _Bounds.of(given)
        _may_leave.set(request.extensions.get(MAY_LEAVE))
        async with asyncio.timeout(bounds.whole_seconds):
            answer = await self._open().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in request.headers.raw
                ],
                data=await _content(request),
                timeout=bounds.phases,
                allow_redirects=False,
            )
            stream: httpx.AsyncByteStream
            if request.extensions.get(LIVE):
                stream = _LiveStream(answer)
            else:
                async with answer:
                    stream = httpx.ByteStream(await answer.read())

            return httpx.Response(answer.status, headers=answer.raw_headers, stream=stream)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(
                    limit=self._lanes,
                    keepalive_timeout=KEEPALIVE_SECONDS,
                    ssl=self._trust or True,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_NOT_ADDED,
                auto_decompress=False,
            )

        return self._session


class _Connector(aiohttp.TCPConnector):
    """Uses an idle connection again only where nothing came on it since its last answer.

    What is connected is asked once more whether it may leave: name look-up, handshakes and waiting
    for a free connection take their time, and the next thing that aiohttp does is to write.

    aiohttp would read a second answer to the last request, or a 408 of a server that tires of
    waiting, as the answer to the next one.
    """

    async def _get(
        self, key: aiohttp.client_reqrep.ConnectionKey, traces: list[aiohttp.tracing.Trace]
    ) -> aiohttp.connector.Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            if not _has_spoken(connection):
                return connection

            connection.close()

        return None

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's name
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        may_leave = _may_leave.get()
        if may_leave is not None and not may_leave():
            connection.release()
            raise Withheld("not written: it may not leave any more")

        return connection


def _has_spoken(connection: aiohttp.connector.Connection) -> bool:
    """Tell whether bytes, or an end, came on a connection: to aiohttp, or as far as the kernel."""
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or protocol.should_close or transport is None:
        return True

    come = select.poll()
    come.register(transport.get_extra_info("socket"), select.POLLIN)
    return bool(come.poll(0))


class _Bounds(NamedTuple):
    phases: aiohttp.ClientTimeout
    whole_seconds: float | None

    @classmethod
    def of(cls, seconds: dict[str, float | None]) -> Self:
        connect, read, write = (seconds.get(phase) for phase in ("connect", "read", "write"))
        return cls(
            aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=read),
            None if connect is None or read is None or write is None else connect + read + write,
        )


class _LiveStream(httpx.AsyncByteStream):
    """The body of an answer, as it arrives."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = _translated(error)
        else:
            return

        raise failure

    async def aclose(self) -> None:
        self._answer.close()


async def _content(request: httpx.Request) -> bytes | httpx.AsyncByteStream | None:
    if isinstance(request.stream, httpx.ByteStream):
        return await request.aread() or None

    assert isinstance(request.stream, httpx.AsyncByteStream)
    return request.stream


def _translated(error: Exception) -> httpx.TransportError:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout("no connection in time")
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(str(error))
        case TimeoutError():
            return httpx.ReadTimeout("no complete answer in time")
        case aiohttp.ClientConnectionResetError() | aiohttp.UploadAbortedError():
            return httpx.WriteError("the connection closed before the request was written")
        case aiohttp.ServerDisconnectedError():
            return httpx.RemoteProtocolError("the server closed the connection without an answer")
        case aiohttp.ClientPayloadError():
            return httpx.RemoteProtocolError("the answer is cut")
        case aiohttp.ClientResponseError():
            return httpx.RemoteProtocolError("the answer is not HTTP")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return httpx.UnsupportedProtocol("the address is not an http address")
        case _:
            return httpx.ReadError(f"the connection broke ({type(error).__name__})")
