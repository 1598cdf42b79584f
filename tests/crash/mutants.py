"""Bandcasts that break a promise on purpose: proof that the crash stories can fail.

Run as ``python -m tests.crash.mutants MUTANT send ...``: the command line of bandcast, with one
defect.

    unrecorded   a message goes before its intent is durable; both are written after the POST
    looks_first  the budget is looked at before the transaction that reserves, and not in it
    forgetful    what the open attempts of a dead run had reserved is given back
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from jobs.cli import main
from pipeline.errors import Fenced
from pipeline.journal import NO_BUDGET, OverBudget, Permit
from pipeline.journal.committer import Committer
from pipeline.journal.spending import over
from pipeline.journal.sqlite import SqliteJournal
from pipeline.model import AttemptId

remembered = {}
recordings = set()


async def begin_without_an_intent(self, grant, intent):
    """Give leave to POST, and only remember what should have been written before."""
    remembered[intent.row] = (grant, intent)
    attempt = AttemptId(run=grant.run, row=intent.row, number=1)
    return Permit(attempt=attempt, start_at=datetime.now(UTC))


def finish_with_the_intent(self, finish):
    """Write intent and outcome together, after the POST."""
    grant, intent = remembered.pop(finish.attempt.row)

    def record(journal):
        (permit,) = journal.begin(
            grant, [intent], pace=self._batches.pace, lease_seconds=60, now=datetime.now(UTC)
        )
        journal.finish([replace(finish, attempt=permit.attempt)])

    async def record_at_last():
        with suppress(Fenced):  # the shard was left meanwhile: another text that nobody wrote down
            await self.call(record)

    recording = asyncio.ensure_future(record_at_last())
    recordings.add(recording)
    recording.add_done_callback(recordings.discard)


def unrecorded():
    Committer.begin = begin_without_an_intent
    Committer.finish = finish_with_the_intent


def looks_first():
    """Read the sums in one transaction, and reserve in the next one, whatever they are then."""
    begin_at_once = Committer.begin

    async def begin(self, grant, intent):
        budget, pace = self._batches.budget, self._batches.pace
        known = await self.call(
            lambda journal: journal.spending(
                grant.campaign, account=pace.account, now=datetime.now(UTC)
            )
        )
        if (passed := over(budget, known, intent.cost_micros)) is not None:
            return OverBudget(row=intent.row, budget=passed)

        return await begin_at_once(self, grant, intent)

    begin_in_the_store = SqliteJournal.begin

    def begin_without_looking(self, *arguments, budget, **more):
        return begin_in_the_store(self, *arguments, budget=NO_BUDGET, **more)

    Committer.begin = begin
    SqliteJournal.begin = begin_without_looking


def forgetful():
    """Take a shard over, and forget the price of what its last owner had open."""
    take_with_all = SqliteJournal.take

    def take(self, campaign, **how):
        with self.transaction():
            self._file._execute("UPDATE purse SET sending = 0")
            self._file._execute("UPDATE message SET cost_micros = 0 WHERE state = 'sending'")
            return take_with_all(self, campaign, **how)

    SqliteJournal.take = take


MUTANTS = {each.__name__: each for each in (unrecorded, looks_first, forgetful)}

if __name__ == "__main__":
    MUTANTS[sys.argv.pop(1)]()
    main()
