"""Every event of a webhook is read, and one that cannot be costs the others nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.bandwidth import wire
from pipeline.model import Inbound, Receipt, ReceiptKind
from tests.bandwidth.samples import ALICE, BOB, MESSAGE_ID, OURS, UNREADABLE, moment, sample

EVENTS = {
    "callback-sending": Receipt(
        kind=ReceiptKind.SENDING,
        message_id=MESSAGE_ID,
        to=ALICE,
        time=moment("2026-06-25T18:42:36.979456"),
        tag="k3f9.17.1",
        description="Message is sending to carrier.",
        segments_billed=1,
    ),
    "callback-sent": Receipt(
        kind=ReceiptKind.SENT,
        message_id=MESSAGE_ID,
        to=ALICE,
        time=moment("2026-07-25T18:42:36.979456"),
        tag="k3f9.17.1",
        description="Message sent to carrier",
        segments_billed=1,
    ),
    "callback-delivered": Receipt(
        kind=ReceiptKind.DELIVERED,
        message_id=MESSAGE_ID,
        to=ALICE,
        time=moment("2026-09-14T18:20:11.160744"),
        tag="k3f9.17.1",
        description="Message delivered to handset.",
        carrier="AT&T",
        segments_billed=1,
    ),
    "callback-delivered-mms": Receipt(
        kind=ReceiptKind.DELIVERED,
        message_id=MESSAGE_ID,
        to=ALICE,
        time=moment("2026-09-14T18:20:24.160544"),
        description="Message delivered to handset.",
        segments_billed=1,
    ),
    "callback-delivered-group": Receipt(
        kind=ReceiptKind.DELIVERED,
        message_id=MESSAGE_ID,
        to=ALICE,
        time=moment("2026-09-14T18:20:17.160544"),
        description="Message delivered to handset.",
        segments_billed=1,
    ),
    "callback-failed": Receipt(
        kind=ReceiptKind.FAILED,
        message_id=MESSAGE_ID,
        to=BOB,
        time=moment("2026-12-18T16:51:27.704450"),
        error_code=4432,
        description="forbidden to country",
        segments_billed=1,
    ),
    "inbound-sms": Inbound(
        message_id=MESSAGE_ID,
        to=OURS,
        sender=ALICE,
        text="Hey, check out this SMS!",
        time=moment("2026-01-06T15:43:35.502180"),
    ),
    "inbound-mms": Inbound(
        message_id=MESSAGE_ID,
        to=OURS,
        sender=ALICE,
        text="Hey, check out the MMS!",
        time=moment("2026-09-14T18:20:45.160744"),
        media=(
            f"https://messaging.bandwidth.com/api/v2/users/9900902/media/{MESSAGE_ID}/0/bw.png",
        ),
    ),
}


@pytest.mark.parametrize(("name", "event"), EVENTS.items(), ids=EVENTS)
def test_the_documented_callback_is_read(name, event):
    [(read, raw)] = wire.sort_callbacks(sample(name))[0]

    assert read == event
    assert json.loads(raw) == json.loads(sample(name))[0]


def test_a_single_event_outside_of_an_array_is_read_too():
    event = json.dumps(json.loads(sample("callback-failed"))[0]).encode()

    assert wire.sort_callbacks(b"\n" + event + b" ")[0] == [(EVENTS["callback-failed"], event)]


def test_every_event_of_an_array_is_read_and_keeps_its_own_raw_json():
    names = list(EVENTS)
    body = json.dumps([json.loads(sample(name))[0] for name in names]).encode()

    read = wire.sort_callbacks(body)[0]

    assert [event for event, _ in read] == [EVENTS[name] for name in names]
    assert [json.loads(raw) for _, raw in read] == json.loads(body)


STRANGE = {
    "other-type": b'{"type": "message-read", "time": "2026-01-01T00:00:00Z"}',
    "invented": b'{"type": ""}',
}
UNREADABLE_EVENTS = {
    "without-message": b'{"type": "message-failed"}',
    "outside-the-calendar": b'{"type": "message-sent", "time": "0001-01-01T00:00:00+02:00", '
    b'"to": "+19195550141", "message": {"id": "x"}}',
    "error-code-too-large": b'{"type": "message-failed", "time": "2026-01-01T00:00:00Z", '
    b'"to": "+19195550141", "errorCode": 99999999999999999999, "message": {"id": "x"}}',
    "segments-below-none": b'{"type": "message-sent", "time": "2026-01-01T00:00:00Z", '
    b'"to": "+19195550141", "message": {"id": "x", "segmentCount": -1}}',
    "not-utf8": b'{"type": "message-sent", "to": "\xff"}',
    "type-is-no-word": b'{"type": 7}',
    "no-object": b'"message-sent"',
    "null": b"null",
}


@pytest.mark.parametrize("event", STRANGE.values(), ids=STRANGE)
def test_an_event_of_a_type_we_do_not_know_is_set_aside_and_costs_its_neighbours_nothing(event):
    neighbour = sample("callback-sent").strip()[1:-1]

    known, strange, unreadable = wire.sort_callbacks(b"[" + neighbour + b"," + event + b"]")

    assert [event for event, _ in known] == [EVENTS["callback-sent"]]
    assert (strange, unreadable) == ([event], [])


@pytest.mark.parametrize("event", UNREADABLE_EVENTS.values(), ids=UNREADABLE_EVENTS)
def test_an_event_that_cannot_be_read_is_set_aside_and_costs_its_neighbours_nothing(event):
    neighbour = sample("callback-sent").strip()[1:-1]

    known, strange, unreadable = wire.sort_callbacks(b"[" + event + b"," + neighbour + b"]")

    assert [event for event, _ in known] == [EVENTS["callback-sent"]]
    assert (strange, unreadable) == ([], [event])


def test_an_array_without_events_is_a_webhook():
    assert wire.sort_callbacks(b"[]") == ([], [], [])


def test_a_message_to_us_without_an_id_is_unreadable_and_not_taken_for_another_one():
    """Kept under the empty id, a second one would be answered with a 2xx and lost."""
    event = {
        "time": "2026-11-21T09:00:00Z",
        "type": "message-received",
        "to": "+19195550100",
        "description": "x",
        "message": {"id": "", "from": "+19195550123", "text": "STOP"},
    }
    body = json.dumps(event).encode()

    assert wire.sort_callbacks(body) == wire.Sorted([], [], [body])


def test_an_array_of_far_too_many_events_is_unreadable():
    assert len(wire.sort_callbacks(b"[" + b"0," * 9_999 + b"0]").unreadable) == 10_000
    with pytest.raises(wire.Unreadable):
        wire.sort_callbacks(b"[" + b"0," * 10_000 + b"0]")


@pytest.mark.parametrize("body", [body for body in UNREADABLE if body.id != "not-utf8"])
def test_what_is_no_webhook_is_unreadable(body):
    with pytest.raises(wire.Unreadable):
        wire.sort_callbacks(body)


def test_callbacks_are_written_as_the_array_that_is_read():
    callback = wire.Callback(
        time=datetime(2026, 1, 1, tzinfo=UTC),
        type="message-delivered",
        to=ALICE,
        description="ok",
        message=wire.CallbackMessage(id="x", text="", tag="run.1.1"),
    )

    [(receipt, _)] = wire.sort_callbacks(wire.encode([callback]))[0]

    assert (receipt.tag, receipt.to, receipt.description) == ("run.1.1", ALICE, "ok")
