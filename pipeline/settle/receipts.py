"""Receipts by webhook: durable first, answered second, within the provider's ten seconds.

Bandwidth repeats a callback for 24 hours until it gets a 2xx, so an answer before the journal has
the event would lose it, and a refusal of what can never be read would bring it back all day.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.bandwidth.wire import Unreadable, decode_callbacks
from pipeline.model import Receipt

log = logging.getLogger(__name__)

#: More than the largest callback by far: one event is about one kilobyte.
MOST_BODY_BYTES = 1_048_576

Receive = Callable[[Sequence[tuple[Receipt, bytes]]], Awaitable[int]]


def receipts_app(receive: Receive) -> Starlette:
    """Return an ASGI app that takes callbacks at ``POST /``.

    Args:
        receive: Makes receipts durable (`Journal.receive`), and returns only then.

    Answers 204 once every receipt of the body is durable, 400 for a body that is no callback, and
    413 for one that is too large. Inbound messages are answered and not kept.
    """

    async def callbacks(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=413)

        try:
            events = decode_callbacks(body)
        except Unreadable:
            log.warning("refused a body that is no callback", extra={"action": "receive"})
            return Response(status_code=400)

        receipts = [(event, raw) for event, raw in events if isinstance(event, Receipt)]
        if receipts:
            await receive(receipts)

        return Response(status_code=204)

    return Starlette(routes=[Route("/", callbacks, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            return None

    return bytes(body)


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
    app: Starlette, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Serve `app` beside other tasks; yields its address. Port 0 takes a free one."""
    config = uvicorn.Config(app, host=host, port=port, log_level="critical", access_log=False)
    server = _Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        await server.ready.wait()
        bound = server.servers[0].sockets[0].getsockname()
        try:
            yield f"http://{bound[0]}:{bound[1]}/"
        finally:
            server.should_exit = True
