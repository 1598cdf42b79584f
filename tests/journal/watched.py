"""A journal that is watched, and a committer for it."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import anyio

from pipeline.errors import JournalError
from pipeline.journal import Finish
from pipeline.journal.committer import Committer
from pipeline.journal.memory import MemoryJournal
from tests.journal.builders import (
    FAST,
    LEASE_SECONDS,
    NOW,
    OWNER,
    accepted,
)


class Watched(MemoryJournal):
    """A journal that tells what reached it, can be made slow, and can fail like a full disk."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.commits = 0
        self.fails = False
        self.pause = threading.Event()
        self.pause.set()

    @contextmanager
    def transaction(self):
        outermost = self._depth == 0
        with super().transaction():
            yield

        self.commits += outermost

    def _commit(self):
        self.pause.wait(5)
        if self.fails:
            self._undo()
            raise JournalError("the disk is full")

        super()._commit()

    def begin(self, grant, intents, **more):
        self.calls.append(("begin", grant.shard, [each.row for each in intents]))
        return super().begin(grant, intents, **more)

    def finish(self, finishes):
        self.calls.append(("finish", [each.attempt.row for each in finishes]))
        super().finish(finishes)

    def tally(self, campaign):
        self.calls.append(("tally",))
        return super().tally(campaign)


def committing(journal, **more):
    options = {"pace": FAST, "lease_seconds": LEASE_SECONDS, "clock": lambda: NOW}
    return Committer(journal, **(options | more))


def finishing(attempt, outcome=None, *, owner=OWNER):
    return Finish(attempt=attempt, owner=owner, outcome=outcome or accepted(), at=NOW)


async def all_of(*functions):
    """Run them side by side; return what each returned or raised, in order."""
    results = [None] * len(functions)

    async def run(index, function):
        try:
            results[index] = await function()
        except Exception as error:
            results[index] = error

    async with anyio.create_task_group() as group:
        for index, function in enumerate(functions):
            group.start_soon(run, index, function)

    return results


async def until(condition):
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - the writer thread has no event to wait for
            await anyio.sleep(0.001)
