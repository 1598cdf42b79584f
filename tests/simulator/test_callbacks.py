import base64
import json
import time
from collections import Counter

import httpx
import pytest

from pipeline.bandwidth.wire import sort_callbacks
from pipeline.model import ReceiptKind
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.server import EmbeddedSimulator

from . import caller
from .caller import ACCOUNT, BASIC, SENDER, message
from .stage import Receiver


def run(behaviour, receiver, *, texts=1, seed=1, auth=None, **changes):
    """Send texts to a simulator that calls the receiver back; wait until nothing is pending."""
    app = make_app(behaviour, seed=seed, callback_url=receiver.url, callback_auth=auth)
    with EmbeddedSimulator(app) as simulator, httpx.Client(auth=BASIC, trust_env=False) as client:
        url = f"{simulator.url}/users/{ACCOUNT}/messages"
        for index in range(texts):
            body = message(to=[caller.number(index)], tag=f"r.{index}.1") | changes
            assert client.post(url, json=body).status_code == 202

        return settled(client, simulator)


def settled(client, simulator):
    deadline = time.monotonic() + 10
    while (report := client.get(simulator.ledger_url).json())["callbacks"]["pending"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    return report["callbacks"]


def test_a_delivered_text_is_called_back_as_documented():
    with Receiver() as receiver:
        run(Behaviour(delivery_ms=5), receiver, auth=("hook", "word"))
        ((headers, body),) = receiver.posts

    assert headers["user-agent"] == "BandwidthAPI/v2"
    assert headers["content-type"].startswith("application/json")
    assert base64.b64decode(headers["authorization"].split()[1]) == b"hook:word"
    (event,) = json.loads(body)
    assert event.pop("time") >= event["message"].pop("time")
    assert event["message"].pop("id")
    assert event == {
        "type": "message-delivered",
        "to": caller.number(0),
        "description": "Message delivered to handset.",
        "message": {
            "owner": SENDER,
            "applicationId": caller.APPLICATION,
            "segmentCount": 1,
            "direction": "out",
            "to": [caller.number(0)],
            "from": SENDER,
            "text": "",
            "tag": "r.0.1",
        },
    }


def test_a_failed_text_is_called_back_with_its_code():
    with Receiver() as receiver:
        run(Behaviour(failed=1.0, failed_code=4770, delivery_ms=5), receiver)
        ((_, body),) = receiver.posts

    ((receipt, _),) = sort_callbacks(body)[0]
    assert (receipt.kind, receipt.error_code, receipt.tag) == (ReceiptKind.FAILED, 4770, "r.0.1")


def test_a_group_is_called_back_for_each_recipient():
    to = [caller.number(1), caller.number(2)]
    with Receiver() as receiver:
        run(Behaviour(delivery_ms=5), receiver, to=to)

    assert sorted(event["to"] for event in receiver.events) == to
    assert len({event["message"]["id"] for event in receiver.events}) == 1


@pytest.mark.parametrize(
    ("behaviour", "counts"),
    [
        pytest.param(Behaviour(), {1: 40}, id="once"),
        pytest.param(Behaviour(duplicate=1.0), {2: 40}, id="twice"),
        pytest.param(Behaviour(unreceipted=1.0), {}, id="never"),
        pytest.param(Behaviour(sent=1.0), {2: 40}, id="sent and delivered"),
        pytest.param(Behaviour(batch=10, delivery_ms=200), {1: 40}, id="several in one array"),
    ],
)
def test_callbacks_come_as_often_as_configured(behaviour, counts):
    with Receiver() as receiver:
        run(behaviour, receiver, texts=40)

    times = Counter(event["message"]["tag"] for event in receiver.events)
    assert Counter(times.values()) == counts


def test_shares_of_callbacks_are_lost_and_doubled_alike_by_seed():
    behaviour = Behaviour(duplicate=0.3, unreceipted=0.3, delivery_ms=5)
    first, again, other = (tags(behaviour, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert set(first.values()) == {1, 2}
    assert len(first) < 40


def tags(behaviour, seed):
    with Receiver() as receiver:
        run(behaviour, receiver, texts=40, seed=seed)

    return Counter(event["message"]["tag"] for event in receiver.events)


def test_reordered_callbacks_are_overtaken():
    with Receiver() as receiver:
        run(Behaviour(sent=1.0, reorder=0.5, delivery_ms=30), receiver, texts=40)

    kinds = {}
    for event in receiver.events:
        kinds.setdefault(event["message"]["tag"], []).append(event["type"])

    orders = Counter(map(tuple, kinds.values()))
    assert orders["message-sent", "message-delivered"]
    assert orders["message-delivered", "message-sent"]


def test_late_callbacks_tell_the_time_of_the_event():
    with Receiver() as receiver:
        began = time.monotonic()
        run(Behaviour(late=1.0, late_ms=300, delivery_ms=0), receiver)
        assert time.monotonic() - began >= 0.3

    (event,) = receiver.events
    assert event["time"] == event["message"]["time"]


def test_a_callback_may_come_before_the_answer_to_the_post():
    with Receiver() as receiver:
        app = make_app(Behaviour(latency_ms=200, delivery_ms=0), callback_url=receiver.url)
        with EmbeddedSimulator(app) as simulator:
            url = f"{simulator.url}/users/{ACCOUNT}/messages"
            httpx.post(url, json=message(), auth=BASIC, trust_env=False)
            assert [event["message"]["tag"] for event in receiver.events] == ["r1.1.1"]


def test_message_sending_is_for_mms_only_and_both_are_opt_in():
    picture = ["https://example.com/a.png"]
    with Receiver() as receiver:
        run(Behaviour(sending=1.0, sent=1.0, delivery_ms=100), receiver, media=picture)
        mms = [(event["type"], event["description"]) for event in receiver.events]

    assert sorted(mms) == [
        ("message-delivered", "Message delivered to handset."),
        ("message-sending", "Message is sending to carrier"),
        ("message-sent", "Message sent to carrier"),
    ]
    assert types_of(Behaviour(sending=1.0)) == {"message-delivered"}
    assert types_of(Behaviour(), media=picture) == {"message-delivered"}


def types_of(behaviour, **changes):
    with Receiver() as receiver:
        run(behaviour, receiver, **changes)

    return {event["type"] for event in receiver.events}
