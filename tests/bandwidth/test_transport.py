"""The fault matrix: a real server reads the whole POST and misbehaves; nothing is called unsent
that was sent, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import gzip
import traceback
from dataclasses import replace

import anyio
import httpx
import pytest

from pipeline.bandwidth.transport import KEEPALIVE_SECONDS, AiohttpTransport
from pipeline.model import Accepted, Halted, InDoubt, NotSent, Rejected
from tests.bandwidth.faults import (
    ACCEPTED,
    OWN_ERROR,
    FaultServer,
    answer,
    closed_port,
    closes,
    drips,
    half_reads,
    is_silent,
    repeats,
    resets,
    says,
    serving,
    unanswered_port,
    waits,
    wire,
)
from tests.bandwidth.sending import MESSAGE, SECRET, client_of, send_to

HEAD = b"HTTP/1.1 202 Accepted\r\n"
CUT_BODY = HEAD + b"Content-Length: 90\r\n\r\n" + ACCEPTED
CUT_CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + ACCEPTED[:5]
ENDLESS = HEAD + b"Content-Length: 90000\r\n\r\n"

AFTER_THE_POST = {
    "close": (closes, httpx.RemoteProtocolError),
    "reset": (resets, httpx.ReadError),
    "no answer": (is_silent, httpx.ReadTimeout),
    "headers cut, close": (says(HEAD + b"Content-Le", then=closes), httpx.RemoteProtocolError),
    "headers cut, silent": (says(HEAD + b"Content-Le", then=is_silent), httpx.ReadTimeout),
    "headers drip": (drips(HEAD + b"X-Slow: "), httpx.ReadTimeout),
    "body cut, close": (says(CUT_BODY, then=closes), httpx.RemoteProtocolError),
    "body cut, silent": (says(CUT_BODY, then=is_silent), httpx.ReadTimeout),
    "body drips": (drips(ENDLESS), httpx.ReadTimeout),
    "chunks cut, close": (says(CUT_CHUNKS, then=closes), httpx.RemoteProtocolError),
    "garbage": (says(b"\x00\xff what?\r\n\r\n", then=closes), httpx.RemoteProtocolError),
    "TLS alert": (says(b"\x15\x03\x01\x00\x02\x02\x28", then=closes), httpx.RemoteProtocolError),
    "continue, then close": (
        says(b"HTTP/1.1 100 Continue\r\n\r\n", then=closes),
        httpx.RemoteProtocolError,
    ),
    "202 longer than it says": (
        says(HEAD + b"Content-Length: 20\r\n\r\n" + ACCEPTED, then=closes),
        httpx.RemoteProtocolError,
    ),
    "202 with garbage behind it": (
        says(wire(ACCEPTED) + b"\x00\xff what?\r\n\r\n", then=closes),
        httpx.RemoteProtocolError,
    ),
    "continue, then silent": (
        says(b"HTTP/1.1 100 Continue\r\n\r\n", then=is_silent),
        httpx.ReadTimeout,
    ),
    "continue for ever": (repeats(b"HTTP/1.1 100 Continue\r\n\r\n"), httpx.ReadTimeout),
    "blank lines for ever": (repeats(b"\r\n"), httpx.ReadTimeout),
    "two lengths": (
        says(HEAD + b"Content-Length: 27\r\nContent-Length: 3\r\n\r\n" + ACCEPTED, then=closes),
        httpx.RemoteProtocolError,
    ),
    "a length and chunks": (
        says(HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nxyz", then=closes),
        httpx.RemoteProtocolError,
    ),
    "a negative length": (
        says(HEAD + b"Content-Length: -1\r\n\r\n", then=closes),
        httpx.RemoteProtocolError,
    ),
    "an impossible status": (
        says(b"HTTP/1.1 2020 Accepted\r\n\r\n", then=closes),
        httpx.RemoteProtocolError,
    ),
    "HTTP/2": (
        says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18, then=closes),
        httpx.RemoteProtocolError,
    ),
    "another protocol's greeting": (
        says(b"220 mail.example.com ESMTP\r\n", then=closes),
        httpx.RemoteProtocolError,
    ),
    "endless header": (
        says(HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", then=closes),
        httpx.RemoteProtocolError,
    ),
}


@pytest.mark.parametrize("good", [0, 1], ids=["fresh", "reused"])
@pytest.mark.parametrize(("fault", "error"), AFTER_THE_POST.values(), ids=AFTER_THE_POST)
def test_an_answer_lost_after_the_post_is_in_doubt_and_posted_once(fault, error, good):
    server = FaultServer(fault, good)

    outcome, raised = anyio.run(send_to, server, good)

    assert type(raised) is error
    assert isinstance(outcome, InDoubt)
    assert server.received == ["POST"] * (good + 1)
    assert server.connections == 1


ANSWERS = {
    "unreadable 202": (answer(b"<html>ok</html>"), InDoubt),
    "202 without a body": (answer(b""), InDoubt),
    "202 with a broken coding": (answer(b"no gzip", headers=["Content-Encoding: gzip"]), InDoubt),
    "202 in gzip": (answer(gzip.compress(ACCEPTED), headers=["Content-Encoding: gzip"]), Accepted),
    "202 in chunks": (
        says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n", ACCEPTED[:5], b"\r\n16\r\n",
             ACCEPTED[5:], b"\r\n0\r\n\r\n"),
        Accepted,
    ),
    "202 that ends with the connection": (says(HEAD + b"\r\n" + ACCEPTED, then=closes), Accepted),
    "202 with a cookie": (answer(headers=["Set-Cookie: a=b"]), Accepted),
    "202 after a continue": (
        says(b"HTTP/1.1 100 Continue\r\n\r\n", wire(ACCEPTED)),
        Accepted,
    ),
    "202 after early hints": (
        says(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", wire(ACCEPTED)),
        Accepted,
    ),
    "202 after a while": (waits(0.15, answer()), Accepted),
    "202 byte for byte": (says(*(bytes([byte]) for byte in wire(ACCEPTED))), Accepted),
    "202 that drips": (says(*(bytes([byte]) for byte in wire(ACCEPTED)), pause=0.003), Accepted),
    "202 of HTTP/1.0": (says(b"HTTP/1.0 202 Accepted\r\n\r\n" + ACCEPTED, then=closes), Accepted),
    "202 cut with the connection": (says(HEAD + b"\r\n" + ACCEPTED[:9], then=closes), InDoubt),
    "another protocol": (
        says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", then=closes),
        InDoubt,
    ),
    "a proxy that gave up, in Bandwidth's words": (
        answer(OWN_ERROR, status="502 Bad Gateway"),
        InDoubt,
    ),
    "a proxy that waited too long": (answer(OWN_ERROR, status="504 Timeout"), InDoubt),
    "a proxy without a backend": (answer(b"<html>", status="503 Unavailable"), InDoubt),
    "a proxy that asks for a password": (
        answer(b"", status="407 Proxy Authentication Required"),
        InDoubt,
    ),
    "Bandwidth's own error": (answer(OWN_ERROR, status="503 Unavailable"), NotSent),
    "redirect": (answer(b"", status="307 Elsewhere", headers=["Location: /again"]), InDoubt),
    "redirect to a GET": (answer(b"", status="303 Elsewhere", headers=["Location: /x"]), InDoubt),
    "gateway": (answer(b"<html>", status="502 Bad Gateway"), InDoubt),
    "early 408": (answer(b"", status="408 Timeout", headers=["Connection: close"]), InDoubt),
    "not permitted": (answer(b"", status="403 Forbidden"), Halted),
    "Basic refused": (answer(b"", status="401 Unauthorized"), Halted),
    "too many": (answer(b"", status="429 Slow Down", headers=["Retry-After: 2"]), NotSent),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_judged_and_posted_once(fault, verdict):
    server = FaultServer(fault)

    outcome, raised = anyio.run(send_to, server)

    assert raised is None
    assert isinstance(outcome, verdict)
    assert server.received == ["POST"]


def early(status, *, body=b"", then=closes):
    """Answer as soon as the headers are there, and read nothing more."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await answer(body, status=status, headers=["Connection: close"])(reader, writer)
        await then(reader, writer)
        await asyncio.sleep(0.05)

    return serve


EARLY = {
    "too large": ("413 Content Too Large", b"", {Rejected, InDoubt}),
    "refused by a proxy": ("400 Bad Request", b"", {Rejected, InDoubt}),
    "too many": ("429 Too Many Requests", b"", {NotSent, InDoubt}),
    "Bandwidth's own error": ("503 Unavailable", OWN_ERROR, {NotSent, InDoubt}),
    "a gateway": ("502 Bad Gateway", b"", {InDoubt}),
    "accepted": ("202 Accepted", ACCEPTED, {Accepted, InDoubt}),
}


@pytest.mark.parametrize("end", [closes, resets, half_reads], ids=lambda end: end.__name__)
@pytest.mark.parametrize("text", ["Hi", "x" * 2_048 * 500], ids=["short", "a megabyte"])
@pytest.mark.parametrize(("status", "body", "verdicts"), EARLY.values(), ids=EARLY)
def test_an_answer_before_the_request_was_read_means_what_it_says_or_nothing(
    status, body, verdicts, text, end
):
    """Whether the answer or the end of the connection is seen first is a race of the network."""

    async def send_one():
        message = replace(MESSAGE, text=text)
        async with (
            serving(early(status, body=body, then=end)) as port,
            client_of(f"http://127.0.0.1:{port}") as (client, _),
        ):
            return await client.send(message, tag="r.1.1")

    assert type(anyio.run(send_one)) in verdicts


async def refused():
    async with client_of(f"http://127.0.0.1:{closed_port()}") as (client, transport):
        return await client.send(MESSAGE, tag="r.1.1"), transport.raised


async def connect_timeout():
    async with (
        unanswered_port() as port,
        client_of(f"http://127.0.0.1:{port}") as (client, transport),
    ):
        return await client.send(MESSAGE, tag="r.1.1"), transport.raised


async def unknown_name():
    async with client_of("http://no-such-host.invalid") as (client, transport):
        return await client.send(MESSAGE, tag="r.1.1"), transport.raised


async def against_a_server_that(greets):
    """Speak TLS to a server that never gets a request."""
    async with (
        serving(greets) as port,
        client_of(f"https://127.0.0.1:{port}") as (client, transport),
    ):
        return await client.send(MESSAGE, tag="r.1.1"), transport.raised


async def tls_stalls():
    return await against_a_server_that(is_silent)


async def tls_closes():
    async def greets(reader, writer):
        await reader.read(1)
        await closes(reader, writer)

    return await against_a_server_that(greets)


async def tls_resets():
    async def greets(reader, writer):
        await reader.read(1)
        await resets(reader, writer)

    return await against_a_server_that(greets)


async def tls_is_plain_http():
    async def greets(reader, writer):
        await reader.read(1)
        await says(b"HTTP/1.1 400 Bad Request\r\n\r\n", then=is_silent)(reader, writer)

    return await against_a_server_that(greets)


async def no_free_connection():
    server = FaultServer(is_silent)
    async with (
        server.running(),
        client_of(server.address, lanes=1) as (client, transport),
        anyio.create_task_group() as lanes,
    ):
        lanes.start_soon(lambda: client.send(MESSAGE, tag="r.1.1"))
        await anyio.sleep(0.05)
        limits = httpx.Timeout(1, connect=0.1).as_dict()
        request = httpx.Request(
            "POST", server.address, content=b"second", extensions={"timeout": limits}
        )
        with pytest.raises(httpx.ConnectTimeout) as caught:
            await transport.handle_async_request(request)

    assert server.received == ["POST"]
    return NotSent(reason="no free connection"), caught.value


BEFORE_THE_POST = {
    "refused": (refused, httpx.ConnectError),
    "connect time-out": (connect_timeout, httpx.ConnectTimeout),
    "name look-up": (unknown_name, httpx.ConnectError),
    "TLS handshake stalls": (tls_stalls, httpx.ConnectTimeout),
    "TLS handshake closed": (tls_closes, httpx.ConnectError),
    "TLS handshake reset": (tls_resets, httpx.ConnectError),
    "no TLS there": (tls_is_plain_http, httpx.ConnectError),
    "no free connection": (no_free_connection, httpx.ConnectTimeout),
}


@pytest.mark.parametrize(("attempt", "error"), BEFORE_THE_POST.values(), ids=BEFORE_THE_POST)
def test_a_connection_that_never_was_proves_that_nothing_was_sent(attempt, error):
    outcome, raised = anyio.run(attempt)

    assert type(raised) is error
    assert isinstance(outcome, NotSent)


def test_cancellation_passes_through_after_one_post():
    server = FaultServer(is_silent)

    async def cancel():
        async with server.running(), client_of(server.address) as (client, transport):
            with anyio.move_on_after(0.1) as scope:
                await client.send(MESSAGE, tag="r.1.1")

            return scope.cancelled_caught, transport.raised

    caught, raised = anyio.run(cancel)

    assert caught
    assert isinstance(raised, asyncio.CancelledError)
    assert server.received == ["POST"]


def test_a_connection_that_the_server_closed_while_idle_is_not_reused():
    """The end of a connection that has reached us is seen: the next message takes a fresh one."""
    server = FaultServer(says(b"HTTP/1.1 202 Accepted\r\nContent-Length: 27\r\n\r\n" + ACCEPTED,
                              then=closes))  # fmt: skip

    async def send_twice():
        async with server.running(), client_of(server.address) as (client, _):
            first = await client.send(MESSAGE, tag="r.1.1")
            await anyio.sleep(0.05)
            return first, await client.send(MESSAGE, tag="r.2.1")

    outcomes = anyio.run(send_twice)

    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted]
    assert (server.received, server.connections) == (["POST", "POST"], 2)


def test_idle_connections_end_before_a_usual_server_ends_them():
    assert KEEPALIVE_SECONDS <= 60 / 2


def test_only_the_headers_of_the_request_are_sent():
    heads = []

    async def records(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        await answer()(reader, writer)
        await reader.read()

    async def request_once():
        async with serving(records) as port, AiohttpTransport() as transport:
            headers = [(b"Host", b"example.org"), (b"X-Own", b"1")]
            url = f"http://127.0.0.1:{port}/a%2Fb?to=%2B1919&n=a%2Cb"
            await transport.handle_async_request(httpx.Request("GET", url, headers=headers))

    anyio.run(request_once)

    head = b"GET /a%2Fb?to=%2B1919&n=a%2Cb HTTP/1.1\r\nHost: example.org\r\nX-Own: 1\r\n\r\n"
    assert heads == [head]


@pytest.mark.parametrize(
    "fault", [AFTER_THE_POST["garbage"][0], closes, resets, is_silent], ids=lambda f: f.__name__
)
def test_a_failure_shows_neither_secret_nor_number_nor_text(fault):
    _, raised = anyio.run(send_to, FaultServer(fault))

    shown = "".join(traceback.format_exception(raised))
    while raised is not None:
        shown += repr(raised) + repr(raised.args) + repr(vars(raised))
        raised = raised.__cause__ or raised.__context__

    header = httpx.BasicAuth("user", SECRET)._auth_header
    assert SECRET not in shown
    assert header not in shown
    assert "5550141" not in shown
