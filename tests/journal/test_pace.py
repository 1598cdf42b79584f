"""The account's rate is reserved slot by slot, whoever asks and whatever the clock does."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from pipeline.journal import MAX_LEAD_SECONDS, Later, Pace, Permit
from tests.journal.builders import (
    NOW,
    begin,
    enlist,
    intent,
    later,
    records,
    shard,
    starts,
    states,
    take,
)

TEN = Pace(account="4000000", rate_segments_per_second=10)
HOUR = 3_600.0


def ask(journal, grant, rows, *, seconds=0.0, pace=TEN):
    return begin(journal, grant, *(intent(row) for row in rows), pace=pace, now=later(seconds))


@pytest.fixture
def grant(journal):
    enlist(journal, shard(rows=1_000))
    return take(journal)


@pytest.mark.parametrize(
    ("segments", "rate", "expected"),
    [
        pytest.param((1, 1, 1), 10, [0, 0.1, 0.2], id="one segment each"),
        pytest.param((3, 1, 2), 10, [0, 0.3, 0.4], id="a long text takes longer"),
        pytest.param((1, 1, 1), 3, [0, 0.333334, 0.666668], id="a third is rounded up"),
        pytest.param((1, 1, 1), 0.5, [0, 2, 4], id="slower than the lead"),
    ],
)
def test_permits_are_spaced_by_segments_over_rate(journal, grant, segments, rate, expected):
    pace = Pace(account="4000000", rate_segments_per_second=rate)
    found = []
    for row, each in enumerate(segments, start=1):
        now = later(found[-1] if found else 0)
        (answer,) = begin(journal, grant, intent(row, segments=each), pace=pace, now=now)
        found += starts([answer])

    assert found == expected


def test_an_idle_time_is_not_saved_up(journal, grant):
    ask(journal, grant, [1])

    assert list(starts(ask(journal, grant, [2, 3, 4], seconds=60))) == [60, 60.1, 60.2]


def test_a_reservation_too_far_ahead_records_nothing_and_says_when_to_ask(journal, grant):
    answers = ask(journal, grant, range(1, 30))

    permits = [each for each in answers if isinstance(each, Permit)]
    assert list(starts(permits)) == [pytest.approx(0.1 * n) for n in range(21)]
    assert answers[21:] == [
        Later(row=row, ask_at=later(2.1 - MAX_LEAD_SECONDS)) for row in range(22, 30)
    ]
    assert states(journal) == {"sending": 21, "ready": 979}
    assert 22 not in records(journal)


def test_the_moment_named_by_later_is_early_enough_and_nothing_before_it(journal, grant):
    ask_at = ask(journal, grant, range(1, 30))[-1].ask_at
    too_early = begin(journal, grant, intent(50), pace=TEN, now=ask_at - timedelta(microseconds=1))

    assert too_early == [Later(row=50, ask_at=ask_at)]
    assert isinstance(begin(journal, grant, intent(50), pace=TEN, now=ask_at)[0], Permit)


def test_what_may_not_be_sent_is_denied_even_where_the_rate_is_given_away(journal, grant):
    ask(journal, grant, range(1, 30))

    answers = begin(journal, grant, intent(30, key="key-1"), intent(2), pace=TEN)

    assert [each.reason for each in answers] == ["duplicate", "sending"]


def test_a_denied_intent_takes_no_slot(journal, grant):
    answers = begin(journal, grant, intent(1), intent(2, key="key-1"), intent(3), pace=TEN)

    assert list(starts([answers[0], answers[2]])) == [0, 0.1]


def test_two_journal_objects_on_one_store_share_the_rate(store):
    one, two = store.open(), store.open()
    enlist(one, shard(0, rows=100), shard(1, rows=100))
    first, second = take(one), take(two, owner="host:2:b")

    found = [
        *starts(ask(one, first, [1, 2])),
        *starts(ask(two, second, [101, 102])),
        *starts(ask(one, first, [3])),
    ]

    assert found == [0, 0.1, 0.2, 0.3, 0.4]


def test_accounts_do_not_wait_for_each_other(journal, grant):
    ask(journal, grant, range(1, 30))

    other = Pace(account="5000000", rate_segments_per_second=10)

    assert list(starts(ask(journal, grant, [50], pace=other))) == [0]


def test_a_new_rate_counts_from_the_next_permit(journal, grant):
    ask(journal, grant, [1])
    twice = Pace(account="4000000", rate_segments_per_second=20)

    assert list(starts(ask(journal, grant, [2, 3], pace=twice))) == [0.1, 0.15]


def test_a_text_of_no_campaign_takes_its_slot_among_the_others(journal, grant):
    ask(journal, grant, [1, 2])

    assert journal.reserve("4000000", segments=3, now=NOW) == later(0.2)
    assert list(starts(ask(journal, grant, [3]))) == [0.5]
    assert journal.reserve("4000000", segments=1, now=later(60)) == later(60)


def test_it_has_the_rate_of_a_new_account_where_nothing_was_sent(journal):
    slots = [journal.reserve("4000000", segments=2, now=NOW) for _ in range(3)]

    assert slots == [NOW, later(2), later(4)]
    assert journal.reserve("5000000", segments=1, now=NOW) == NOW


def test_a_slot_beyond_the_lead_is_given_to_nobody_again(journal, grant):
    ask(journal, grant, range(1, 30))
    assert journal.reserve("4000000", segments=1, now=NOW) == later(2.1)

    found = busy_seconds(journal, grant, range(100, 103), since=0.0)

    assert found == [pytest.approx(2.2 + 0.1 * n) for n in range(3)]


def busy_seconds(journal, grant, rows, *, since: float, rate: float = 10) -> list[float]:
    """Ask every 10 ms from `since` on, like a lane would, until all rows have a permit."""
    found, rows, now = [], list(rows), since
    while rows:
        (answer,) = ask(journal, grant, rows[:1], seconds=now)
        if isinstance(answer, Permit):
            found.append((answer.start_at - later(since)).total_seconds())
            rows.pop(0)
        else:
            now += 0.01

        assert now < since + len(found) / rate + 5, "the run stalls"

    return found


@pytest.mark.parametrize(
    "jump", [-HOUR, -30 * HOUR, -3.0, -1.0, HOUR, 3.0], ids=lambda jump: f"{jump:+.0f}s"
)
def test_a_clock_that_jumps_neither_stalls_a_run_nor_opens_a_burst(journal, grant, jump):
    ask(journal, grant, range(1, 30))

    found = busy_seconds(journal, grant, range(100, 160), since=jump)

    assert found[0] <= MAX_LEAD_SECONDS + 0.2
    assert all(b - a >= 0.1 - 1e-6 for a, b in pairwise(found))


def test_permits_given_before_a_clock_jumped_back_are_not_given_away_twice(journal, grant):
    ask(journal, grant, range(1, 30))

    found = busy_seconds(journal, grant, range(100, 110), since=-HOUR)

    assert found[0] >= MAX_LEAD_SECONDS


def test_a_reservation_that_one_long_text_moved_far_is_not_taken_for_a_jump(journal, grant):
    slow = Pace(account="4000000", rate_segments_per_second=1)
    begin(journal, grant, intent(1, segments=30), pace=slow)

    (answer,) = begin(journal, grant, intent(2), pace=slow, now=later(5))

    assert answer == Later(row=2, ask_at=later(30 - MAX_LEAD_SECONDS))
