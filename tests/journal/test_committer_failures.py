"""The committer when callers are fenced or gone and when the journal breaks: nothing is lost."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import anyio
import pytest

from pipeline.errors import Fenced, JournalError, PlanMismatch
from pipeline.journal import Denied, Permit
from tests.journal.builders import (
    CAMPAIGN,
    LEASE_SECONDS,
    OTHER,
    accepted,
    enlist,
    enlistment,
    intent,
    later,
    records,
    shard,
    states,
    take,
)
from tests.journal.watched import Watched, all_of, committing, finishing, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def journal():
    journal = Watched()
    enlist(journal, shard(0, rows=100), shard(1, rows=100))
    return journal


# --- Errors that belong to one caller -------------------------------------------------------------


async def test_a_fenced_grant_stops_its_own_callers_only(journal):
    old, good = take(journal), take(journal, owner=OTHER)
    take(journal, owner="c", now=later(LEASE_SECONDS))
    async with committing(journal) as committer:
        results = await all_of(
            partial(committer.begin, old, intent(1)),
            partial(committer.begin, good, intent(101)),
            partial(committer.begin, old, intent(2)),
        )
        assert committer.broken is None

    assert [type(result) for result in results] == [Fenced, Permit, Fenced]
    assert list(records(journal)) == [101]


async def test_an_operation_that_fails_harms_only_its_caller(journal):
    grant = take(journal)
    other_plan = enlistment(recipients="zz")
    async with committing(journal) as committer:
        results = await all_of(
            partial(committer.begin, grant, intent(1)),
            partial(committer.call, lambda journal: journal.enlist(other_plan, [])),
            partial(committer.begin, grant, intent(2, key="key-1")),
            partial(committer.call, lambda _: 1 / 0),
        )
        assert committer.broken is None

    assert [type(result) for result in results] == [Permit, PlanMismatch, Denied, ZeroDivisionError]
    assert states(journal) == {"sending": 1, "cancelled": 1, "ready": 198}


# --- A journal that breaks -----------------------------------------------------------------------


async def test_a_failed_commit_permits_nobody_and_stops_everything_after_it(journal):
    grant = take(journal)
    with pytest.raises(JournalError, match="disk is full"):  # noqa: PT012 - the exit raises
        async with committing(journal) as committer:
            journal.fails = True
            results = await all_of(
                *(partial(committer.begin, grant, intent(row)) for row in (1, 2)),
                partial(committer.call, lambda journal: journal.tally(CAMPAIGN)),
            )
            assert results == [committer.broken] * 3
            journal.fails = False
            calls = len(journal.calls)

            afterwards = await all_of(
                partial(committer.begin, grant, intent(3)),
                partial(committer.call, lambda journal: journal.tally(CAMPAIGN)),
            )
            assert afterwards == [committer.broken] * 2
            assert len(journal.calls) == calls

    assert records(journal) == {}


async def test_an_outcome_that_could_not_be_recorded_is_told_at_the_end(journal):
    grant = take(journal)
    with pytest.raises(JournalError, match="disk is full"):  # noqa: PT012 - the exit raises
        async with committing(journal) as committer:
            permit = await committer.begin(grant, intent(1))
            journal.fails = True
            committer.finish(finishing(permit.attempt))
            await until(lambda: committer.broken)
            committer.finish(finishing(permit.attempt))

    assert states(journal)["sending"] == 1


async def test_outcomes_that_a_broken_journal_missed_are_written_at_the_end_if_it_can(journal):
    """What was in flight when the disk was full is known, not in doubt, if there is room again."""
    grant = take(journal)
    with pytest.raises(JournalError, match="disk is full"):  # noqa: PT012 - the exit raises
        async with committing(journal) as committer:
            permits = [await committer.begin(grant, intent(row)) for row in (1, 2)]
            journal.fails = True
            committer.finish(finishing(permits[0].attempt))
            await until(lambda: committer.broken)
            committer.finish(finishing(permits[1].attempt, accepted("id-2")))
            journal.fails = False

    assert states(journal) == {"accepted": 2, "ready": 198}


async def test_nobody_lingers_at_the_end(journal):
    grant = take(journal)
    with anyio.fail_after(5):
        async with (
            anyio.create_task_group() as group,
            committing(journal, linger_seconds=60) as committer,
        ):
            group.start_soon(committer.begin, grant, intent(1))
            await anyio.sleep(0.01)

    assert states(journal)["sending"] == 1


async def test_what_waits_behind_a_failed_commit_is_refused_too(journal):
    grant = take(journal)
    with pytest.raises(JournalError, match="disk is full"):  # noqa: PT012 - the exit raises
        async with committing(journal, linger_seconds=0.0) as committer:
            journal.pause.clear()
            journal.fails = True

            async def release():
                await until(lambda: journal.calls)
                await anyio.sleep(0.01)
                journal.pause.set()

            results = await all_of(
                *(partial(committer.begin, grant, intent(row)) for row in range(1, 9)), release
            )

    assert results[:8] == [committer.broken] * 8


async def test_the_error_of_the_journal_is_not_wrapped_in_itself(journal):
    grant = take(journal)
    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - the exit raises
        async with committing(journal) as committer, anyio.create_task_group() as group:
            journal.fails = True
            group.start_soon(committer.begin, grant, intent(1))

    assert caught.value.exceptions == (committer.broken,)


async def test_a_defect_below_the_journal_breaks_the_committer_with_its_cause(journal):
    grant = take(journal)
    with pytest.raises(JournalError, match="unexpectedly") as caught:
        async with committing(journal) as committer:
            await committer.begin(grant, "no intent")

    assert isinstance(caught.value.__cause__, AttributeError)


# --- Cancellation --------------------------------------------------------------------------------


async def test_an_intent_whose_caller_is_gone_before_the_commit_is_not_recorded(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=60, linger_requests=2) as committer:
        with anyio.move_on_after(0.005):
            await committer.begin(grant, intent(1))

        await committer.begin(grant, intent(2))

    assert list(records(journal)) == [2]


async def test_an_attempt_whose_caller_is_gone_during_the_commit_is_recorded_as_not_sent(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=0.0) as committer:
        journal.pause.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(committer.begin, grant, intent(1))
            await until(lambda: journal.calls)
            group.cancel_scope.cancel()

        journal.pause.set()

    record = records(journal)[1]
    assert (record.state, record.attempts) == ("ready", 1)
    assert record.error == "cancelled before sending"


async def test_an_attempt_whose_caller_is_cancelled_with_the_answer_in_hand_is_not_sent(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=0.0) as committer:
        deliver = committer._deliver

        def deliver_and_cancel(replies):
            deliver(replies)
            task.cancel()

        committer._deliver = deliver_and_cancel
        task = asyncio.create_task(committer.begin(grant, intent(1)))
        with pytest.raises(asyncio.CancelledError):
            await task

        committer._deliver = deliver

    assert records(journal)[1].error == "cancelled before sending"
    assert records(journal)[1].state == "ready"


async def test_everything_queued_is_recorded_when_the_run_is_cancelled(journal):
    grant = take(journal)
    with anyio.CancelScope() as scope:
        async with committing(journal, linger_seconds=0.02) as committer:
            permits = await all_of(
                *(partial(committer.begin, grant, intent(row)) for row in range(1, 9))
            )
            for permit in permits:
                committer.finish(finishing(permit.attempt, accepted(f"id-{permit.attempt.row}")))

            scope.cancel()
            await anyio.sleep(5)

    assert scope.cancelled_caught
    assert states(journal) == {"accepted": 8, "ready": 192}


async def test_a_run_that_is_cancelled_during_a_commit_records_what_it_did_not_send(journal):
    grant = take(journal)
    with anyio.CancelScope() as scope:
        async with (
            committing(journal, linger_seconds=0.0) as committer,
            anyio.create_task_group() as group,
        ):
            journal.pause.clear()
            group.start_soon(committer.begin, grant, intent(1))
            await until(lambda: journal.calls)
            threading.Timer(0.05, journal.pause.set).start()
            scope.cancel()

    record = records(journal)[1]
    assert (record.state, record.error) == ("ready", "cancelled before sending")


async def test_an_exception_of_the_run_does_not_lose_an_outcome(journal):
    grant = take(journal)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the run is the subject
        async with committing(journal) as committer:
            permit = await committer.begin(grant, intent(1))
            committer.finish(finishing(permit.attempt))
            _ = 1 / 0

    assert states(journal)["accepted"] == 1


async def test_a_committer_that_has_stopped_takes_nothing_more(journal):
    grant = take(journal)
    async with committing(journal) as committer:
        permit = await committer.begin(grant, intent(1))

    with pytest.raises(JournalError, match="stopped"):
        await committer.begin(grant, intent(2))

    with pytest.raises(JournalError, match="stopped"):
        committer.finish(finishing(permit.attempt))

    assert not [each for each in threading.enumerate() if each.name == "journal"]
