"""Puts an app on a port beside other tasks of the same event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import anyio
import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Connections, and requests that wait for the journal; more get a 503 and come again.
MOST_REQUESTS = 512
#: How long open requests get at the end: the provider waits ten.
GRACE_SECONDS = 9


#: A request that has not come whole after this time, and not after as long again, is cut off: the
#: connections of those who only hold them would keep the provider out.
PATIENCE_SECONDS = 10.0


class _Impatient(H11Protocol):
    """Closes a connection on which nothing, or half a request, is all that comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._seen: object = None
        self._look()

    def _look(self) -> None:
        is_waited_for = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        seen = (self.cycle, self.conn.their_state) if is_waited_for else None
        if seen is not None and seen == self._seen:
            self.transport.close()

        self._seen = seen
        if not self.transport.is_closing():
            self.loop.call_later(PATIENCE_SECONDS, self._look)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]
        """Leave SIGINT and SIGTERM to the command that runs us."""
        return nullcontext()


@asynccontextmanager
async def listening(
    app: Starlette,
    listener: socket.socket,
    *,
    certfile: Path | None = None,
    keyfile: Path | None = None,
) -> AsyncIterator[str]:
    """Serve `app` on a listening socket until the block ends; yields its address.

    Open requests are answered before it returns.
    """
    config = uvicorn.Config(
        app,
        http=_Impatient,  # httptools is faster, and reads headers of any length into memory
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_REQUESTS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certfile,
        ssl_keyfile=keyfile,
    )
    server = _Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        await server.ready.wait()
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        try:
            yield f"http{'s' if certfile else ''}://{shown}:{port}/"
        finally:
            server.should_exit = True
