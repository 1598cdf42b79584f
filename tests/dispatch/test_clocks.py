"""The wall clock jumps during a run: no shard is lost, nothing comes in doubt, nobody gets two."""

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from pipeline.dispatch.pace import SteadyClock
from pipeline.dispatch.stop import Stop
from pipeline.dispatch.worker import Job, Worker
from pipeline.journal import Pace, open_journal
from pipeline.journal.committer import Committer
from tests.dispatch.stage import CAMPAIGN, ScriptedProvider, enlist, read_shard, states

MESSAGES = 60


class Wall:
    """A wall clock that somebody sets."""

    def __init__(self):
        self.offset = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.offset


@pytest.mark.parametrize("jump", [-86_400, -3_600, -90, 90, 3_600, 86_400])
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_clock_that_jumps_takes_no_shard_away_and_puts_nothing_in_doubt(tmp_path, jump, store):
    path = tmp_path / "journal.db"
    journal = open_journal("memory:" if store == "memory" else f"sqlite:///{path}")
    enlist(journal, MESSAGES, shard_rows=6)
    provider, wall, tokens = ScriptedProvider(seconds=0.02), Wall(), []
    taken = journal.take
    journal.take = lambda *a, **b: remember(tokens, taken(*a, **b))

    async def run():
        stop, steady = Stop(), SteadyClock(datetime.now(UTC))
        pace = Pace(account="a", rate_segments_per_second=120.0)
        committer = Committer(
            journal, pace=pace, lease_seconds=60.0, clock=wall, lanes_clock=steady
        )
        job = Job(campaign=CAMPAIGN, owner="me", pace=pace, read_shard=read_shard)
        async with committer, anyio.create_task_group() as tasks:
            worker = Worker(job, committer=committer, wire=provider, stop=stop, clock=steady)
            tasks.start_soon(worker.run)
            await anyio.sleep(0.2)
            wall.offset = timedelta(seconds=jump)

    began = time.monotonic()
    anyio.run(run)

    assert states(journal) == {"accepted": MESSAGES}
    assert len(provider.posts) == len(set(provider.posts)) == MESSAGES
    assert {grant.token for grant in tokens} == {1}, "a shard was taken from its living owner"
    assert time.monotonic() - began < 4
    journal.close()


def remember(tokens, grant):
    if grant is not None:
        tokens.append(grant)

    return grant
