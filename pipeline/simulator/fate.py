"""What becomes of a message after the 202: decided when it is taken, then a matter of time."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulator.behaviour import Behaviour, Dice

EXPIRED = 4360  #: Bandwidth's code for a message whose expiration passed in the queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """When a message leaves the account's queue and how it ends; times on the monotonic clock."""

    leaves_at: float
    settles_at: float
    #: Bandwidth's code where it fails; None where it is delivered.
    error_code: int | None

    def status(self, now: float) -> str:
        """Return the listing's word for where the message stands."""
        if now < self.leaves_at:
            return "QUEUED"

        if now < self.settles_at:
            return "SENT"

        return "DELIVERED" if self.error_code is None else "FAILED"

    def known_error(self, now: float) -> int:
        """Return the listing's errorCode: 0 until the message has failed."""
        return self.error_code or 0 if now >= self.settles_at else 0


def draw_fate(
    behaviour: Behaviour, dice: Dice, occasion: str, *, leaves_at: float, expires_at: float | None
) -> Fate:
    """Decide the fate of a message that leaves the queue at `leaves_at`, or expires before."""
    if expires_at is not None and expires_at < leaves_at:
        return Fate(leaves_at=expires_at, settles_at=expires_at, error_code=EXPIRED)

    fails = dice.roll("failed", occasion) < behaviour.failed
    journey_seconds = behaviour.delivery_ms / 1000 * (0.5 + dice.roll("delivery", occasion))
    return Fate(
        leaves_at=leaves_at,
        settles_at=leaves_at + journey_seconds,
        error_code=behaviour.failed_code if fails else None,
    )
