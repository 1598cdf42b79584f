"""Events by webhook, over a real socket: durable before the answer, every event of the array."""

import asyncio
import base64
from pathlib import Path

import anyio
import httpx
import pytest
from pydantic import SecretStr

from pipeline.account import BasicCredentials
from pipeline.errors import JournalError
from pipeline.journal import open_journal
from pipeline.model import Inbound, ReceiptKind
from pipeline.settle.callers import Guard
from pipeline.settle.receipts import MOST_BODY_BYTES, Receiver, keep_events
from pipeline.settle.serving import listening
from pipeline.simulator.server import listen
from tests.journal.builders import NOW

WIRE = Path(__file__).resolve().parents[2] / "samples" / "wire"


def wire(name):
    return (WIRE / f"{name}.json").read_bytes()


def one_event(name):
    return wire(name).strip()[1:-1]


class Keeper:
    def __init__(self):
        self.events = []

    async def keep(self, events):
        await anyio.sleep(0.05)
        self.events += events
        return [event for event, _ in events if isinstance(event, Inbound)]


class Broken:
    events = ()

    async def keep(self, events):
        raise JournalError("disk full")


def post(body, keeper=None, *, guard=None, told=None, **request):
    """POST one body; returns the answer, how many events were kept when it came, the receiver."""
    keeper = keeper or Keeper()

    async def story():
        receiver = Receiver(keeper.keep, guard=guard, told=told)
        async with listening(receiver.app, listen()) as url, httpx.AsyncClient() as client:
            answer = await client.post(url, content=body, **request)
            return answer, len(keeper.events), receiver

    return asyncio.run(story())


def status(*arguments, **options):
    return post(*arguments, **options)[0].status_code


def test_a_receipt_is_durable_before_it_is_answered():
    keeper = Keeper()
    answer, kept_at_answer, receiver = post(wire("callback-delivered"), keeper)
    assert (answer.status_code, kept_at_answer) == (204, 1)
    ((receipt, raw),) = keeper.events
    assert receipt.kind is ReceiptKind.DELIVERED
    assert receipt.time.tzinfo is not None
    assert b"message-delivered" in raw
    assert receiver.events == {"message-delivered": 1}


def test_every_event_of_an_array_is_kept():
    keeper = Keeper()
    body = b"[" + one_event("callback-delivered") + b"," + one_event("callback-failed") + b"]"
    assert status(body, keeper) == 204
    kinds = [receipt.kind for receipt, _ in keeper.events]
    assert kinds == [ReceiptKind.DELIVERED, ReceiptKind.FAILED]


@pytest.mark.parametrize(
    "name",
    ["sending", "sent", "delivered", "delivered-mms", "delivered-group", "failed"],
)
def test_each_documented_callback_is_kept_in_an_array_and_alone(name):
    assert post(wire(f"callback-{name}"))[1] == 1
    assert post(one_event(f"callback-{name}"))[1] == 1


@pytest.mark.parametrize("name", ["inbound-sms", "inbound-mms"])
def test_an_inbound_message_is_kept_and_told_when_it_is_new(name):
    told = []
    answer, kept, receiver = post(wire(name), told=told.append)
    assert (answer.status_code, kept, len(told)) == (204, 1, 1)
    assert receiver.events == {"message-received": 1}


def test_any_path_is_taken_because_a_proxy_may_have_one_and_other_verbs_are_refused():
    async def story():
        receiver = Receiver(Keeper().keep)
        async with listening(receiver.app, listen()) as url, httpx.AsyncClient() as client:
            posted = await client.post(f"{url}hooks/bandwidth", content=b"[]")
            got = await client.get(url)
            return posted.status_code, got.status_code

    assert asyncio.run(story()) == (204, 405)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"3",
        b'"message-sent"',
        b"[1, 2]",
        b"{}",
        b'{"type": 3}',
        b'{"type": "message-sent"}',
        b'[{"type": "message-failed", "time": "yesterday", "to": "x", "message": {"id": "y"}}]',
        b"[" * 500_000,
        b'{"type":' * 50_000,
        "[]".encode("utf-16"),
        b"\xef\xbb\xbf[]",
        b'{"type": "message-sent\xff"}',
        b"\x00" * 1_000,
    ],
)
def test_what_is_no_callback_or_cannot_be_read_is_refused(body):
    answer, kept, _ = post(body)
    assert (answer.status_code, kept) == (400, 0)


def test_an_event_that_cannot_be_read_is_refused_after_its_neighbours_are_durable():
    body = b"[" + one_event("callback-delivered") + b', {"type": "message-failed"}]'
    answer, kept, receiver = post(body)
    assert (answer.status_code, kept) == (400, 1)
    assert receiver.events == {"message-delivered": 1, "unreadable": 1}


@pytest.mark.parametrize("body", [b'[{"type": "message-invented"}]', b'{"type": "message-read"}'])
def test_an_event_of_a_kind_nobody_knows_is_answered_so_that_it_does_not_come_back_all_day(body):
    answer, kept, receiver = post(body)
    assert (answer.status_code, kept) == (204, 0)
    assert receiver.events == {"other": 1}


def endless():
    async def chunks():
        for _ in range(40):
            yield b" " * 65_536

    return chunks()


@pytest.mark.parametrize(
    "body", [b"[" + b" " * MOST_BODY_BYTES + b"]", endless], ids=["told length", "chunked"]
)
def test_a_body_that_is_too_large_is_refused(body):
    answer, kept, receiver = post(body() if callable(body) else body)
    assert (answer.status_code, kept) == (413, 0)
    assert receiver.refused == {413: 1}


def test_a_body_of_just_the_limit_is_read():
    assert status(b"[" + b" " * (MOST_BODY_BYTES - 2) + b"]") == 204


def test_a_packed_body_is_refused_and_never_unpacked():
    assert status(b"[]", headers={"content-encoding": "gzip"}) == 415


def test_a_journal_that_fails_is_no_answer_so_that_the_provider_tries_again():
    answer, _, receiver = post(wire("callback-delivered"), Broken())
    assert answer.status_code == 503
    assert receiver.failed.is_set()


def test_an_endless_header_is_refused_and_not_collected():
    async def story():
        receiver = Receiver(Keeper().keep)
        async with listening(receiver.app, listen()) as url:
            where = httpx.URL(url)
            reader, writer = await asyncio.open_connection(where.host, where.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 200_000)
            answer = await reader.readline()
            writer.close()
            return answer

    assert asyncio.run(story()).startswith(b"HTTP/1.1 400")


# --- Who may post --------------------------------------------------------------------------------

GUARD = Guard(BasicCredentials(username="bandwidth", password=SecretStr("pässword:x")))


def basic(text, scheme="Basic"):
    return {"authorization": f"{scheme} {base64.b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_provider_is_let_in(scheme):
    headers = basic("bandwidth:pässword:x", scheme)
    answer, kept, _ = post(wire("callback-delivered"), guard=GUARD, headers=headers)
    assert (answer.status_code, kept) == (204, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("bandwidth:password:x"),
        basic("bandwidth:"),
        basic(":"),
        basic("Bandwidth:pässword:x"),
        basic("bandwidth:pässword:x", "Bearer"),
        {"authorization": "Basic"},
        {"authorization": "Basic \xff\xfe".encode("latin-1")},
        {"authorization": "bandwidth:pässword:x".encode()},
        {"authorization": "Basic " + "A" * 60_000},
    ],
)
def test_anybody_else_is_refused_before_the_body_is_read(headers):
    answer, kept, receiver = post(wire("callback-delivered"), guard=GUARD, headers=headers)
    assert (answer.status_code, kept) == (401, 0)
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert receiver.refused == {401: 1}


# --- In the journal ------------------------------------------------------------------------------


def test_events_of_all_kinds_are_kept_together_and_new_messages_told_once():
    journal, inbound = open_journal("memory:"), wire("inbound-sms")
    events = [*events_of(inbound), *events_of(wire("callback-failed"))]
    assert [message.text for message in keep_events(journal, events, now=NOW)] == [
        "Hey, check out this SMS!"
    ]
    assert keep_events(journal, events, now=NOW) == []


def events_of(body):
    keeper = Keeper()
    post(body, keeper)
    return keeper.events
