"""The client over two carriers: an ASGI application in process, and a real server on a port."""

from __future__ import annotations

import dataclasses
import json
import logging
from datetime import UTC, datetime, timedelta, timezone

import anyio
import httpx
import pytest

from pipeline.account import Account
from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.errors import CredentialsError
from pipeline.model import Accepted, Channel, Delivery, Halted, InDoubt, NotSent, Rejected
from tests.bandwidth.faults import FaultServer, answer
from tests.bandwidth.provider import (
    BASIC,
    MESSAGE,
    OAUTH,
    SECRET,
    Provider,
    account_at,
    in_process,
    list_alice,
    send,
    talk,
)
from tests.bandwidth.samples import ALICE, MESSAGE_ID, sample


def test_a_message_is_posted_as_documented_and_accepted(carrier):
    provider = Provider()

    outcome = talk(carrier, provider, send)

    assert outcome == Accepted(message_id=MESSAGE_ID, segments_billed=1, http_status=202)
    [(headers, body)] = provider.posts
    assert json.loads(body) == json.loads(sample("create-sms.request"))
    assert headers.pop("host").startswith("127.0.0.1")
    assert headers == {
        "accept": "application/json",
        "user-agent": "bandcast",
        "content-type": "application/json; charset=utf-8",
        "authorization": "Bearer token-1",
        "content-length": str(len(body)),
    }


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, sample("error-400"), Rejected),
        (403, sample("error-403"), Halted),
        (404, sample("error-404"), Halted),
        (415, sample("error-415"), Rejected),
        (429, sample("error-429-queue"), NotSent),
        (500, b'{"type": "internal-error", "description": "x"}', NotSent),
        (500, b"", InDoubt),
        (502, b"<html>", InDoubt),
        (202, b"", InDoubt),
    ],
)
def test_an_answer_becomes_an_outcome_and_is_not_followed_by_another_post(status, body, verdict):
    provider = Provider()
    provider.answers = [(status, body, {})]

    assert isinstance(talk(in_process, provider, send), verdict)
    assert len(provider.posts) == 1


def test_a_token_that_expired_early_is_renewed_and_the_message_waits_for_a_new_slot(carrier):
    """A second POST in the slot of the first would come on top of the rate."""
    provider = Provider()

    async def revoke_between(client):
        await send(client)
        provider.revoked = True
        return await send(client), await send(client)

    refused, sent = talk(carrier, provider, revoke_between)
    assert refused == NotSent(reason="access token renewed", http_status=401)
    assert isinstance(sent, Accepted)
    tokens = [headers["authorization"] for headers, _ in provider.posts]
    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def send_twice(client):
    return await send(client), await send(client)


def test_a_401_to_the_renewed_token_halts(carrier):
    provider = Provider()
    provider.answers = [(401, b"", {})] * 3

    first, second = talk(carrier, provider, send_twice)
    assert isinstance(first, NotSent)
    assert second == Halted(reason="401 credentials refused", http_status=401)
    assert (len(provider.posts), provider.tokens) == (2, 2)


def test_a_401_long_after_a_renewed_token_was_good_renews_again(carrier):
    provider = Provider()
    provider.answers = [(401, b"", {}), (400, sample("error-400"), {}), (401, b"", {})]

    async def send_thrice(client):
        return [await send(client) for _ in range(3)]

    outcomes = talk(carrier, provider, send_thrice)
    assert [type(outcome) for outcome in outcomes] == [NotSent, Rejected, NotSent]


def test_a_401_to_basic_credentials_halts_at_once():
    provider = Provider()
    provider.answers = [(401, b"", {})]

    assert isinstance(talk(in_process, provider, send, BASIC), Halted)
    assert len(provider.posts) == 1


def test_what_follows_a_renewed_token_is_judged_like_any_answer():
    provider = Provider()
    provider.answers = [(401, b"", {}), (202, b"unreadable", {})]

    _, outcome = talk(in_process, provider, send_twice)
    assert isinstance(outcome, InDoubt)
    assert len(provider.posts) == 2


def over_the_wire(token_fault, send_to="http://127.0.0.1:1"):
    """Send once with a token endpoint that misbehaves."""

    async def run():
        server = FaultServer(token_fault)
        async with server.running(), AiohttpTransport(timeout=httpx.Timeout(0.2)) as transport:
            account = Account(
                account_id="1",
                application_id="a",
                credentials=OAUTH,
                messaging_url=send_to,
                token_url=server.address,
            )
            client = BandwidthClient(account, transport, auth_for(account, transport))
            return await client.send(MESSAGE, tag="r.1.1")

    return anyio.run(run)


def test_without_a_token_nothing_is_sent():
    outcome = over_the_wire(answer(b"", status="503 Busy"))

    assert outcome == NotSent(reason="no access token: the token endpoint answers with HTTP 503")


def test_refused_credentials_are_raised_since_no_message_can_be_sent():
    with pytest.raises(CredentialsError):
        over_the_wire(answer(b"", status="401 Unauthorized"))


class Broken(httpx.AsyncByteStream):
    """The body of an answer whose transport is wrong about the phase."""

    async def __aiter__(self):
        yield b'{"id":'
        raise httpx.ConnectError("a lie")


@pytest.mark.parametrize("status", [202, 400, 429, 500])
def test_a_body_that_breaks_is_in_doubt_whatever_the_transport_calls_it(status):
    async def run():
        transport = httpx.MockTransport(lambda _: httpx.Response(status, stream=Broken()))
        account = account_at("http://127.0.0.1", BASIC)
        client = BandwidthClient(account, transport, auth_for(account, transport))
        return await send(client)

    outcome = anyio.run(run)

    assert outcome == InDoubt(reason="answer cut or garbled", http_status=status)


def test_a_defect_below_the_client_is_in_doubt():
    def defect(_):
        raise ZeroDivisionError

    async def run():
        transport = httpx.MockTransport(defect)
        account = account_at("http://127.0.0.1", BASIC)
        return await send(BandwidthClient(account, transport, auth_for(account, transport)))

    assert anyio.run(run) == InDoubt(reason="unexpected ZeroDivisionError")


def test_leaving_the_client_closes_its_transport():
    class Closing(httpx.AsyncBaseTransport):
        closed = False

        async def aclose(self):
            self.closed = True

    transport = Closing()

    async def run():
        account = account_at("http://127.0.0.1", BASIC)
        async with BandwidthClient(account, transport, auth_for(account, transport)):
            assert not transport.closed

    anyio.run(run)

    assert transport.closed


# --- priority and expiration ----------------------------------------------------------------------


def posted(message, delivery):
    """The body of the POST."""
    provider = Provider()

    async def run():
        async with in_process(provider.app) as (address, transport):
            account = account_at(address)
            auth = auth_for(account, transport)
            client = BandwidthClient(account, transport, auth, delivery=delivery)
            await client.send(message, tag="r.1.1")

    anyio.run(run)
    [(_, body)] = provider.posts
    return json.loads(body)


@pytest.mark.parametrize(
    ("sender", "channel", "priority"),
    [
        pytest.param("+19195550123", Channel.SMS, "high", id="10DLC SMS"),
        pytest.param("+18005550123", Channel.SMS, "high", id="toll-free SMS"),
        pytest.param("72345", Channel.SMS, "high", id="short code SMS"),
        pytest.param("72345", Channel.MMS, "high", id="short code MMS"),
        pytest.param("+19195550123", Channel.MMS, None, id="10DLC MMS"),
        pytest.param("+18005550123", Channel.MMS, None, id="toll-free MMS"),
        pytest.param("ACME", Channel.SMS, None, id="alphanumeric"),
        pytest.param("+4930901820", Channel.SMS, None, id="a number elsewhere"),
    ],
)
def test_high_priority_is_asked_for_where_the_sender_may_have_it(sender, channel, priority):
    message = dataclasses.replace(MESSAGE, sender=sender, channel=channel)

    assert posted(message, Delivery(is_urgent=True)).get("priority") == priority
    assert "priority" not in posted(message, Delivery())


def test_minutes_to_live_are_counted_from_the_post():
    before = datetime.now(UTC)
    body = posted(MESSAGE, Delivery(expires_after=timedelta(minutes=30)))
    after = datetime.now(UTC)

    expires = datetime.fromisoformat(body["expiration"]) - timedelta(minutes=30)
    assert before - timedelta(milliseconds=1) <= expires <= after
    assert body["expiration"].endswith("Z")


def test_a_moment_is_the_same_for_every_message():
    moment = datetime(2026, 12, 1, 18, tzinfo=timezone(timedelta(hours=1)))

    body = posted(MESSAGE, Delivery(expires_after=moment))
    assert body["expiration"] == "2026-12-01T17:00:00.000Z"
    assert "expiration" not in posted(MESSAGE, Delivery())


# --- secrets --------------------------------------------------------------------------------------


def test_nothing_personal_or_secret_is_logged_or_printed(carrier, caplog, capfd):
    provider = Provider()
    provider.answers = [(401, sample("error-401"), {}), (400, sample("error-400"), {})]

    async def talking(client):
        with caplog.at_level(logging.DEBUG):
            await send_twice(client)
            await list_alice(client)
            return f"{client!r} {vars(client)!r}"

    shown = talk(carrier, provider, talking)

    logged = [record for record in caplog.records if not record.name.startswith("uvicorn")]
    heard = "".join([*(record.getMessage() for record in logged), *capfd.readouterr(), shown])
    for private in (SECRET, "token-1", "token-2", ALICE, "5550141", MESSAGE.text):
        assert private not in heard
