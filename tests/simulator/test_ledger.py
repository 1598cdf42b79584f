import random
from datetime import UTC, datetime

import pytest

from pipeline.simulator.ledger import Ledger, Text

from . import caller


def text(arrival, segments=1, to="+19195550123", tag=None):
    return Text(
        message_id=f"m{arrival}",
        tag=tag,
        to=(to,),
        sender=caller.SENDER,
        segments=segments,
        length=5,
        digest="d",
        arrival_seconds=arrival,
        arrived_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def ledger_of(*texts):
    ledger = Ledger()
    ledger.texts.extend(texts)
    return ledger


@pytest.mark.parametrize("seconds", [0.1, 0.25, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_largest_window_is_the_one_a_search_of_all_windows_finds(seed, seconds):
    dice = random.Random(seed)
    texts = [text(dice.randrange(400) / 64, dice.randint(1, 9)) for _ in range(150)]
    slowly = max(
        sum(
            each.segments
            for each in texts
            if first.arrival_seconds <= each.arrival_seconds < first.arrival_seconds + seconds
        )
        for first in texts
    )
    assert ledger_of(*texts).max_segments_within(seconds) == slowly


def test_a_window_is_open_at_its_end():
    ledger = ledger_of(text(1.0, 2), text(1.5, 3), text(2.0, 4))
    assert ledger.max_segments_within(1.0) == 7
    assert ledger.max_segments_within(0.5) == 4


def test_a_handset_with_two_texts_is_named_with_their_tags_in_order():
    ledger = ledger_of(text(3.0, tag="r.1.2"), text(1.0, tag="r.1.1"), text(2.0, to="+19195550124"))
    (duplicate,) = ledger.duplicates()
    assert (duplicate.to, duplicate.texts, duplicate.tags) == (
        "+19195550123",
        2,
        ["r.1.1", "r.1.2"],
    )


def test_a_steady_flow_has_its_rate():
    ledger = ledger_of(*(text(i / 64, to=caller.number(i)) for i in range(100)))
    assert ledger.segments_per_second() == 64.0
    assert ledger.max_segments_within(1.0) == 64


def test_the_summary_adds_up_and_leaves_quiet_times_out():
    summary = ledger_of(text(10.0, 2), text(10.05, 1), text(12.0, 4)).summary()
    assert (summary.messages, summary.segments, summary.handsets, summary.duplicates) == (
        3,
        7,
        1,
        1,
    )
    assert summary.arrivals == [(0, 3), (2000, 4)]
    assert summary.segments_per_second == pytest.approx(1.5)


def test_an_empty_ledger_has_nothing_to_tell():
    summary = Ledger().summary()
    assert (summary.messages, summary.arrivals, summary.max_segments_in_1_s) == (0, [], 0)
    assert summary.segments_per_second is None


def test_a_reset_forgets_everything():
    ledger = ledger_of(text(1.0))
    ledger.requests = 5
    ledger.faults["lost"] += 1
    ledger.reset()
    assert ledger.summary() == Ledger().summary()
