"""Exactly the account's rate: permits say when, this module makes the lanes of one process obey.

The journal reserves the account's rate across processes (`Journal.begin`); a lane then waits here
for its slot, is smoothed with its neighbours, and stops with all of them when the provider asks.

    begin ─> permit.start_at ─> slot (sleep) ─> bucket of 8 ms ─> POST
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
from aiolimiter import AsyncLimiter

from pipeline.dispatch.retries import Patience
from pipeline.dispatch.stop import Stop, StopReason
from pipeline.model import InDoubt, NotSent

#: What may leave at once beyond one message, in seconds of the rate. A bucket of a whole second
#: would send twice the rate in the first second; one of a single message alone would lose what
#: every timer is late: a twentieth of a rate of 50, half of a rate of 2,000.
BUCKET_SECONDS = 0.008

#: How much faster than the permits the bucket lets through: what a stall held back would else stay
#: behind for ever, and every further stall would cost some of the rate.
CATCH_UP = 1.008

#: The share of the contract that is used. Slots are exact, timers and networks are not: at exactly
#: the rate, any second that catches one early arrival holds one too many.
RATE_SHARE = 0.997

#: A permit that could be used but was not for so long (a frozen process) is forfeited: its share of
#: the rate is gone, and using it now would come on top of somebody else's.
PERMIT_LIFE_SECONDS = 0.5

#: After this many failures in a row, and no success between, one message's trouble is everybody's.
COMMON_TROUBLE = 10

#: After this many lost answers in a row the run stops: a wrong address or a proxy that swallows
#: answers would put the whole campaign in doubt.
MOST_DOUBTS_IN_A_ROW = 20

_TOO_MANY_REQUESTS = 429


def quiet_the_collector() -> None:
    """Keep the garbage collector from stopping the lanes; call it once everything is loaded.

    A full collection over all that a start-up leaves stops the process for 50 ms: a hundred
    messages late at 2,000 a second, and then a burst.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 2, 1_000)


class SteadyClock:
    """The wall clock as it was at the start, moved on by a clock that never jumps (UTC)."""

    def __init__(self, now: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start, self._monotonic, self._origin = now.astimezone(UTC), monotonic, monotonic()

    def __call__(self) -> datetime:
        """Return now, aware, UTC."""
        return self._start + timedelta(seconds=self._monotonic() - self._origin)


class Pacer:
    """Lets the lanes of one process through at the rate, in segments per second."""

    def __init__(
        self,
        rate_segments_per_second: float,
        *,
        clock: Callable[[], datetime],
        stop: Stop,
        patience: Patience,
    ) -> None:
        self._capacity = 1.0 + rate_segments_per_second * BUCKET_SECONDS
        leak = rate_segments_per_second * CATCH_UP
        self._bucket = AsyncLimiter(self._capacity, self._capacity / leak)
        self._turn = anyio.Lock(fast_acquire=True)
        self._clock, self._stop, self._patience = clock, stop, patience
        self._open_at = clock()
        self._failures = self._doubts = 0

    async def opened(self) -> None:
        """Wait while the whole account is paused; returns at once when a stop is requested."""
        while not self._stop.requested and (wait := self._seconds_until(self._open_at)) > 0:
            await self._stop.sleep(wait)

    async def slot(self, start_at: datetime, segments: int) -> bool:
        """Wait for a permit's moment and a place in the bucket.

        Returns:
            False where the permit may not be used: a stop was requested, or it is too old.
        """
        usable_at = max(start_at, self._clock())
        await self.until(start_at)
        async with self._turn:  # in the order of the permits: the bucket would let small ones pass
            await self._bucket.acquire(min(float(segments), self._capacity))

        return not self._stop.requested and self._seconds_until(usable_at) > -PERMIT_LIFE_SECONDS

    async def until(self, moment: datetime) -> None:
        """Sleep until `moment`; a long sleep ends early when a stop is requested."""
        wait = self._seconds_until(moment)
        if wait > BUCKET_SECONDS * 5:
            await self._stop.sleep(wait)
        elif wait > 0:
            await anyio.sleep(wait)

    def succeeded(self) -> None:
        """Note that the provider took a message or refused it for itself: it is there."""
        self._failures = self._doubts = 0

    def doubted(self, outcome: InDoubt) -> None:
        """Note that an answer was lost; stop the run where all of them are."""
        self._doubts += 1
        if self._doubts >= MOST_DOUBTS_IN_A_ROW:
            because = f"{self._doubts} answers in a row were lost ({outcome.reason})"
            self._stop.request(StopReason.UNREACHABLE, because)

    def failed(self, outcome: NotSent) -> None:
        """Note that the provider took nothing; pause every lane where it concerns them all.

        A full queue (429) and a provider that cannot be reached concern the whole account. So does
        any failure that repeats `COMMON_TROUBLE` times without a success between.
        """
        self._failures += 1
        is_common = outcome.http_status in {None, _TOO_MANY_REQUESTS}
        if not (is_common or self.is_in_trouble) or self._seconds_until(self._open_at) > 0:
            return

        pause = outcome.retry_after_seconds or min(
            self._patience.first_pause_seconds * 2 ** min(self._failures // COMMON_TROUBLE, 10),
            self._patience.longest_pause_seconds,
        )
        self._open_at = self._clock() + timedelta(seconds=pause * random.uniform(1.0, 1.3))

    @property
    def is_in_trouble(self) -> bool:
        """True while the provider takes nothing from anybody."""
        return self._failures >= COMMON_TROUBLE

    def _seconds_until(self, moment: datetime) -> float:
        return (moment - self._clock()).total_seconds()
