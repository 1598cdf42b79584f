"""What a message belongs to, as the listing tells it: a carrier, a 10DLC campaign, a location.

Each follows from the seed and from one number or application alone, so that a handset keeps its
carrier, a number its campaign and an application its location, whatever else happens.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulator.behaviour import Dice

#: As Bandwidth's listMessages page spells them; the shares are nobody's figures.
_ABROAD = "other"
CARRIERS = ("AT&T", "TMobile", "Verizon", _ABROAD)

_HOME = "+1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What a message between a handset and one of our numbers belongs to; rolled when asked for."""

    dice: Dice
    handset: str
    ours: str
    application: str | None

    @property
    def carrier(self) -> str:
        """Who carries texts to and from the handset."""
        if not self.handset.startswith(_HOME):
            return _ABROAD

        return CARRIERS[int(self.dice.roll("carrier", self.handset) * len(CARRIERS))]

    @property
    def campaign(self) -> str:
        """The 10DLC campaign of our number."""
        return f"C{self.dice.token(f'campaign/{self.ours}')[:6].upper()}"

    @property
    def location(self) -> str:
        """The location of the application."""
        return str(100_000 + int(self.dice.roll("location", self.application or "") * 900_000))
