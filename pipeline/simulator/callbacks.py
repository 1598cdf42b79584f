"""Callbacks: what happened, posted to the application, as unreliably as configured.

One heap orders what is due, one loop takes from it, a few tasks post. Delivered at least once, in
arrays, in no promised order. Without a 2xx within 10 seconds an event is posted again, after pauses
that double from a second to an hour, for 24 hours; then it is given up. The loop also looks at the
account's queue, which has no timers of its own.

Where the clock is stopped there are no tasks: `pass_time` posts one after another what comes due.
"""

from __future__ import annotations

import base64
import heapq
import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from pipeline.bandwidth.wire import Callback, encode
from pipeline.simulator.behaviour import Behaviour, Dice
from pipeline.simulator.clock import Clock, StoppedClock

ANSWER_SECONDS = 10.0  #: a receiver that takes longer has not answered ...
LEAST_ANSWER_SECONDS = 1.0  #: ... but it is given this much of its own time, whatever the scale
RETRY_SECONDS = 24 * 3_600.0  #: how long an event is posted again
FIRST_PAUSE_SECONDS = 1.0  #: before the second post; doubles ...
MOST_PAUSE_SECONDS = 3_600.0  #: ... up to this
_POSTERS = 8

_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "BandwidthAPI/v2"}


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """An event and when to post it; compares by time, then by order of scheduling."""

    at: float
    number: int
    #: When it was posted first; infinite where it was not.
    first_at: float
    pause_seconds: float
    event: Callback


class Callbacks:
    """Posts events when they are due, while `running`; what is scheduled before waits.

    `settle_queue` is told the time and returns when it wants to be told again.
    """

    def __init__(
        self,
        url: str | None,
        *,
        auth: tuple[str, str] | None,
        behaviour: Behaviour,
        dice: Dice,
        clock: Clock,
        settle_queue: Callable[[float], float],
    ) -> None:
        self._url = url
        self._headers = _HEADERS | ({"authorization": _basic(*auth)} if auth else {})
        self._behaviour, self._dice, self._clock = behaviour, dice, clock
        self._settle_queue = settle_queue
        self._answer_seconds = max(clock.callers_seconds(ANSWER_SECONDS), LEAST_ANSWER_SECONDS)
        self._session: aiohttp.ClientSession | None = None
        self._heap: list[_Due] = []
        self._numbers = itertools.count()
        self._first_number = 0  # events before it are forgotten
        self._sleeps_until = -math.inf
        self._wake = anyio.Event()
        self._passing = anyio.Lock()
        #: Posts that were made, and events that got their 2xx, or were given up without one.
        self.posts = self.posted = self.given_up = 0
        self._in_hand = 0

    @property
    def pending(self) -> int:
        """Events that wait to be posted, or are being posted."""
        return len(self._heap) + self._in_hand

    @property
    def is_wanted(self) -> bool:
        """Tell whether anybody listens."""
        return self._url is not None

    def clear(self) -> None:
        """Forget what waits, and that anything was posted."""
        self._heap.clear()
        self._first_number = next(self._numbers)
        self.posts = self.posted = self.given_up = 0

    def schedule(self, event: Callback, *, at: float, occasion: str) -> None:
        """Post the event at `at` (clock), or late, twice or never: as `occasion` rolls."""
        for due in self._due_times(at, f"{event.type}/{event.to}/{occasion}"):
            self._push(_Due(due, next(self._numbers), math.inf, FIRST_PAUSE_SECONDS, event))

    def nudge(self, at: float) -> None:
        """Wake the loop, if it would sleep beyond `at`."""
        if at < self._sleeps_until:
            self._sleeps_until = -math.inf
            self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post what is due until the block ends; what is pending then is dropped."""
        send, receive = anyio.create_memory_object_stream[list[_Due]]()
        async with (
            aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=self._answer_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            send,
            receive,
            anyio.create_task_group() as group,
        ):
            self._session = session
            if not isinstance(self._clock, StoppedClock):
                group.start_soon(self._take_due, send)
                for _ in range(_POSTERS):
                    group.start_soon(self._post_all, receive)

            yield
            self._session = None
            group.cancel_scope.cancel()

    async def pass_time(self, clock: StoppedClock, seconds: float) -> None:
        """Let the time pass, with everything that happens meanwhile, in its order."""
        async with self._passing:
            until = clock.seconds() + seconds
            while (at := self._next(clock.seconds())) <= until:
                clock.advance_to(at)
                self._settle_queue(clock.seconds())
                if self._session and self._is_due():
                    await self._post_batch(self._pop_batch())

            clock.advance_to(until)

    # --- What is due ------------------------------------------------------------------------------

    def _due_times(self, at: float, occasion: str) -> Iterator[float]:
        behaviour, hits = self._behaviour, self._dice.hits
        if hits("unreceipted", behaviour.unreceipted, occasion):
            return

        if hits("late", behaviour.late, occasion):
            at += behaviour.late_ms / 1000

        if hits("reorder", behaviour.reorder, occasion):
            held_back = self._dice.roll("held back", occasion)
            at += behaviour.delivery_ms / 1000 * (1 + 2 * held_back)

        yield at
        if hits("duplicate", behaviour.duplicate, occasion):
            yield at + behaviour.delivery_ms / 1000 * self._dice.roll("again", occasion)

    def _push(self, due: _Due) -> None:
        heapq.heappush(self._heap, due)
        self.nudge(due.at)

    def _next(self, now: float) -> float:
        """Return when something happens next, with the queue as it is `now`."""
        wanted = self._settle_queue(now)
        first = self._heap[0].at if self._heap and self._session else math.inf
        return min(wanted, first)

    def _is_due(self) -> bool:
        return bool(self._heap) and self._heap[0].at <= self._clock.seconds()

    def _pop_batch(self) -> list[_Due]:
        batch = [heapq.heappop(self._heap)]
        while self._is_due() and len(batch) < self._behaviour.batch:
            batch.append(heapq.heappop(self._heap))

        self._in_hand += len(batch)
        return batch

    async def _take_due(self, send: MemoryObjectSendStream[list[_Due]]) -> None:
        while True:
            now = self._clock.seconds()
            wanted = self._next(now)
            if self._is_due():
                await send.send(self._pop_batch())
                continue

            self._wake, self._sleeps_until = anyio.Event(), wanted
            with anyio.move_on_after(self._clock.callers_seconds(max(wanted - now, 0))):
                await self._wake.wait()

            self._sleeps_until = -math.inf

    # --- Posting ----------------------------------------------------------------------------------

    async def _post_all(self, receive: MemoryObjectReceiveStream[list[_Due]]) -> None:
        async for batch in receive:
            await self._post_batch(batch)

    async def _post_batch(self, batch: list[_Due]) -> None:
        began = self._clock.seconds()
        is_taken = await self._post([due.event for due in batch])
        self._in_hand -= len(batch)
        for due in batch:
            if due.number < self._first_number:
                continue  # forgotten meanwhile

            if is_taken:
                self.posted += 1
            else:
                self._post_again(due, first_at=min(due.first_at, began))

    async def _post(self, events: list[Callback]) -> bool:
        session, url = self._session, self._url
        assert session is not None
        assert url is not None  # only then is anything scheduled and taken
        self.posts += 1
        try:
            async with session.post(url, data=encode(events), allow_redirects=False) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):  # not answered is not received
            return False

        return 200 <= answer.status < 300

    def _post_again(self, due: _Due, *, first_at: float) -> None:
        at = self._clock.seconds() + due.pause_seconds
        if at - first_at > RETRY_SECONDS:
            self.given_up += 1
            return

        pause_seconds = min(due.pause_seconds * 2, MOST_PAUSE_SECONDS)
        self._push(_Due(at, next(self._numbers), first_at, pause_seconds, due.event))


def _basic(name: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"
