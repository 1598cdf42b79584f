"""One connection, many messages: the answer to one is never taken for the answer to another.

HTTP/1.1 tells by order alone which answer belongs to which request, so a connection that has said
anything unasked is not used again; and an answer that names another attempt is not believed.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager

import anyio
import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from pipeline.model import Accepted, InDoubt
from tests.bandwidth.faults import (
    ACCEPTED,
    OWN_ERROR,
    FaultServer,
    answer,
    closes,
    resets,
    says,
    wire,
)
from tests.bandwidth.sending import MESSAGE, client_of, send_to

#: What comes unasked behind a good answer, on the same connection.
UNASKED = {
    "a second 202": wire(b'{"id": "stale"}'),
    "an error that would mean: send it again": wire(OWN_ERROR, status="500 Internal Server Error"),
    "too many requests": wire(b"", status="429 Too Many Requests"),
    "a refusal": wire(OWN_ERROR, status="400 Bad Request"),
    "a time-out of an idle connection": wire(
        b"", status="408 Request Timeout", headers=["Connection: close"]
    ),
    "a continue": b"HTTP/1.1 100 Continue\r\n\r\n",
}
#: What begins no answer that anybody could take for one.
FRAGMENTS = {
    "garbage": b"\x00\xff what?\r\n\r\n",
    "half an answer": b"HTTP/1.1 202 Accep",
    "one byte": b"\n",
}


class ThenServer(FaultServer):
    """Answers every message with its number; behind the first answer comes something unasked."""

    def __init__(self, unasked, pause=0.0, end=None):
        super().__init__(None, good=1_000)
        self._unasked, self._pause, self._end = unasked, pause, end

    async def _serve(self, reader, writer):
        self.connections += 1
        while not writer.is_closing():
            await self._read_request(reader)
            number = len(self.received)
            body = b'{"id": "id-%d"}' % number
            unasked = self._unasked if number == 1 else b""
            if self._pause:
                writer.write(wire(body))
                await asyncio.sleep(self._pause)
                writer.write(unasked)
            else:
                writer.write(wire(body) + unasked)

            await writer.drain()
            if self._end is not None and number == 1:
                await self._end(reader, writer)

        await writer.wait_closed()


PAUSES = pytest.mark.parametrize(
    "pause", [0.0, 0.02], ids=["at once", "while the connection is idle"]
)


async def send_twice(server, pause=0.05):
    async with server.running(), client_of(server.address, lanes=1) as (client, _):
        first = await client.send(MESSAGE, tag="r.1.1")
        await anyio.sleep(pause)
        return first, await client.send(MESSAGE, tag="r.2.1")


@PAUSES
@pytest.mark.parametrize("unasked", UNASKED.values(), ids=UNASKED)
def test_what_nobody_asked_for_is_not_the_answer_to_the_next_message(unasked, pause):
    server = ThenServer(unasked, pause)

    first, second = anyio.run(send_twice, server)

    assert (first.message_id, second.message_id) == ("id-1", "id-2")
    assert (server.received, server.connections) == (["POST", "POST"], 2)


@PAUSES
@pytest.mark.parametrize("unasked", FRAGMENTS.values(), ids=FRAGMENTS)
def test_a_fragment_that_nobody_asked_for_spoils_no_answer(unasked, pause):
    server = ThenServer(unasked, pause)

    first, second = anyio.run(send_twice, server)

    assert isinstance(first, InDoubt) or first.message_id == "id-1"
    assert second.message_id == "id-2"
    assert server.received == ["POST", "POST"]


def test_what_came_while_the_event_loop_was_busy_is_seen_all_the_same():
    """It lies in the kernel: nobody but the kernel can tell that the connection has spoken."""
    server = ThenServer(wire(OWN_ERROR, status="500 Internal Server Error"), pause=0.03)

    async def send_twice_with_a_busy_loop(port):
        async with client_of(f"http://127.0.0.1:{port}", lanes=1) as (client, _):
            first = await client.send(MESSAGE, tag="r.1.1")
            time.sleep(0.1)  # noqa: ASYNC251 - the loop must not read
            return first, await client.send(MESSAGE, tag="r.2.1")

    with in_a_thread(server) as port:
        first, second = anyio.run(send_twice_with_a_busy_loop, port)

    assert (first.message_id, second.message_id) == ("id-1", "id-2")


@contextmanager
def in_a_thread(server):
    """The server in an event loop of its own, which reads and writes while ours is busy."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(server.running()):
        yield server.port


# --- An answer that names its message ------------------------------------------------------------

ANSWERS_BY_NAME = {
    "its own": ("r.1.1", Accepted),
    "none": (None, Accepted),
    "somebody else's, none of ours": ("spring sale", Accepted),
    "the message before": ("r.9.1", InDoubt),
    "an earlier attempt": ("r.1.2", InDoubt),
    "another campaign": ("q.1.1", InDoubt),
}


@pytest.mark.parametrize(("named", "verdict"), ANSWERS_BY_NAME.values(), ids=ANSWERS_BY_NAME)
def test_a_202_that_names_another_attempt_leaves_this_one_in_doubt(named, verdict):
    body = json.dumps({"id": "x", "tag": named}).encode()

    outcome, _ = anyio.run(send_to, FaultServer(answer(body)))

    assert isinstance(outcome, verdict)


# --- Late answers --------------------------------------------------------------------------------


def late(pause):
    """Answer the first message when nobody waits any more, and the others at once."""

    async def fault(_, writer):
        await asyncio.sleep(pause)
        writer.write(wire(b'{"id": "late"}'))
        await writer.drain()

    return fault


def test_an_answer_after_our_time_is_not_the_answer_to_the_next_message():
    server = FaultServer(late(0.8))

    async def send_impatiently():
        async with server.running(), client_of(server.address, lanes=1) as (client, transport):
            first = await client.send(MESSAGE, tag="r.1.1")
            server._good = 1_000
            await anyio.sleep(0.4)
            return first, await client.send(MESSAGE, tag="r.2.1"), transport.raised

    first, second, raised = anyio.run(send_impatiently)

    assert isinstance(first, InDoubt)
    assert isinstance(raised, httpx.ReadTimeout)
    assert second == Accepted(message_id="x", segments_billed=1, http_status=202)
    assert server.connections == 2


def test_an_answer_to_a_cancelled_message_is_not_the_answer_to_the_next():
    server = FaultServer(late(0.1))

    async def cancel_and_send():
        async with server.running(), client_of(server.address, lanes=1) as (client, _):
            with anyio.move_on_after(0.05):
                await client.send(MESSAGE, tag="r.1.1")

            server._good = 1_000
            await anyio.sleep(0.1)
            return await client.send(MESSAGE, tag="r.2.1")

    assert anyio.run(cancel_and_send).message_id == "x"
    assert server.connections == 2


# --- Ends of connections -------------------------------------------------------------------------


async def half_closes(_, writer):
    writer.write_eof()
    await asyncio.sleep(0.05)


HALF_CLOSED = {
    "half-closed without an answer": says(then=half_closes),
    "half-closed within the headers": says(b"HTTP/1.1 202 Acc", then=half_closes),
    "half-closed within the body": says(wire(ACCEPTED)[:-5], then=half_closes),
}


@pytest.mark.parametrize("good", [0, 1], ids=["fresh", "reused"])
@pytest.mark.parametrize("fault", HALF_CLOSED.values(), ids=HALF_CLOSED)
def test_a_connection_that_is_half_closed_after_the_post_leaves_doubt(fault, good):
    server = FaultServer(fault, good)

    outcome, raised = anyio.run(send_to, server, good)

    assert isinstance(raised, httpx.RemoteProtocolError)
    assert isinstance(outcome, InDoubt)
    assert server.received == ["POST"] * (good + 1)


@pytest.mark.parametrize("end", [closes, half_closes, resets], ids=lambda end: end.__name__)
@pytest.mark.parametrize("busy", [False, True], ids=["", "while the event loop is busy"])
def test_a_connection_that_ended_while_idle_costs_no_doubt(end, busy):
    server = ThenServer(b"", end=end)

    async def send_twice_over(port):
        async with client_of(f"http://127.0.0.1:{port}", lanes=1) as (client, _):
            first = await client.send(MESSAGE, tag="r.1.1")
            if busy:
                time.sleep(0.1)  # noqa: ASYNC251 - the loop must not see the end

            await anyio.sleep(0 if busy else 0.1)
            return first, await client.send(MESSAGE, tag="r.2.1")

    with in_a_thread(server) as port:
        first, second = anyio.run(send_twice_over, port)

    assert (first.message_id, second.message_id) == ("id-1", "id-2")
    assert (server.received, server.connections) == (["POST", "POST"], 2)
