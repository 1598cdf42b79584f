"""Answers that are none: each closes, resets, silences or garbles the connection it has.

The transport below comes from `CuttableProtocol` in the ASGI scope's extensions. Without one (an
app that is called in process) these answers raise `ConnectionAbortedError`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from abc import abstractmethod

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_Bytes = bytes | bytearray | memoryview
_EXTENSION = "bandcast.transport"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time at all


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's fast protocol, which also shows the application the transport below."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, whose head and body of an answer shall leave together."""
        super().connection_made(transport)
        self.transport = _Gathering(transport, self.loop)

    def on_message_begin(self) -> None:
        """Begin a request, with its transport in the scope."""
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}


class _Gathering(asyncio.Transport):
    """Sends what one step of the loop wrote at the step's end: one system call for an answer."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport, self._loop = transport, loop
        self._written: list[_Bytes] = []

    def write(self, data: _Bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._flush)

        self._written.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._written.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def _flush(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()


class BrokenAnswer(Response):
    """An answer that goes wrong on the connection; the subclass says how."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go wrong, then wait until the connection is gone.

        Raises:
            ConnectionAbortedError: there is no connection to go wrong on.
        """
        transport = scope.get("extensions", {}).get(_EXTENSION, {}).get("transport")
        if transport is None:
            raise ConnectionAbortedError(f"the simulator inflicted '{type(self).__name__}'")

        try:
            await self.inflict(transport, send)
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            transport.abort()

    @abstractmethod
    async def inflict(self, transport: asyncio.Transport, send: Send) -> None:
        """Do the damage."""


class Closed(BrokenAnswer):
    """The connection is closed without an answer."""

    async def inflict(self, transport: asyncio.Transport, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Close."""
        transport.close()


class Reset(BrokenAnswer):
    """The connection is reset without an answer."""

    async def inflict(self, transport: asyncio.Transport, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Close in the way that makes the kernel send RST."""
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()


class Silence(BrokenAnswer):
    """No answer, and the connection stays open until the caller hangs up."""

    async def inflict(self, transport: asyncio.Transport, send: Send) -> None:
        """Do nothing."""


class CutBody(BrokenAnswer):
    """The answer's head promises the whole body; half of it comes, then the end."""

    async def inflict(self, transport: asyncio.Transport, send: Send) -> None:
        """Send half."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport.close()


class Garbage(BrokenAnswer):
    """Bytes that are not HTTP, then the end of the connection."""

    async def inflict(self, transport: asyncio.Transport, send: Send) -> None:  # noqa: ARG002 - not by ASGI
        """Write them past the protocol."""
        transport.write(b"\x16\x03\x01 this is no answer\r\n\r\n")
        transport.close()
