"""How far an account's rate is given away: the same in every store. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

from pipeline.journal import MAX_LEAD_SECONDS, Pace

_LEAD_MICROS = round(MAX_LEAD_SECONDS * 1_000_000)


class Reservation(NamedTuple):
    """How far an account's rate is given away. Times are microseconds since 1970."""

    #: Where the next slot starts.
    until: int = 0
    #: How long the latest slot is, or how far it reaches beyond the lead.
    step: int = 0

    def seen_at(self, now: int) -> Reservation:
        """Bring back what no permit could have moved so far: a clock that jumped back.

        A permit starts at most `MAX_LEAD_SECONDS` ahead of its now, and moves on by its own step.
        """
        return self._replace(until=min(self.until, now + _LEAD_MICROS + self.step))

    def ask_at(self, now: int) -> int | None:
        """Return when to ask again, or None where a slot may be reserved now."""
        earliest = self.until - _LEAD_MICROS
        return earliest if earliest > now else None

    def reserve(self, now: int, segments: int, pace: Pace) -> tuple[int, Reservation]:
        """Return where the slot starts, and the reservation behind it; idle time is lost."""
        start = max(self.until, now)
        step = math.ceil(segments * 1_000_000 / pace.rate_segments_per_second)
        until = start + step
        return start, Reservation(until, max(step, until - now - _LEAD_MICROS))
