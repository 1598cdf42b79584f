"""One wish to end the run before its end, and why. The first reason stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum

import anyio


class StopReason(Enum):
    """Why a run ended before the plan did."""

    ASKED = "asked"  #: SIGINT, SIGTERM or SIGHUP
    PAUSED = "paused"  #: somebody asked for it in the journal
    DEADLINE = "deadline"  #: it was to end by now
    REFUSED = "refused"  #: credentials, permission or address: no message would be taken
    UNREACHABLE = "unreachable"  #: the provider took nothing for too long
    BUDGET = "budget"  #: the next message would pass it
    BROKEN = "broken"  #: the journal cannot record any more


class Stop:
    """Tells every lane to finish what is in flight and begin nothing more.

    Args:
        until: when the run is to end; the clock is asked before every POST, so that a process that
            was frozen, or waited for its journal, sends nothing after it.
        clock: the clock on the wall (aware).
    """

    def __init__(
        self,
        *,
        until: datetime | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._until, self._clock = until, clock
        self._event = anyio.Event()
        self.reason: StopReason | None = None
        #: A sentence for people; holds no phone number.
        self.because = ""
        #: What was in flight was not waited for.
        self.at_once = False

    @property
    def requested(self) -> bool:
        """True once somebody asked, or its time is over."""
        if self.reason is None and self._until is not None and self._clock() >= self._until:
            because = f"it is {self._until:%H:%M}, and it was to end by then"
            self.request(StopReason.DEADLINE, because)

        return self.reason is not None

    def request(self, reason: StopReason, because: str) -> None:
        """Ask for the end; only the first request counts."""
        if self.reason is None:
            self.reason, self.because = reason, because
            self._event.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, or return at once when a stop is requested."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
