"""What people decide: release and suppress."""

from __future__ import annotations

import pytest

from pipeline.model import InDoubt, NotSent
from tests.journal.builders import (
    CAMPAIGN,
    NOW,
    OTHER,
    accepted,
    begin,
    begin_one,
    enlist,
    finish,
    intent,
    reasons,
    records,
    shard,
    states,
    take,
)


def doubtful(journal, *rows):
    enlist(journal, shard(rows=max(rows)))
    grant = take(journal)
    for row in rows:
        finish(journal, begin_one(journal, grant, row), InDoubt(reason="read timeout"))

    return grant


def release(journal, *rows, campaign=CAMPAIGN):
    return journal.release(campaign, rows, by="ana", because="customer asked", now=NOW)


def test_a_released_message_is_ready_and_its_next_attempt_has_the_next_number(journal):
    grant = doubtful(journal, 1)

    assert release(journal, 1) == 1

    assert (records(journal)[1].state, records(journal)[1].error) == ("ready", None)
    assert begin_one(journal, grant, 1).number == 2


def test_a_release_is_recorded_with_the_name_and_the_reason(store):
    journal = store.open()
    doubtful(journal, 1, 2)

    release(journal, 2)

    assert store.events() == [(2, "release", "ana", "customer asked")]


def test_a_release_opens_a_shard_that_was_done(journal):
    journal.leave(doubtful(journal, 1))
    assert journal.take(CAMPAIGN, owner=OTHER, lease_seconds=1, now=NOW) is None

    release(journal, 1)

    assert take(journal, owner=OTHER).settled == frozenset()


def test_only_messages_in_doubt_are_released(store):
    journal = store.open()
    enlist(journal, shard(rows=5))
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted())
    finish(journal, begin_one(journal, grant, 2), NotSent(reason="refused"))
    begin_one(journal, grant, 3)
    begin(journal, grant, intent(4, key="key-1"))
    before = records(journal)

    assert release(journal, 1, 2, 3, 4, 5, 99) == 0

    assert records(journal) == before
    assert store.events() == []


def test_a_row_named_twice_is_released_once(journal):
    doubtful(journal, 1, 2)

    assert release(journal, 1, 1, 2) == 2


def test_nothing_of_an_unknown_campaign_is_released(journal):
    assert release(journal, 1, campaign="unknown") == 0


def test_a_released_message_of_a_leased_shard_is_found_by_the_next_owner(journal):
    grant = doubtful(journal, 1)
    release(journal, 1)

    journal.leave(grant)

    assert take(journal, owner=OTHER).settled == frozenset()


@pytest.mark.parametrize(
    ("numbers", "new"),
    [
        pytest.param(["+19195550101", "+19195550102"], 2, id="two"),
        pytest.param(["+19195550101", "+19195550101"], 1, id="one twice"),
        pytest.param([], 0, id="none"),
    ],
)
def test_suppress_counts_the_numbers_that_are_new(journal, numbers, new):
    assert journal.suppress(iter(numbers), source="file", because="opt-out", now=NOW) == new
    assert journal.suppress(iter(numbers), source="file", because="opt-out", now=NOW) == 0


def test_a_number_keeps_its_first_source_and_reason(store):
    journal = store.open()
    journal.suppress(["+19195550101"], source="reply", because="STOP", now=NOW)
    journal.suppress(["+19195550101"], source="file", because="list", now=NOW)

    assert store.suppressions() == {"+19195550101": ("reply", "STOP")}


def test_a_suppressed_number_gets_no_text_in_any_campaign_for_ever(store):
    store.open().suppress(["+19195550123"], source="reply", because="STOP", now=NOW)
    journal = store.open()
    enlist(journal)

    grant = take(journal, now=NOW.replace(year=2036))

    assert reasons(begin(journal, grant, intent(1), now=NOW.replace(year=2036))) == ["suppressed"]
    assert states(journal) == {"cancelled": 1, "ready": 2}
