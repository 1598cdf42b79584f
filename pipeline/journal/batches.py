"""What a batch of waiting requests does to a journal, inside one transaction.

Outcomes are recorded before attempts are begun, and all intents of a shard are begun in one call.
Knows nothing of threads and event loops: that is `committer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, assert_never

from pipeline.errors import Fenced
from pipeline.journal import (
    Answer,
    Budget,
    Denied,
    Finish,
    Grant,
    Intent,
    Journal,
    Later,
    OverBudget,
    Pace,
    Permit,
)

#: How long a commit usually takes. Slots are reserved from then on: those that pass before the
#: permit is durable would be used together, as a burst.
COMMIT_TIME = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True, eq=False)
class Begin:
    """A lane asks to POST a message once."""

    grant: Grant
    intent: Intent
    future: asyncio.Future[Answer]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Somebody asks for an operation on the journal."""

    operation: Callable[[Journal], Any]
    future: asyncio.Future[Any]


Request = Begin | Call | Finish
#: What a request came to: its answer, or the exception to raise instead.
Reply = tuple[Begin | Call, Any, BaseException | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Runs batches on a journal.

    Raises:
        Exception: what an operation raises; the whole transaction is to be undone then.
    """

    journal: Journal
    pace: Pace
    budget: Budget
    lease_seconds: float
    #: The clock that every process on the journal shares.
    clock: Callable[[], datetime]
    #: The clock the lanes wait by: what an answer says is by this one.
    lanes_clock: Callable[[], datetime]

    def run(self, batch: list[Request]) -> list[Reply]:
        """Run the requests of a batch in order; Fenced is a reply like any other."""
        replies: list[Reply] = []
        for is_call, requests in groupby(batch, key=lambda request: isinstance(request, Call)):
            run = self._run_calls if is_call else self._run_attempts
            replies += run(list(requests))

        return replies

    def _run_calls(self, requests: list[Request]) -> list[Reply]:
        replies: list[Reply] = []
        for request in requests:
            if isinstance(request, Call):
                try:
                    replies.append((request, request.operation(self.journal), None))
                except Fenced as error:
                    replies.append((request, None, error))

        return replies

    def _run_attempts(self, requests: list[Request]) -> list[Reply]:
        """Outcomes first: an attempt that is begun here cannot have one yet."""
        if finishes := [request for request in requests if isinstance(request, Finish)]:
            self.journal.finish(finishes)

        lanes: dict[tuple[str, int, int, str], list[Begin]] = {}
        for request in requests:
            if isinstance(request, Begin) and not request.future.cancelled():
                grant = request.grant
                key = (grant.campaign, grant.shard, grant.token, grant.owner)
                lanes.setdefault(key, []).append(request)

        return [reply for begins in lanes.values() for reply in self._run_begins(begins)]

    def _run_begins(self, begins: list[Begin]) -> list[Reply]:
        now = self.clock()
        try:
            answers = self.journal.begin(
                begins[0].grant,
                [begin.intent for begin in begins],
                pace=self.pace,
                budget=self.budget,
                lease_seconds=self.lease_seconds,
                now=now + COMMIT_TIME,
            )
        except Fenced as error:
            return refuse(begins, error)

        ahead = self.lanes_clock() - now
        replies = zip(begins, answers, strict=True)
        return [(begin, _moved(answer, ahead), None) for begin, answer in replies]


def _moved(answer: Answer, ahead: timedelta) -> Answer:
    """Say an answer's moment by a clock that is so far ahead."""
    match answer:
        case Permit(start_at=moment):
            return replace(answer, start_at=moment + ahead)
        case Later(ask_at=moment):
            return replace(answer, ask_at=moment + ahead)
        case Denied() | OverBudget():
            return answer
        case _:
            assert_never(answer)


def refuse(batch: Sequence[Request], error: Exception) -> list[Reply]:
    """Answer everybody who waits with an error."""
    return [(request, None, error) for request in batch if not isinstance(request, Finish)]
