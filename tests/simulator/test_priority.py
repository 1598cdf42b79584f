"""Priority and expiration, as a customer sees them: over sockets, time let pass by hand."""

import pytest

from pipeline.simulator.behaviour import Behaviour

from . import caller
from .stage import Stage

FIRST, SECOND, THIRD = (caller.number(index) for index in range(3))


def test_high_priority_leaves_before_what_waits():
    with Stage(rate=1.0) as stage:
        stage.send(FIRST)
        stage.send(SECOND)
        stage.send(THIRD, priority="high")
        assert [item["messageStatus"] for item in stage.listed(sourceTn=caller.SENDER)] == [
            "DELIVERED",
            "QUEUED",
            "QUEUED",
        ]
        stage.pass_time(10)
        assert [(to, at) for _, to, _, at in stage.told] == [
            (FIRST, 0.0),
            (THIRD, 1.0),
            (SECOND, 2.0),
        ]


def test_high_priority_is_refused_where_the_queue_is_full():
    with Stage(rate=1.0, queue_seconds=1) as stage:
        stage.send(FIRST)
        body = caller.message(to=[SECOND], priority="high")
        assert stage.ask("POST", caller.MESSAGES, json=body).status_code == 429


@pytest.mark.parametrize("priority", ["default", "high"])
def test_what_expires_in_the_queue_fails_with_4360_and_is_not_received(priority):
    with Stage(rate=0.1) as stage:
        stage.send(FIRST)
        stage.send(SECOND, expiration="2026-11-25T12:00:05Z", priority=priority)
        stage.pass_time(4.9)
        assert stage.listed(destinationTn=SECOND)[0]["messageStatus"] == "QUEUED"
        assert stage.ledger()["handsets"] == 2
        stage.pass_time(10)
        assert stage.told == [
            ("message-delivered", FIRST, None, 0.0),
            ("message-failed", SECOND, 4360, 5.0),
        ]
        (item,) = stage.listed(destinationTn=SECOND)
        ledger = stage.ledger(to=SECOND)

    assert (item["messageStatus"], item["errorCode"]) == ("FAILED", 4360)
    assert (ledger["messages"], ledger["handsets"], ledger["received"]) == (2, 1, [])
    assert ledger["missed"] == {"4360": 1}


def test_a_text_that_expired_may_be_sent_again_and_is_no_duplicate():
    with Stage(rate=0.1) as stage:
        stage.send(FIRST)
        stage.send(SECOND, expiration="2026-11-25T12:00:05Z")
        stage.pass_time(60)
        stage.send(SECOND)
        stage.send(FIRST)
        ledger = stage.ledger()

    assert [each["to"] for each in ledger["duplicate_handsets"]] == [FIRST]


def test_the_listing_tells_who_waits_and_how_long_each_part_took():
    with Stage(
        Behaviour(delivery_ms=0, slow_delivery=1.0, slow_delivery_ms=9_000), rate=0.2
    ) as stage:
        for to in (FIRST, SECOND, THIRD):
            stage.send(to)

        stage.pass_time(6)
        assert [item["destinationTn"] for item in stage.listed(bwQueued="true")] == [THIRD]
        assert len(stage.listed(carrierQueued="true")) == 2
        stage.pass_time(60)
        assert [item["bwLatency"] for item in stage.listed(fromBwLatency="5")] == [5, 10]
        assert [item["carrierLatency"] for item in stage.listed(fromCarrierLatency="9")] == [9] * 3
