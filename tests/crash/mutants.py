"""A bandcast that breaks its promise on purpose: proof that the crash stories can fail.

Run as ``python -m tests.crash.mutants send ...``: the command line of bandcast, with a committer
that lets a message go before its intent is durable, and records intent and outcome together
afterwards.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from jobs.cli import main
from pipeline.errors import Fenced
from pipeline.journal import Permit
from pipeline.journal.committer import Committer
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


if __name__ == "__main__":
    Committer.begin = begin_without_an_intent
    Committer.finish = finish_with_the_intent
    main()
