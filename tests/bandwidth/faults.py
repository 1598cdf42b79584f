"""A real socket server that reads a whole request, counts it, and then misbehaves as told."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

ACCEPTED = b'{"id":"x","segmentCount":1}'
#: What Bandwidth itself says where something broke there.
OWN_ERROR = b'{"type": "internal-error", "description": "Something broke"}'

Fault = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def wire(body, *, status="202 Accepted", headers=()) -> bytes:
    """A complete answer as it lies on the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answer(body=ACCEPTED, **more) -> Fault:
    """Write a complete answer; a full answer is the fault of having none."""
    return says(wire(body, **more))


def says(*pieces: bytes, then=None, pause=0.0) -> Fault:
    """Write the pieces as they are, then do `then`, or wait for the next request."""

    async def fault(reader, writer):
        for piece in pieces:
            writer.write(piece)
            if pause:
                await asyncio.sleep(pause)

        await writer.drain()
        if then is not None:
            await then(reader, writer)

    return fault


async def closes(_, writer):
    writer.close()


async def resets(_, writer):
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def half_reads(_, writer):
    """Read no more, but leave the connection open for a while."""
    writer.get_extra_info("socket").shutdown(socket.SHUT_RD)


async def is_silent(reader, _):
    await reader.read()


def waits(seconds: float, fault: Fault) -> Fault:
    async def waiting(reader, writer):
        await asyncio.sleep(seconds)
        await fault(reader, writer)

    return waiting


def repeats(piece: bytes) -> Fault:
    """Write the piece again and again, until the other end has enough."""

    async def fault(_, writer):
        while not writer.is_closing():
            writer.write(piece)
            await asyncio.sleep(0.02)

    return fault


def drips(start: bytes) -> Fault:
    async def fault(reader, writer):
        writer.write(start)
        await repeats(b"x")(reader, writer)

    return fault


@asynccontextmanager
async def serving(behave: Fault) -> AsyncIterator[int]:
    """Yield a port where every connection gets `behave`; leaves nothing open behind."""
    connections = set()

    async def serve(reader, writer):
        connections.add(asyncio.current_task())
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]

    await asyncio.wait_for(asyncio.gather(*connections), timeout=2)
    await asyncio.sleep(0)


class FaultServer:
    """Behaves well for `good` requests, then shows `fault`."""

    def __init__(self, fault: Fault, good: int = 0) -> None:
        self._fault, self._good = fault, good
        #: Requests that were read to their last byte, by method.
        self.received: list[str] = []
        self.connections = 0
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FaultServer]:
        async with serving(self._serve) as self.port:
            yield self

    async def _serve(self, reader, writer):
        self.connections += 1
        while not writer.is_closing():
            await self._read_request(reader)
            behave = answer() if len(self.received) <= self._good else self._fault
            await behave(reader, writer)

        await writer.wait_closed()

    async def _read_request(self, reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [
            line for line in head.lower().split("\r\n") if line.startswith("content-length:")
        ]
        await reader.readexactly(sum(int(line.split(":")[1]) for line in lengths))
        self.received.append(head.split()[0])


@asynccontextmanager
async def unanswered_port() -> AsyncIterator[int]:
    """A port whose queue of connections is full: a further SYN is dropped."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)

        try:
            await asyncio.sleep(0.05)
            yield address[1]
        finally:
            for one in waiting:
                one.close()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]
