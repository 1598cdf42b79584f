"""Names and certificates that fail, also during a run: no connection, so nothing was sent."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import httpx
import pytest
import trustme

from pipeline.model import Accepted, InDoubt, NotSent
from tests.bandwidth.faults import ACCEPTED, FaultServer, answer, closes, resets, says, wire
from tests.bandwidth.sending import MESSAGE, client_of

AUTHORITY = trustme.CA()
STRANGER = trustme.CA()
NOW = datetime.now(UTC)


def speaking_tls(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def issued(name="localhost", *, by=AUTHORITY, **validity):
    return by.issue_cert(name, **validity)


GOOD = speaking_tls(issued())
EXPIRED = speaking_tls(
    issued(not_before=NOW - timedelta(days=30), not_after=NOW - timedelta(minutes=1))
)
DISTRUSTED = {
    "expired": EXPIRED,
    "not valid yet": speaking_tls(issued(not_before=NOW + timedelta(days=1))),
    "of another host": speaking_tls(issued("example.com")),
    "of a stranger": speaking_tls(issued(by=STRANGER)),
}


class TlsServer(FaultServer):
    """A `FaultServer` that shows a certificate; which one may change between connections."""

    def __init__(self, certificate, fault=None):
        super().__init__(fault or answer())
        self.certificate = certificate

    @asynccontextmanager
    async def running(self):
        handlers = set()

        async def serve(reader, writer):
            handlers.add(asyncio.current_task())
            try:
                await writer.start_tls(self.certificate)
                await self._serve(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

        await asyncio.wait(handlers, timeout=2)

    @property
    def address(self):
        return f"https://localhost:{self.port}"


def trusting():
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


async def send_to(server, times=1, then=None):
    """Send some messages one after the other; returns their outcomes and what was raised last."""
    outcomes = []
    async with (
        server.running(),
        client_of(server.address, lanes=1, trust=trusting()) as (client, transport),
    ):
        for number in range(1, times + 1):
            outcomes.append(await client.send(MESSAGE, tag=f"r.{number}.1"))
            if then is not None:
                await then(server, transport)

    return outcomes, transport.raised


@pytest.mark.parametrize("certificate", DISTRUSTED.values(), ids=DISTRUSTED)
def test_a_certificate_that_cannot_be_trusted_gets_no_message(certificate):
    server = TlsServer(certificate)

    (outcome,), raised = anyio.run(send_to, server)

    assert isinstance(outcome, NotSent)
    assert isinstance(raised, httpx.ConnectError)
    assert server.received == []


def test_a_certificate_that_expires_in_the_middle_of_a_run_ends_it_with_the_next_connection():
    """A connection that stands stays trusted; what needs a new one is not sent."""
    server = TlsServer(GOOD)

    async def expire(server, transport):
        server.certificate = EXPIRED
        if len(server.received) == 2:
            await forget_everything(transport)

    outcomes, raised = anyio.run(send_to, server, 3, expire)

    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted, NotSent]
    assert isinstance(raised, httpx.ConnectError)
    assert (server.received, server.connections) == (["POST", "POST"], 1)


CUT = says(wire(ACCEPTED)[:-5], then=closes)


@pytest.mark.parametrize("fault", [closes, resets, CUT], ids=["closed", "reset", "cut"])
def test_an_answer_lost_in_tls_leaves_doubt(fault):
    server = TlsServer(GOOD, fault)

    (outcome,), _ = anyio.run(send_to, server)

    assert isinstance(outcome, InDoubt)
    assert server.received == ["POST"]


# --- Names ---------------------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch):
    """What the name service does before it answers: the last of a list of functions."""
    look_up, how = socket.getaddrinfo, []

    def answering(host, port, *rest, **more):
        if how and host == "messaging.example.com":
            how[-1]()

        return look_up(
            "127.0.0.1" if host == "messaging.example.com" else host, port, *rest, **more
        )

    monkeypatch.setattr(socket, "getaddrinfo", answering)
    return how


def fails():
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


async def send_by_name(server, times, then):
    outcomes = []
    async with server.running():
        address = f"http://messaging.example.com:{server.port}"
        async with client_of(address, lanes=1) as (client, transport):
            for number in range(1, times + 1):
                outcomes.append(await client.send(MESSAGE, tag=f"r.{number}.1"))
                await then(transport)

    return outcomes


def test_a_name_service_that_fails_in_the_middle_of_a_run_costs_no_doubt(names):
    """A connection that stands needs no name; where a new one has none, nothing was sent."""
    server = FaultServer(answer())

    async def then(transport):
        if not names:
            names.append(fails)  # the next message goes by the connection that stands
        else:
            await forget_everything(transport)

    outcomes = anyio.run(send_by_name, server, 3, then)

    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted, NotSent]
    assert server.received == ["POST", "POST"]


def test_a_name_service_that_comes_back_is_believed_at_once(names):
    names.append(fails)
    server = FaultServer(answer())

    async def then(_):
        names.clear()

    outcomes = anyio.run(send_by_name, server, 2, then)

    assert [type(outcome) for outcome in outcomes] == [NotSent, Accepted]
    assert server.received == ["POST"]


def test_a_name_service_that_does_not_answer_in_time_means_not_sent(names):
    names.append(lambda: time.sleep(0.5))
    server = FaultServer(answer())

    async def then(_):
        """Nothing."""

    (outcome,) = anyio.run(send_by_name, server, 1, then)

    assert isinstance(outcome, NotSent)
    assert server.received == []


async def forget_everything(transport):
    """Close what stands, and forget the names: as after an idle time longer than both last."""
    await transport.inner.aclose()
    transport.inner._session = None
