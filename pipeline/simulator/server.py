"""Puts the simulator on a port: for a command, or in a thread beside a sender."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette

from pipeline.simulator.faults import CuttableProtocol
from pipeline.simulator.ledger import Ledger

_BACKLOG = 2_048  # connections that wait while the loop is busy
_STOP_POLL_SECONDS = 0.01


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Take a port; 0 takes a free one.

    Raises:
        OSError: the address cannot be had.
    """
    # asyncio turns Nagle off only where the protocol is named: otherwise each answer waits 40 ms.
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise

    return listener


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, but for what is ignored (nohup).

    Requests that are open then get one second more.
    """
    gc.freeze()  # a full collection would stop the witness's clock for tens of milliseconds
    gc.set_threshold(5_000, 2, 1_000)
    _ForegroundServer(_config(app, grace_seconds=1)).run(sockets=[listener])


class EmbeddedSimulator:
    """Runs an app from `make_app` on a free loopback port, in a thread with its own event loop.

    with EmbeddedSimulator(make_app(Behaviour())) as simulator:
        ...  # POST to simulator.url
    """

    def __init__(self, app: Starlette) -> None:
        self._socket = listen()
        self._server = _ReadyServer(_config(app, grace_seconds=0))
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        #: Where all its addresses begin.
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        #: What the handsets received; may be read from any thread.
        self.ledger: Ledger = app.state.ledger

    @property
    def url(self) -> str:
        """The base address of the messaging API."""
        return f"{self.origin}/api/v2"

    @property
    def token_url(self) -> str:
        """The address of the token endpoint."""
        return f"{self.origin}/api/v1/oauth2/token"

    @property
    def ledger_url(self) -> str:
        """The address of the ledger."""
        return f"{self.origin}/_ledger"

    def start(self) -> None:
        """Start, and return when requests are answered.

        Raises:
            RuntimeError: it did not start.
        """
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            raise RuntimeError("the simulator did not start")

    def stop(self) -> None:
        """Stop at once: requests that are still open are cut off."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._server.ready.set()


class _ForegroundServer(uvicorn.Server):
    """A server that ignores the signals that its process does."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        ends = (signal.SIGINT, signal.SIGTERM)
        ignored = [number for number in ends if signal.getsignal(number) is signal.SIG_IGN]
        with super().capture_signals():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

            yield


class _ReadyServer(uvicorn.Server):
    """A server that another thread can wait for, and that stops soon after it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # noqa: ASYNC110 - the base class has a flag, no event
            await asyncio.sleep(_STOP_POLL_SECONDS)


def _config(app: Starlette, *, grace_seconds: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=CuttableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,  # nobody asks who the caller is
        backlog=_BACKLOG,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=grace_seconds,
    )
