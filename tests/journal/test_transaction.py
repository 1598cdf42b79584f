"""Several calls become one transaction: all of them happen, or none."""

from __future__ import annotations

import pytest

from pipeline.errors import Fenced, JournalError, PlanMismatch
from pipeline.journal import open_journal
from tests.journal.builders import (
    CAMPAIGN,
    LEASE_SECONDS,
    NOW,
    OTHER,
    accepted,
    begin,
    begin_one,
    enlist,
    enlistment,
    finish,
    intent,
    later,
    receipt,
    receive,
    records,
    shard,
    states,
    take,
)


def test_calls_inside_are_all_there_afterwards(journal):
    with journal.transaction():
        enlist(journal)
        finish(journal, begin_one(journal, take(journal), 1), accepted())

    assert states(journal) == {"accepted": 1, "ready": 2}


def test_an_exception_undoes_everything_inside(store):
    journal = store.open()
    enlist(journal, shard(rows=3))
    grant = take(journal)
    attempt = begin_one(journal, grant, 1)
    before = records(journal)

    with pytest.raises(ZeroDivisionError), journal.transaction():  # noqa: PT012 - the block is the transaction
        finish(journal, attempt, accepted())
        receive(journal, receipt())
        begin_one(journal, grant, 2)
        journal.suppress(["+19195550123"], source="reply", because="STOP", now=NOW)
        journal.leave(grant)
        journal.enlist(enlistment(campaign="other", run="r2"), [shard()])
        _ = 1 / 0

    assert records(journal) == before
    assert journal.campaigns() == [CAMPAIGN]
    assert store.receipts() == []
    assert store.suppressions() == {}
    assert begin_one(journal, grant, 2).number == 1


def test_the_rate_that_was_reserved_inside_is_free_again(journal):
    enlist(journal)
    grant = take(journal)
    with pytest.raises(ZeroDivisionError), journal.transaction():  # noqa: PT012 - the block is the transaction
        begin(journal, grant, intent(1))
        _ = 1 / 0

    (answer,) = begin(journal, grant, intent(1))

    assert answer.start_at == NOW


def test_transactions_nest_and_the_outermost_decides(journal):
    with pytest.raises(ZeroDivisionError), journal.transaction():  # noqa: PT012 - the block is the transaction
        with journal.transaction():
            enlist(journal)

        assert journal.campaigns() == [CAMPAIGN]
        _ = 1 / 0

    assert journal.campaigns() == []


def test_a_fenced_call_leaves_the_others_intact(journal):
    enlist(journal, shard(0), shard(1))
    old = take(journal)
    good = take(journal, owner=OTHER)
    take(journal, owner="c", now=later(LEASE_SECONDS))

    with journal.transaction():
        begin_one(journal, good, 11)
        with pytest.raises(Fenced):
            begin(journal, old, intent(1))

        begin_one(journal, good, 12)

    assert list(records(journal)) == [11, 12]


def test_a_fenced_call_that_ends_the_transaction_leaves_the_others_intact(journal):
    enlist(journal, shard(0), shard(1))
    old = take(journal)
    good = take(journal, owner=OTHER)
    take(journal, owner="c", now=later(LEASE_SECONDS))

    with pytest.raises(Fenced), journal.transaction():  # noqa: PT012 - the block is the transaction
        begin_one(journal, good, 11)
        begin(journal, old, intent(1))

    assert list(records(journal)) == [11]


def test_any_other_exception_undoes_the_whole_even_where_it_was_caught(journal):
    enlist(journal)
    grant = take(journal)

    undone = pytest.raises(JournalError, match="nothing of it was recorded")
    with undone, journal.transaction():
        begin_one(journal, grant, 1)
        with pytest.raises(PlanMismatch):
            journal.enlist(enlistment(recipients="zz"), [])

        begin_one(journal, grant, 2)

    assert records(journal) == {}


def test_a_journal_works_after_an_undone_transaction(journal):
    with pytest.raises(ZeroDivisionError), journal.transaction():
        _ = 1 / 0

    enlist(journal)

    assert journal.campaigns() == [CAMPAIGN]


def test_nobody_else_sees_half_a_transaction(tmp_path):
    one, two = (open_journal(f"sqlite:///{tmp_path}/j.db") for _ in range(2))
    enlist(one)
    with one.transaction():
        begin_one(one, take(one), 1)
        assert records(two) == {}

    assert list(records(two)) == [1]
    one.close()
    two.close()
