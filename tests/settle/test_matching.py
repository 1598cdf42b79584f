"""Which listed text is which doubt: never another message's, whatever is shown or hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.bandwidth.wire import ListItem
from pipeline.model import Channel, Message
from pipeline.settle import matching
from pipeline.settle.matching import MARGIN, POST_TIME, REACH, suspect_of, texts_of, weigh

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OURS, OTHER_OURS = "+19195550100", "+19195550199"
ANN, BOB = "+12125550123", "+12125550124"


def suspect(
    row=1, *, text="Hello", to=(ANN,), attempts=1, begun_at=(NOON,), is_released=False, **changes
):
    message = Message(row=row, key=f"k{row}", to=to, sender=OURS, text=text, segments=len(to))
    message = replace(message, **changes)
    return suspect_of(
        message,
        campaign="spring",
        attempts=attempts,
        begun_at=begun_at,
        is_released=is_released,
    )


def item(message_id="id-1", *, to=ANN, at=NOON, **changes):
    said = {
        "source_tn": OURS,
        "destination_tn": to,
        "message_direction": "OUTBOUND",
        "message_type": "sms",
        "message_status": "SENT",
        "segment_count": 1,
        "message_length": 5,
        "recipient_count": 1,
        "receive_time": at,
    }
    return ListItem(message_id=message_id, **(said | changes))


def settled(suspects, items):
    found = weigh(suspects, suspects, texts_of(items))
    return {each.suspect.row: each.text.message_id for each in found if each.text is not None}


def test_one_text_that_fits_settles_its_doubt():
    assert settled([suspect()], [item()]) == {1: "id-1"}
    assert settled([suspect()], []) == {}


OTHERS = {
    "from another number": {"source_tn": OTHER_OURS},
    "to somebody else": {"to": BOB},
    "from him to us": {"message_direction": "INBOUND"},
    "without a direction": {"message_direction": None},
    "of another kind": {"message_type": "mms"},
    "of more segments": {"segment_count": 2},
    "of another length": {"message_length": 6},
    "of an unknown length": {"message_length": None},
    "to several": {"recipient_count": 2},
    "without a time": {"receive_time": None},
    "too early": {"at": NOON - MARGIN - MINUTE},
    "too late": {"at": NOON + POST_TIME + MARGIN + MINUTE},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_a_text_that_differs_settles_nothing(changes):
    assert settled([suspect()], [item(**changes)]) == {}


@pytest.mark.parametrize("minutes", [-2, 0, 5], ids=["its clock is behind", "now", "ahead"])
def test_the_clocks_of_both_sides_may_differ(minutes):
    assert settled([suspect()], [item(at=NOON + minutes * MINUTE)]) == {1: "id-1"}


def test_two_texts_that_fit_leave_the_doubt_with_both_as_evidence():
    (found,) = weigh([suspect()], [suspect()], texts_of([item("id-2", at=NOON + MINUTE), item()]))
    assert found.text is None
    assert [text.message_id for text in found.candidates] == ["id-1", "id-2"]


def test_one_text_never_settles_two_doubts():
    both = [suspect(1), suspect(2)]
    assert settled(both, [item()]) == {}
    assert [each.rivals for each in weigh(both, both, texts_of([item()]))] == [1, 1]


def test_a_text_of_another_length_is_no_rivals():
    assert settled([suspect(1), suspect(2, text="Hello Ann")], [item()]) == {1: "id-1"}


def test_a_message_that_may_have_been_counted_otherwise_is_a_rival():
    assert settled([suspect(1), suspect(2, segments=2)], [item()]) == {}


def test_a_process_that_was_frozen_may_have_sent_it_much_later():
    frozen = suspect(1, begun_at=(NOON - timedelta(hours=8),))
    assert settled([frozen, suspect(2)], [item()]) == {}
    gone = suspect(1, begun_at=(NOON - REACH - MINUTE,))
    assert settled([gone, suspect(2)], [item()]) == {2: "id-1"}


def test_an_attempt_of_an_unknown_time_is_a_rival_and_is_not_settled():
    assert settled([suspect(1, begun_at=(None,)), suspect(2)], [item()]) == {}
    assert settled([suspect(1, begun_at=(None,))], [item()]) == {}


def test_two_attempts_of_one_message_are_one_doubt():
    twice = suspect(1, attempts=2, begun_at=(NOON, NOON + timedelta(hours=1)))
    assert settled([twice], [item(at=NOON + timedelta(hours=1))]) == {1: "id-1"}
    both = [item(), item("id-2", at=NOON + timedelta(hours=1))]
    assert settled([twice], both) == {}
    assert settled([twice], [item()]) == {}, "the first attempt's is no proof about the second"
    assert settled([replace(twice, begun_at=(NOON, None))], [item()]) == {}


def test_where_attempts_are_close_one_text_of_either_settles_the_message():
    """A minute apart, and the clocks may differ by two; two texts are two candidates."""
    close = suspect(1, attempts=2, begun_at=(NOON, NOON + MINUTE))
    assert settled([close], [item()]) == {1: "id-1"}
    assert settled([close], [item(), item("id-2", at=NOON + MINUTE)]) == {}


def test_what_is_to_be_sent_again_is_settled_by_the_text_of_any_of_its_attempts():
    hour = timedelta(hours=1)
    released = suspect(1, attempts=2, begun_at=(NOON, NOON + hour), is_released=True)
    assert settled([released], [item()]) == {1: "id-1"}
    assert settled([released], [item(), item("id-2", at=NOON + hour)]) == {1: "id-2"}
    third = item("id-3", at=NOON + MINUTE)
    assert settled([released], [item(), item("id-2", at=NOON + hour), third]) == {}
    assert settled([released, suspect(2)], [item()]) == {}, "it may be another message's"


def test_the_provider_may_count_characters_or_units():
    emoji = suspect(text="Hi 👋")
    assert settled([emoji], [item(message_length=4)]) == {1: "id-1"}
    assert settled([emoji], [item(message_length=5)]) == {1: "id-1"}


def test_a_group_is_settled_when_all_its_members_are_listed():
    group = suspect(to=(ANN, BOB), channel=Channel.MMS)
    parts = [item(to=each, message_type="mms", recipient_count=2) for each in (ANN, BOB)]
    assert settled([group], parts) == {1: "id-1"}
    assert settled([group], parts[:1]) == {}
    assert settled([suspect(channel=Channel.MMS)], parts) == {}


def test_a_part_of_a_group_is_nobody_elses_text():
    """The entry of one member looks like a single MMS where the recipients are not counted."""
    part = item(message_type="mms", recipient_count=None)
    assert settled([suspect(channel=Channel.MMS)], [part]) == {}


# --- Against an adversarial listing --------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Messages in doubt, what the provider really took of them, and what it shows of that."""

    suspects: list
    items: list
    #: Message id -> row of the message that it really is.
    truth: dict


SENDERS, PEOPLE = (OURS, OTHER_OURS), (ANN, BOB)
#: Three texts, two of them of one length, the last of two lengths.
TEXTS = ("Hello", "Salve", "Hi 👋")
BEGUN = [NOON + each * MINUTE for each in (0, 1, 6, 60, 180)]


@st.composite
def worlds(draw):
    suspects, items, truth = [], [], {}
    for row in range(1, draw(st.integers(1, 4)) + 1):
        channel = draw(st.sampled_from(Channel))
        people = [PEOPLE, (ANN,), (BOB,)] if channel is Channel.MMS else [(ANN,), (BOB,)]
        moments = draw(st.lists(st.sampled_from(BEGUN), min_size=1, max_size=2, unique=True))
        message = Message(
            row=row,
            key=f"k{row}",
            to=draw(st.sampled_from(people)),
            sender=draw(st.sampled_from(SENDERS)),
            text=draw(st.sampled_from(TEXTS)),
            segments=draw(st.integers(1, 2)),
            channel=channel,
        )
        for number, begun in enumerate(moments):
            if draw(st.booleans()):
                message_id = f"id-{row}-{number}"
                truth[message_id] = row
                items += draw(entries(message, message_id, begun))

        begun_at = [None if draw(st.integers(0, 9)) == 0 else moment for moment in moments]
        suspects.append(
            suspect_of(
                message,
                campaign="spring",
                attempts=len(moments),
                begun_at=begun_at,
                is_released=draw(st.booleans()),
            )
        )

    items += draw(st.lists(strangers(), max_size=2))
    shown = draw(st.permutations(items * draw(st.integers(1, 2))))
    return World(suspects, list(shown), truth)


@st.composite
def entries(draw, message, message_id, begun):
    """Some of the entries of a text: late, miscounted, and by a clock that is wrong."""
    waited = draw(st.sampled_from([timedelta(0), POST_TIME, MINUTE * 40, REACH - MARGIN]))
    skew = draw(st.sampled_from([-MARGIN, timedelta(0), MARGIN]))
    units = len(message.text.encode("utf-16-le")) // 2
    said = {
        "source_tn": message.sender,
        "message_type": message.channel.value,
        "segment_count": draw(st.integers(1, 2)),
        "message_length": draw(st.sampled_from([len(message.text), units, None])),
        "recipient_count": draw(st.sampled_from([len(message.to), None])),
    }
    every = [item(message_id, to=each, at=begun + waited + skew, **said) for each in message.to]
    return draw(st.lists(st.sampled_from(every), max_size=2, unique_by=lambda x: x.destination_tn))


@st.composite
def strangers(draw):
    """What others send from our numbers, and what people send to us; nothing of our length."""
    return item(
        f"stranger-{draw(st.integers(1, 3))}",
        to=draw(st.sampled_from(PEOPLE)),
        at=draw(st.sampled_from(BEGUN)),
        source_tn=draw(st.sampled_from(SENDERS)),
        message_direction=draw(st.sampled_from(["OUTBOUND", "INBOUND"])),
        message_length=draw(st.sampled_from([17, None])),
    )


def wrongly_settled(world):
    found = weigh(world.suspects, world.suspects, texts_of(world.items))
    return [
        each
        for each in found
        if each.text and world.truth.get(each.text.message_id) != each.suspect.row
    ]


@settings(max_examples=400)
@given(worlds())
def test_no_doubt_is_settled_with_a_message_that_is_not_its_own(world):
    assert wrongly_settled(world) == []


WEAKENED = {
    "rivals are not looked for": lambda *_: False,
    "segments are believed of rivals": matching.fits,
}


@pytest.mark.parametrize("weak", WEAKENED.values(), ids=WEAKENED)
def test_the_adversary_finds_a_matcher_that_is_too_sure(monkeypatch, weak):
    monkeypatch.setattr(matching, "may_be", weak)

    @settings(max_examples=2_000, database=None, phases=[Phase.generate])
    @given(worlds())
    def settle(world):
        assert wrongly_settled(world) == []

    with pytest.raises(AssertionError):
        settle()


@settings(max_examples=60)
@given(st.sets(st.integers(0, 30), max_size=20), st.permutations(range(31)))
def test_in_a_quiet_world_every_doubt_that_was_taken_is_settled(taken, order):
    people = [f"+1212555{row:04}" for row in range(31)]
    suspects = [suspect(row, to=(people[row],), begun_at=(BEGUN[row % 5],)) for row in order]
    items = [item(f"id-{row}", to=people[row], at=BEGUN[row % 5]) for row in taken]
    assert settled(suspects, items) == {row: f"id-{row}" for row in taken}
