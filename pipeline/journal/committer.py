"""The asynchronous side of a journal: one thread writes, and whatever waits is committed together.

    lanes ── begin, finish, call ──> waiting ──> writer thread: one transaction ──> answers

A lone request lingers for company, at most 10 ms or until 64 wait; what gathered during a commit
has waited already. A journal that failed once is not written again, so nothing is sent unrecorded;
but for what the requests in flight came to, once at the end: late knowledge is true.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

import anyio

from pipeline.errors import JournalError
from pipeline.journal import (
    NO_BUDGET,
    Answer,
    Budget,
    Finish,
    Grant,
    Intent,
    Journal,
    Pace,
    Permit,
)
from pipeline.journal.batches import Batches, Begin, Call, Reply, Request, refuse
from pipeline.model import NotSent

LINGER_SECONDS = 0.010
LINGER_REQUESTS = 64

T = TypeVar("T")


class Committer:
    """Group commit for the lanes of one event loop; it owns the journal while it is entered.

    Args:
        journal: used by the writer thread only, and not closed at the end.
        pace: what every `begin` reserves against.
        budget: what no `begin` may pass.
        lease_seconds: how long a begun attempt renews its shard's lease.
        clock: the clock that every process on this journal shares: the wall clock (aware, UTC).
        lanes_clock: the one the lanes wait by, if another: what an answer says is by this clock.
        linger_seconds: how long the first request waits for company.
        linger_requests: how many are company enough.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        pace: Pace,
        budget: Budget = NO_BUDGET,
        lease_seconds: float,
        clock: Callable[[], datetime],
        lanes_clock: Callable[[], datetime] | None = None,
        linger_seconds: float = LINGER_SECONDS,
        linger_requests: int = LINGER_REQUESTS,
    ) -> None:
        #: Why nothing is written any more; None while all is well.
        self.broken: JournalError | None = None
        #: The clock that every process on the journal shares.
        self.clock = clock
        self._journal = journal
        self._batches = Batches(
            journal=journal,
            pace=pace,
            budget=budget,
            lease_seconds=lease_seconds,
            clock=clock,
            lanes_clock=lanes_clock or clock,
        )
        self._linger_seconds = linger_seconds
        self._linger_requests = linger_requests
        self._waiting: list[Request] = []
        self._unrecorded: list[Finish] = []
        self._waiting_since = 0.0
        self._closing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit everything queued, then stop; what broke the journal is raised here at last."""
        with self._wake:
            self._linger_seconds = 0.0  # no more company is to come
            self._wake.notify()

        try:
            with anyio.CancelScope(shield=True):
                await self._settle()
        finally:
            with self._wake:
                self._closing = True
                self._wake.notify()

            self._thread.join()

        if self.broken is not None and not _carries(error, self.broken):
            raise self.broken

    async def begin(self, grant: Grant, intent: Intent) -> Answer:
        """Ask to POST a message once; a `Permit` is durable when this returns.

        An attempt whose caller was cancelled meanwhile is recorded as not sent.

        Raises:
            Fenced: the shard is somebody else's now.
            JournalError: it could not be recorded, or an earlier commit failed.
        """
        request = Begin(grant, intent, self._loop.create_future())
        self._enqueue(request)
        try:
            return await request.future
        except asyncio.CancelledError:
            answered = request.future.done() and not request.future.cancelled()
            if answered and request.future.exception() is None:
                self._give_back(grant, request.future.result())

            raise

    def finish(self, finish: Finish) -> None:
        """Record an outcome with the next commit, before everything asked for later."""
        self._enqueue(finish)

    async def call(self, operation: Callable[[Journal], T]) -> T:
        """Run `operation` on the journal in the writer thread, after what was asked before.

        What it did is durable when this returns. Where another operation of the same transaction
        fails, it is undone and run again: it must be repeatable.

        Raises:
            JournalError: the journal failed, now or earlier.
            Exception: whatever else `operation` raises; nothing of it was recorded.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._enqueue(Call(operation, future))
        return await future

    # --- On the event loop -----------------------------------------------------------------------

    def _enqueue(self, request: Request) -> None:
        if self.broken is not None and not isinstance(request, Finish):
            raise self.broken

        with self._wake:
            if self._closing:
                raise JournalError("the journal's writer has stopped: this came too late")

            self._waiting.append(request)
            if len(self._waiting) == 1:
                self._waiting_since = time.monotonic()

            if len(self._waiting) in (1, self._linger_requests):
                self._wake.notify()

    def _deliver(self, replies: Sequence[Reply]) -> None:
        for request, answer, error in replies:
            if request.future.cancelled():
                if isinstance(request, Begin):
                    self._give_back(request.grant, answer)
            elif error is not None:
                request.future.set_exception(error)
            else:
                request.future.set_result(answer)

    def _give_back(self, grant: Grant, answer: Answer | None) -> None:
        """Nobody is left to use this answer: a permit in it was not sent."""
        if isinstance(answer, Permit):
            outcome = NotSent(reason="cancelled before sending")
            at = self.clock()
            self.finish(Finish(attempt=answer.attempt, owner=grant.owner, outcome=outcome, at=at))

    async def _settle(self) -> None:
        """Wait until nothing is queued: an answer that finds nobody may queue one more outcome."""
        with contextlib.suppress(JournalError):  # it is in `broken`, and raised from there
            await self.call(_do_nothing)
            while self._waiting:
                await self.call(_do_nothing)

    # --- In the writer thread --------------------------------------------------------------------

    def _write(self) -> None:
        while batch := self._next_batch():
            replies = self._commit(batch)
            self._loop.call_soon_threadsafe(self._deliver, replies)

        if self._unrecorded:
            with contextlib.suppress(Exception):  # `broken` says already what is wrong
                self._journal.finish(self._unrecorded)

    def _next_batch(self) -> list[Request]:
        """Wait for a request and for its company; empty at the end."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closing)
            while len(self._waiting) < self._linger_requests and not self._closing:
                left = self._waiting_since + self._linger_seconds - time.monotonic()
                if left <= 0:
                    break

                self._wake.wait(left)

            batch, self._waiting = self._waiting, []
            return batch

    def _commit(self, batch: list[Request]) -> list[Reply]:
        """Make a batch durable; whatever goes wrong ends in a reply or in `broken`."""
        if self.broken is not None:
            return self._refuse(batch, self.broken)

        try:
            with self._journal.transaction():
                return self._batches.run(batch)
        except JournalError as error:
            self.broken = error
        except Exception as error:
            if len(batch) > 1:
                return [reply for request in batch for reply in self._commit([request])]

            if isinstance(batch[0], Call):
                return refuse(batch, error)

            self.broken = JournalError(f"the journal failed unexpectedly: {type(error).__name__}")
            self.broken.__cause__ = error

        return self._refuse(batch, self.broken)

    def _refuse(self, batch: list[Request], error: JournalError) -> list[Reply]:
        self._unrecorded += [request for request in batch if isinstance(request, Finish)]
        return refuse(batch, error)


def _carries(error: BaseException | None, cause: JournalError) -> bool:
    """Tell whether an exception on its way out already tells of `cause`."""
    if isinstance(error, BaseExceptionGroup):
        return any(_carries(each, cause) for each in error.exceptions)

    return error is cause


def _do_nothing(_: Journal) -> None:
    """Ride behind everything queued."""
