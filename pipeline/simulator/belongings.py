"""What a message belongs to, as the listing tells it: a carrier, a 10DLC campaign, a location.

Each follows from the seed and from one number or application alone, so that a handset keeps its
carrier, a number its campaign and an application its location, whatever else happens.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulator.behaviour import Dice

#: As Bandwidth's listMessages page spells them; the shares are nobody's figures.
CARRIERS = ("AT&T", "TMobile", "Verizon", "other")

_HOME = "+1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What a message belongs to."""

    carrier: str
    campaign: str
    location: str


def belongings_of(dice: Dice, *, handset: str, ours: str, application: str | None) -> Belongings:
    """Tell what a message between a handset and one of our numbers belongs to."""
    at_home = handset.startswith(_HOME)
    carrier = int(dice.roll("carrier", handset) * len(CARRIERS)) if at_home else -1
    return Belongings(
        carrier=CARRIERS[carrier],
        campaign=f"C{dice.token(f'campaign/{ours}')[:6].upper()}",
        location=str(100_000 + int(dice.roll("location", application or "") * 900_000)),
    )
