"""The wire is pinned to the documented payloads of samples/wire, in both directions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.bandwidth import wire
from pipeline.model import Channel, Message
from tests.bandwidth.samples import (
    ALICE,
    APPLICATION,
    CREATED,
    MESSAGE_ID,
    OURS,
    PICTURE,
    UNREADABLE,
    moment,
    sample,
)

each_creation = pytest.mark.parametrize(
    ("name", "to", "media"), [(name, *case) for name, case in CREATED.items()], ids=CREATED
)

# --- POST -----------------------------------------------------------------------------------------


@each_creation
def test_a_message_becomes_the_documented_request(name, to, media):
    message = Message(
        row=1,
        key="k",
        to=to,
        sender=OURS,
        text="Hey, check this out!",
        channel=Channel.MMS if media or len(to) > 1 else Channel.SMS,
        segments=1,
        media=media,
    )

    written = wire.encode_message(message, application_id=APPLICATION, tag="test message")

    assert json.loads(written) == json.loads(sample(f"create-{name}.request"))


@each_creation
def test_the_documented_request_is_read(name, to, media):
    request = wire.decode_request(sample(f"create-{name}.request"))

    assert request.recipients == list(to)
    assert (request.sender, request.application_id) == (OURS, APPLICATION)
    assert (request.text, request.tag) == ("Hey, check this out!", "test message")
    assert (request.media or []) == list(media)


def test_an_mms_without_text_has_no_text_field():
    message = Message(
        row=1, key="k", to=(ALICE,), sender=OURS, text="", segments=1, media=(PICTURE,)
    )

    written = json.loads(wire.encode_message(message, application_id="a", tag="r.1.1"))

    assert "text" not in written


def test_a_bare_number_is_one_recipient_and_unknown_fields_are_ignored():
    request = wire.decode_request(b'{"to": "+19195550141", "colour": {"deep": [1]}}')

    assert request.recipients == [ALICE]


def test_an_empty_request_is_readable_so_that_its_receiver_can_name_what_is_missing():
    assert wire.decode_request(b"{}") == wire.MessageRequest()


@each_creation
def test_the_documented_202_is_read(name, to, media):
    accepted = wire.decode_accepted(sample(f"create-{name}.response"))

    assert (accepted.id, accepted.segment_count, accepted.direction) == (MESSAGE_ID, 1, "out")
    assert (accepted.to, accepted.media or []) == (list(to), list(media))
    assert accepted.time == datetime(2016, 9, 14, 18, 20, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        pytest.param(b'{"id": "x"}', None, id="only-id"),
        pytest.param(b'{"id": "x", "segmentCount": "2"}', 2, id="number-in-quotes"),
        pytest.param(b'{"id": "x", "segmentCount": null}', None, id="null"),
        pytest.param(b'{"id": "x", "segmentCount": {}, "to": 7}', None, id="wrong-types"),
        pytest.param(b'{"id": "x", "time": "yesterday"}', None, id="wrong-time"),
        pytest.param(b' {"new": [[]], "id": "x"} ', None, id="unknown-field"),
    ],
)
def test_a_202_is_worth_its_id_whatever_else_it_says(body, segments):
    accepted = wire.decode_accepted(body)

    assert (accepted.id, accepted.segment_count) == ("x", segments)


@pytest.mark.parametrize("body", [*UNREADABLE, b"{}", b'{"id": ""}', b'{"id": 7}', b'["id"]'])
def test_a_202_without_an_id_is_unreadable(body):
    with pytest.raises(wire.Unreadable):
        wire.decode_accepted(body)


# --- Errors ---------------------------------------------------------------------------------------


def test_a_validation_error_names_its_fields():
    error = wire.decode_error(sample("error-400"))

    assert error.type == "request-validation"
    assert [field.field_name for field in error.field_errors] == ["from", "text", "to"]


@pytest.mark.parametrize("name", ["error-401", "error-403", "error-415", "error-429-queue"])
def test_bandwidths_own_refusal_is_recognised(name):
    error = wire.decode_error(sample(name))

    assert (error.type, error.description) == tuple(json.loads(sample(name)).values())


@pytest.mark.parametrize(
    "body",
    [
        *UNREADABLE,
        sample("error-404"),
        b'{"type": "x"}',
        b'{"description": "x"}',
        b'{"type": "", "description": "x"}',
        b'{"type": 1, "description": "x"}',
        b'[{"type": "x", "description": "y"}]',
        b'{"message": "Internal server error"}',
    ],
)
def test_what_a_gateway_writes_is_not_taken_for_bandwidths_refusal(body):
    assert wire.decode_error(body) is None


# --- Listing --------------------------------------------------------------------------------------


def test_the_documented_listing_is_read():
    page = wire.decode_page(sample("listing"))

    assert (page.total_count, page.page_info.next_page_token) == (2, "GL83PD3C")
    first, second = page.messages
    assert (first.source_tn, first.destination_tn, first.message_length) == (OURS, ALICE, 18)
    assert first.called_number_country_a3 == "USA"
    assert (second.error_code, second.carrier_name) == (9902, None)
    assert second.receive_time == datetime(2026, 4, 7, 14, 3, 8, 512_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b'{"totalCount": 0, "pageInfo": {}, "messages": []}',
        b'[{"totalCount": 0, "pageInfo": {}, "messages": []}]',
        b'{"messages": []}',
    ],
    ids=["object", "wrapped-in-an-array", "bare"],
)
def test_an_empty_page_is_a_page(body):
    page = wire.decode_page(body)

    assert page == wire.MessagesPage(messages=[])
    assert json.loads(wire.encode(page)) == {"totalCount": 0, "pageInfo": {}, "messages": []}


def test_fields_that_are_null_in_a_listing_are_none():
    body = b'{"messages": [{"messageId": "x", "carrierName": null, "recipientCount": null}]}'

    assert wire.decode_page(body).messages == [wire.ListItem(message_id="x")]


@pytest.mark.parametrize("body", [*UNREADABLE, b"[]", b"{}", b'{"messages": [{}]}'])
def test_what_is_no_page_is_unreadable(body):
    with pytest.raises(wire.Unreadable):
        wire.decode_page(body)


# --- Times, tokens, garbage -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-04-07T14:03:07Z", "2026-04-07T14:03:07"),
        ("2026-04-07T14:03:07.5Z", "2026-04-07T14:03:07.500"),
        ("2026-04-07T14:03:07.123456789Z", "2026-04-07T14:03:07.123457"),
        ("2026-04-07T14:03:07+00:00", "2026-04-07T14:03:07"),
        ("2026-04-07T14:03:07.123-05:00", "2026-04-07T19:03:07.123"),
        ("2026-04-07T14:03:07+0000", "2026-04-07T14:03:07"),
        ("2026-04-07 14:03:07+00:00", "2026-04-07T14:03:07"),
        ("2026-04-07T14:03:07", "2026-04-07T14:03:07"),
    ],
)
def test_every_spelling_of_a_moment_becomes_utc(written, read):
    event = json.loads(sample("callback-sent"))[0] | {"time": written}
    item = {"messages": [{"messageId": "x", "receiveTime": written}]}

    [(receipt, _)] = wire.sort_callbacks(json.dumps([event]).encode())[0]
    [listed] = wire.decode_page(json.dumps(item).encode()).messages

    assert receipt.time == listed.receive_time == moment(read)
    assert receipt.time.tzinfo is listed.receive_time.tzinfo is UTC


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00.000Z"),
        (datetime(2024, 1, 1, 2, 3, 4, 567_899, tzinfo=UTC), "2024-01-01T02:03:04.567Z"),
        (
            datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-5))),
            "2024-01-01T05:00:00.000Z",
        ),
    ],
    ids=["midnight", "fraction", "offset"],
)
def test_a_moment_is_asked_for_in_milliseconds_of_utc(time, written):
    assert wire.query_time(time) == written


def test_a_moment_without_a_zone_cannot_be_asked_for():
    with pytest.raises(ValueError, match="time zone"):
        wire.query_time(datetime(2024, 1, 1))  # noqa: DTZ001 - the mistake itself


def test_the_documented_token_is_read_and_prints_without_itself():
    token = wire.decode_token(sample("token"))

    assert (token.access_token, token.expires_in) == ("an-access-token", 3600)
    assert "an-access-token" not in f"{token} {token!r} {[token]}"


def test_a_token_without_a_lifetime_lives_an_hour():
    assert wire.decode_token(b'{"access_token": "x"}').expires_in == 3600


@pytest.mark.parametrize("body", [*UNREADABLE, b"{}", b'{"access_token": null}'])
def test_what_holds_no_token_is_unreadable(body):
    with pytest.raises(wire.Unreadable):
        wire.decode_token(body)


def test_an_unreadable_body_is_not_quoted():
    body = b'{"id": 7, "text": "Dear Alice", "to": "+19195550141", "from": {}}'

    with pytest.raises(wire.Unreadable) as caught:
        wire.decode_request(body)

    assert "Alice" not in str(caught.value)
    assert "555" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "time", "to", "message", "description", "messages"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.binary(max_size=30) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_body_makes_a_reader_fail_in_another_way_than_unreadable(body):
    wire.decode_error(body)
    for read in (
        wire.decode_request,
        wire.decode_accepted,
        wire.sort_callbacks,
        wire.decode_page,
        wire.decode_token,
    ):
        try:
            read(body)
        except wire.Unreadable:
            continue
