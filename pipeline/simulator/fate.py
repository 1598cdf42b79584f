"""What becomes of a message that leaves the queue: decided at once, then a matter of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.simulator import magic
from pipeline.simulator.behaviour import Behaviour, Dice
from pipeline.simulator.magic import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """When a message to one handset leaves the account's queue and how it ends."""

    leaves_at: float
    #: Infinite where nobody ever hears of it.
    settles_at: float
    #: Bandwidth's code where it fails; None where it is delivered.
    error_code: int | None = None
    #: What is told besides: nothing at all, or also the opposite.
    ending: Ending | None = None

    @property
    def is_sent(self) -> bool:
        """Tell whether it is handed to a carrier."""
        code = self.error_code
        return code is None or magic.found_by_carrier(code)

    @property
    def is_received(self) -> bool:
        """Tell whether the handset gets it."""
        if self.ending is Ending.CONTRADICTED:
            return True

        if self.ending is Ending.SWALLOWED:
            return False

        return self.error_code is None or magic.is_received(self.error_code)

    def status(self, now: float) -> str:
        """Return the listing's word for where the message stands."""
        if now < self.settles_at:
            return "SENT"

        return "DELIVERED" if self.error_code is None else "FAILED"

    def known_error(self, now: float) -> int:
        """Return the listing's errorCode: 0 until the message has failed."""
        return self.error_code or 0 if now >= self.settles_at else 0


def expired(at: float) -> Fate:
    """Return the fate of a message whose expiration passed in the queue."""
    return Fate(leaves_at=at, settles_at=at, error_code=magic.EXPIRED)


def draw_fate(
    behaviour: Behaviour, dice: Dice, occasion: str, *, recipient: str, leaves_at: float
) -> Fate:
    """Decide the fate of a message to `recipient` that leaves the queue at `leaves_at`."""
    ending = magic.ending_of(recipient) if behaviour.heeds_magic else None
    if ending is None:
        ending = behaviour.ending(dice.roll("failed", occasion))

    if ending == magic.NO_RECEIPT:
        return fails(magic.NO_RECEIPT, at=leaves_at, after_seconds=behaviour.receipt_wait_ms / 1000)

    journey_seconds = behaviour.delivery_ms / 1000 * (0.5 + dice.roll("delivery", occasion))
    if isinstance(ending, Ending):
        return _ends(ending, behaviour, leaves_at, journey_seconds)

    return Fate(leaves_at=leaves_at, settles_at=leaves_at + journey_seconds, error_code=ending)


def fails(code: int, *, at: float, after_seconds: float = 0.0) -> Fate:
    """Return the fate of a message that left at `at` and fails with `code`."""
    return Fate(leaves_at=at, settles_at=at + after_seconds, error_code=code)


def _ends(ending: Ending, behaviour: Behaviour, leaves_at: float, journey_seconds: float) -> Fate:
    settles_at = leaves_at + journey_seconds
    if ending is Ending.SLOW_DELIVERY:
        settles_at += behaviour.slow_delivery_ms / 1000
    elif ending is Ending.SWALLOWED:
        settles_at = math.inf

    code = behaviour.failed_code if ending is Ending.CONTRADICTED else None
    return Fate(leaves_at=leaves_at, settles_at=settles_at, error_code=code, ending=ending)
