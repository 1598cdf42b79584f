"""The committer: what waits is committed together, and in order."""

from __future__ import annotations

from functools import partial

import anyio
import pytest

from pipeline.journal import Pace, open_journal
from pipeline.journal.batches import COMMIT_TIME
from pipeline.model import NotSent
from tests.journal.builders import (
    CAMPAIGN,
    NOW,
    OTHER,
    OWNER,
    accepted,
    enlist,
    intent,
    later,
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


# --- Grouping ------------------------------------------------------------------------------------


async def test_a_permit_is_durable_when_begin_returns(tmp_path):
    journal, reader = (open_journal(f"sqlite:///{tmp_path}/j.db") for _ in range(2))
    enlist(journal)
    async with committing(journal) as committer:
        permit = await committer.begin(take(journal), intent(1))
        assert states(reader) == {"sending": 1, "ready": 2}

        committer.finish(finishing(permit.attempt))

    assert states(reader) == {"accepted": 1, "ready": 2}
    journal.close()
    reader.close()


async def test_whatever_waits_is_committed_together_with_one_begin_for_each_grant(journal):
    one, two = take(journal), take(journal, owner=OTHER)
    before = journal.commits
    async with committing(journal) as committer:
        answers = await all_of(
            *(partial(committer.begin, one, intent(row)) for row in (1, 2, 3)),
            *(partial(committer.begin, two, intent(row)) for row in (101, 102)),
        )
        assert journal.commits == before + 1

    assert [answer.attempt.row for answer in answers] == [1, 2, 3, 101, 102]
    assert journal.calls == [("begin", 0, [1, 2, 3]), ("begin", 1, [101, 102])]


async def test_a_full_group_does_not_linger(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=60, linger_requests=8) as committer:
        with anyio.fail_after(5):
            await all_of(*(partial(committer.begin, grant, intent(row)) for row in range(8)))


async def test_a_lone_request_lingers_no_longer_than_it_should(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=0.05) as committer:
        started = anyio.current_time()
        await committer.begin(grant, intent(1))

    assert 0.04 < anyio.current_time() - started < 1


async def test_what_waited_during_a_commit_is_the_next_group(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=0.0) as committer:
        journal.pause.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(committer.begin, grant, intent(1))
            await until(lambda: journal.calls)
            for row in range(2, 30):
                group.start_soon(committer.begin, grant, intent(row))

            await anyio.sleep(0.01)
            journal.pause.set()

    assert journal.calls == [("begin", 0, [1]), ("begin", 0, list(range(2, 30)))]


async def test_a_slot_starts_when_its_commit_is_likely_done(journal):
    """Slots that pass while their permits are not durable yet would be used as a burst."""
    grant = take(journal)
    async with committing(journal, clock=lambda: later(7)) as committer:
        assert (await committer.begin(grant, intent(1))).start_at == later(7) + COMMIT_TIME


async def test_the_pace_of_the_committer_is_reserved(journal):
    grant = take(journal)
    slow = Pace(account="4000000", rate_segments_per_second=4)
    async with committing(journal, pace=slow) as committer:
        answers = await all_of(*(partial(committer.begin, grant, intent(row)) for row in (1, 2)))

    assert [answer.start_at for answer in answers] == [NOW + COMMIT_TIME, later(0.25) + COMMIT_TIME]


async def test_a_slot_is_reserved_by_the_shared_clock_and_told_by_the_lanes_own(journal):
    """Two processes whose steady clocks started apart still share one rate, and neither stalls."""
    grant = take(journal)
    async with committing(
        journal, clock=lambda: later(7), lanes_clock=lambda: later(7 + 3600)
    ) as committer:
        permit = await committer.begin(grant, intent(1))

    assert permit.start_at == later(7 + 3600) + COMMIT_TIME
    with journal.transaction():
        (answer,) = journal.begin(
            grant,
            [intent(2)],
            pace=Pace(account="4000000", rate_segments_per_second=4),
            lease_seconds=60,
            now=later(7),
        )

    assert answer.start_at < later(8)


# --- Order ---------------------------------------------------------------------------------------


async def test_an_outcome_is_recorded_before_the_next_attempt_of_its_message(journal):
    grant = take(journal)
    async with committing(journal) as committer:
        permit = await committer.begin(grant, intent(1))
        committer.finish(finishing(permit.attempt, NotSent(reason="refused")))

        again = await committer.begin(grant, intent(1))

    assert again.attempt.number == 2


async def test_an_outcome_does_not_wait_for_anybody_and_needs_no_other_request(journal):
    grant = take(journal)
    async with committing(journal, linger_seconds=0.1) as committer:
        permit = await committer.begin(grant, intent(1))
        committer.finish(finishing(permit.attempt))
        assert states(journal)["sending"] == 1

        await until(lambda: states(journal).get("accepted") == 1)


async def test_calls_and_attempts_keep_the_order_they_were_asked_in(journal):
    grant = take(journal)
    async with committing(journal) as committer:
        attempt = (await committer.begin(grant, intent(9))).attempt
        journal.calls.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(committer.begin, grant, intent(1))
            group.start_soon(committer.call, lambda journal: journal.tally(CAMPAIGN))
            await anyio.lowlevel.checkpoint()
            committer.finish(finishing(attempt))
            group.start_soon(committer.begin, grant, intent(2))
            group.start_soon(committer.call, lambda journal: journal.tally(CAMPAIGN))

    assert journal.calls == [
        ("begin", 0, [1]),
        ("tally",),
        ("finish", [9]),
        ("begin", 0, [2]),
        ("tally",),
    ]


async def test_a_call_returns_what_the_journal_says(journal):
    async with committing(journal) as committer:
        grant = await committer.call(
            lambda journal: journal.take(CAMPAIGN, owner=OWNER, lease_seconds=9, now=NOW)
        )
        await committer.call(lambda journal: journal.leave(grant))

    assert grant.shard == 0


# --- Many lanes on a file ------------------------------------------------------------------------


async def test_many_lanes_on_a_file_lose_nothing_and_share_commits(tmp_path):
    journal, rows = open_journal(f"sqlite:///{tmp_path}/j.db"), iter(range(1, 2_001))
    enlist(journal, shard(rows=2_000))
    grant = take(journal)
    async with committing(journal) as committer:

        async def lane():
            for row in rows:
                permit = await committer.begin(grant, intent(row))
                committer.finish(finishing(permit.attempt, accepted(f"id-{row}")))

        await all_of(*[lane] * 50)

    assert states(journal) == {"accepted": 2_000}
    journal.close()
