"""The one clock of the simulator: everything that takes time behind the API is measured by it.

    RunningClock(scale=1)       the simulator's seconds are yours
    RunningClock(scale=1000)    its seconds are a thousandth of yours: a day passes in 86 s
    StoppedClock(start)         no time passes but what `advance_to` lets pass: byte for byte alike

A *second* is one of the simulator's, unless it is called a caller's. Moments that are shown to
callers stay on the callers' own calendar, so that what they sent and what they are told agree.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by both clocks."""

    #: Seconds of the simulator since some moment in the past; never go back.
    seconds: float
    #: The same moment by the callers' calendar (aware, UTC).
    at: datetime
    #: Seconds of the simulator in one of the callers'.
    scale: float = 1.0

    def wall(self, seconds: float) -> datetime:
        """Return what the callers' calendar shows at another moment of `seconds`."""
        return self.at + timedelta(seconds=(seconds - self.seconds) / self.scale)

    def until(self, at: datetime) -> float:
        """Return the moment of `seconds` at which the callers' calendar shows `at`."""
        return self.seconds + (at - self.at).total_seconds()


class Clock(ABC):
    """Tells the time; `RunningClock` is right unless time is what you test."""

    #: Seconds of the simulator in one of the callers'.
    scale: float = 1.0

    @abstractmethod
    def seconds(self) -> float:
        """Return the seconds since some moment in the past: for spans, deadlines and order."""

    @abstractmethod
    def moment(self) -> Moment:
        """Return now, by both clocks."""

    def callers_seconds(self, seconds: float) -> float:
        """Return how long a span of the simulator's takes by the callers' clock."""
        return seconds / self.scale


class RunningClock(Clock):
    """Runs by itself, `scale` times as fast as the callers' clocks.

    Raises:
        ValueError: a scale that is not above 0.
    """

    def __init__(self, scale: float = 1.0) -> None:
        if not 0 < scale < float("inf"):
            raise ValueError(f"a clock runs at a number above 0, not {scale}")

        self.scale = scale

    def seconds(self) -> float:
        """Return the monotonic clock, scaled."""
        return time.monotonic() * self.scale

    def moment(self) -> Moment:
        """Return now."""
        return Moment(self.seconds(), datetime.now(UTC), self.scale)


class StoppedClock(Clock):
    """Stands still until it is advanced; it shows `start` first."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._seconds = 0.0

    def seconds(self) -> float:
        """Return the seconds that were let pass."""
        return self._seconds

    def moment(self) -> Moment:
        """Return `start` and what was let pass."""
        return Moment(self._seconds, self._start + timedelta(seconds=self._seconds))

    def advance_to(self, seconds: float) -> None:
        """Let the time pass until then; a moment that has passed changes nothing."""
        self._seconds = max(self._seconds, seconds)
