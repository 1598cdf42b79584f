"""Runs the lanes of one process until the plan is sent, or somebody says stop.

journal ─> Feed ─> lanes (one message at a time each) ─> Sender ─> journal
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import anyio
import anyio.abc

from pipeline.dispatch.feed import Feed
from pipeline.dispatch.pace import Pacer
from pipeline.dispatch.retries import Patience
from pipeline.dispatch.sender import Counts, Sender, Wire
from pipeline.dispatch.stop import Stop, StopReason
from pipeline.errors import Fenced, JournalError
from pipeline.journal import NO_BUDGET, Budget, Grant, Journal, Pace
from pipeline.journal.committer import Committer
from pipeline.model import Message

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0

#: At least this many, so that one slow answer does not hold a small rate up.
FEWEST_LANES = 4
#: A crash leaves at most one message a lane in doubt.
MOST_LANES = 500
#: Assumed until enough answers were timed.
FIRST_LATENCY_SECONDS = 0.15
_ENOUGH_TIMED = 20
_GROW_EVERY_SECONDS = 1.0


def lanes_needed(rate_segments_per_second: float, latency_seconds: float) -> int:
    """Return how many messages must be in flight to keep the rate up (Little's law, and 30 %)."""
    needed = math.ceil(rate_segments_per_second * latency_seconds * 1.3)
    return min(MOST_LANES, max(FEWEST_LANES, needed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker is to send, and as whom."""

    campaign: str
    #: Unique to this process and never reused.
    owner: str
    pace: Pace
    #: What may be spent; the committer holds every attempt to it.
    budget: Budget = NO_BUDGET
    #: Reads a shard's payload back into messages.
    read_shard: Callable[[bytes], Iterable[Message]]
    lease_seconds: float = LEASE_SECONDS
    patience: Patience = field(default_factory=Patience)


class Worker:
    """Sends shards of one campaign at the account's rate."""

    def __init__(
        self,
        job: Job,
        *,
        committer: Committer,
        wire: Wire,
        stop: Stop,
        clock: Callable[[], datetime],
    ) -> None:
        rate = job.pace.rate_segments_per_second
        self._job, self._stop, self._now = job, stop, committer.clock
        self._feed = Feed(committer=committer, take=self._take, read_shard=job.read_shard)
        self._sender = Sender(
            wire=wire,
            committer=committer,
            pacer=Pacer(rate, clock=clock, stop=stop, patience=job.patience),
            patience=job.patience,
            stop=stop,
            clock=clock,
        )
        self._alive = 0
        self._growth = anyio.CancelScope()
        self._failure: JournalError | None = None

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return self._sender.counts

    async def run(self) -> None:
        """Send until no shard is left or a stop is requested; then give back what was taken.

        Raises:
            JournalError: the journal failed. No POST began after that; those in flight were
                awaited, but what they came to may not be recorded.
        """
        async with anyio.create_task_group() as helpers:
            helpers.start_soon(self._renew_leases)
            async with anyio.create_task_group() as lanes:
                lanes.start_soon(self._grow, lanes)
                self._add_lanes(lanes, FIRST_LATENCY_SECONDS)

            helpers.cancel_scope.cancel()

        if self._failure is not None:
            raise self._failure

        await self._feed.close()

    def _take(self, journal: Journal) -> Grant | None:
        return journal.take(
            self._job.campaign,
            owner=self._job.owner,
            lease_seconds=self._job.lease_seconds,
            now=self._now(),
        )

    async def _lane(self) -> None:
        try:
            while not self._stop.requested and (given := await self._feed.next()) is not None:
                await self._send(*given)
        except JournalError as error:
            self._broken(error)
        finally:
            self._alive -= 1
            if not self._alive:
                self._growth.cancel()

    def _broken(self, error: JournalError) -> None:
        self._failure = self._failure or error
        self._stop.request(StopReason.BROKEN, str(error))

    async def _send(self, grant: Grant, message: Message) -> None:
        try:
            settled = await self._sender.send(grant, message)
        except Fenced:
            self._feed.drop(grant)
        else:
            await self._feed.came_home(grant, settled=settled)

    def _add_lanes(self, lanes: anyio.abc.TaskGroup, latency_seconds: float) -> None:
        wanted = lanes_needed(self._job.pace.rate_segments_per_second, latency_seconds)
        for _ in range(self._alive, wanted):
            self._alive += 1
            lanes.start_soon(self._lane)

    async def _grow(self, lanes: anyio.abc.TaskGroup) -> None:
        with self._growth:
            while True:
                await anyio.sleep(_GROW_EVERY_SECONDS)
                latencies = sorted(self.counts.latencies)
                if len(latencies) >= _ENOUGH_TIMED:
                    self._add_lanes(lanes, latencies[int(len(latencies) * 0.99)])

    async def _renew_leases(self) -> None:
        job = self._job

        def lease_of(grant: Grant) -> Callable[[Journal], object]:
            return lambda journal: journal.begin(
                grant, [], pace=job.pace, lease_seconds=job.lease_seconds, now=self._now()
            )

        while not self._failure:
            await anyio.sleep(job.lease_seconds / 3)
            try:
                await self._feed.renew(lease_of)
            except JournalError as error:
                self._broken(error)
