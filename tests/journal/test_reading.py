"""What the journal tells: tally, campaigns, rows."""

from __future__ import annotations

from pipeline.journal import Tally, rules
from pipeline.lifecycle import MessageState
from pipeline.model import InDoubt
from tests.journal.builders import (
    CAMPAIGN,
    NOW,
    accepted,
    begin,
    begin_one,
    enlist,
    enlistment,
    finish,
    intent,
    records,
    shard,
    take,
)


def test_the_tally_counts_untouched_rows_as_ready(journal):
    enlist(journal, shard(0, rows=6), shard(1, rows=4))
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted())
    finish(journal, begin_one(journal, grant, 2), InDoubt(reason="reset"))
    begin(journal, grant, intent(3, key="key-1"))
    begin_one(journal, grant, 4)

    assert journal.tally(CAMPAIGN) == Tally(
        campaign=CAMPAIGN,
        messages=10,
        segments=20,
        cost_micros=83_000,
        currency="USD",
        created_at=NOW,
        states={
            MessageState.READY: 6,
            MessageState.SENDING: 1,
            MessageState.ACCEPTED: 1,
            MessageState.IN_DOUBT: 1,
            MessageState.CANCELLED: 1,
        },
    )


def test_the_tally_names_only_states_that_occur(journal):
    enlist(journal, shard(rows=1))
    finish(journal, begin_one(journal, take(journal), 1), accepted())

    assert journal.tally(CAMPAIGN).states == {MessageState.ACCEPTED: 1}


def test_an_unknown_campaign_has_no_tally_no_plan_and_no_rows(journal):
    assert journal.tally("unknown") is None
    assert journal.enlistment("unknown") is None
    assert list(journal.rows("unknown")) == []


def test_campaigns_are_named_oldest_first(journal):
    for number, name in enumerate(["zeta", "alpha", "mid"]):
        journal.enlist(enlistment(campaign=name, run=f"r{number}"), [])

    assert journal.campaigns() == ["zeta", "alpha", "mid"]


def test_rows_are_the_tried_messages_of_one_campaign_by_row(journal):
    enlist(journal, shard(rows=9))
    journal.enlist(enlistment(campaign="other", run="r2"), [shard()])
    grant = take(journal)
    for row in (7, 2, 9):
        begin_one(journal, grant, row)

    begin(journal, journal.take("other", owner="o", lease_seconds=9, now=NOW), intent(1))

    assert list(records(journal)) == [2, 7, 9]
    assert list(records(journal, "other")) == [1]


def test_rows_come_in_pages_of_at_most_ten_thousand(journal):
    count = 2 * rules.PAGE_ROWS + 1
    enlist(journal, shard(rows=count))
    grant = take(journal)
    with journal.transaction():
        journal.suppress(["+19195550123"], source="reply", because="STOP", now=NOW)
        begin(journal, grant, *(intent(row) for row in range(1, count + 1)))

    pages = list(journal.rows(CAMPAIGN))

    assert rules.PAGE_ROWS == 10_000
    assert [len(page) for page in pages] == [10_000, 10_000, 1]
    assert [each.row for page in pages for each in page] == list(range(1, count + 1))


def test_rows_are_read_by_one_object_while_another_writes(store):
    writer, reader = store.open(), store.open()
    enlist(writer, shard(rows=3))
    grant = take(writer)
    begin_one(writer, grant, 1)
    reading = reader.rows(CAMPAIGN)

    assert [each.row for each in next(reading)] == [1]
    begin_one(writer, grant, 2)

    assert list(records(reader)) == [1, 2]
    reading.close()
