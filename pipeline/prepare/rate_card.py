"""A rate card: what Bandwidth charges, what the carriers add, and what one segment comes to.

    [[price]]       base, by channel, sender type and destination prefix
    [[surcharge]]   by carrier, channel and sender type     } where the price has no `surcharge`
    [[carrier]]     at home in a prefix, with its share     } of its own

A carrier nobody knows before sending: a segment then has a lowest, a highest and, by the shares,
an expected price. The rows are read by `card_file`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from pipeline.model import MICROS_PER_UNIT, Channel

#: Stands for every sender type, destination or carrier that has no row of its own.
DEFAULT = "default"


class SenderType(StrEnum):
    """What kind of number sends; prices and limits differ."""

    TEN_DLC = "10dlc"  #: a ten-digit local number
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"


_SENDER_PATTERNS = {
    SenderType.TOLL_FREE: r"^\+1(?:800|833|844|855|866|877|888)[0-9]{7}$",
    SenderType.SHORT_CODE: r"^[0-9]{5,6}$",
    SenderType.ALPHANUMERIC: r"[A-Za-z]",
}


def sender_type(sender: str) -> SenderType:
    """Tell the type of a sender from its form."""
    for kind, pattern in _SENDER_PATTERNS.items():
        if re.search(pattern, sender):
            return kind

    return SenderType.TEN_DLC


class Direction(StrEnum):
    """Who wrote the message."""

    OUTBOUND = "outbound"  #: we did: what an estimate is about
    INBOUND = "inbound"  #: an answer to us


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What Bandwidth charges: a [[price]] row."""

    channel: Channel
    #: None is `default`: every type without a row of its own.
    sender: SenderType | None
    #: Beginning of the other side's number in E.164 without its plus; '' is `default`.
    prefix: str
    #: Per segment, or per MMS, in the card's currency.
    base: Decimal
    #: Added whatever the carrier; None leaves it to the carriers of the prefix, if it has any.
    surcharge: Decimal | None = None
    direction: Direction = Direction.OUTBOUND
    #: The first day it holds; None is always.
    effective: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surcharge:
    """What a carrier adds: a [[surcharge]] row."""

    #: `default` is every carrier without a row of its own.
    carrier: str
    channel: Channel
    #: None is `default`.
    sender: SenderType | None
    #: Per segment, or per MMS.
    amount: Decimal
    direction: Direction = Direction.OUTBOUND
    #: The first day it holds; None is always.
    effective: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Who delivers: a [[carrier]] row."""

    #: `default` is every carrier that is not named.
    name: str
    #: Where it is at home; '' is `default`.
    prefix: str
    #: Its part of the recipients whose carrier nobody knows; None states no mix.
    share: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """A price list."""

    #: Shown wherever a cost is shown.
    name: str
    #: ISO 4217.
    currency: str
    prices: tuple[Price, ...]
    carriers: tuple[Carrier, ...] = ()
    surcharges: tuple[Surcharge, ...] = ()

    @property
    def prefixes(self) -> list[str]:
        """Every prefix on the card, '' among them."""
        priced, home = ({row.prefix for row in rows} for rows in (self.prices, self.carriers))
        return sorted({"", *priced, *home})

    @property
    def mix(self) -> dict[str, dict[str, Decimal]]:
        """Prefix -> carrier -> its share, where shares are stated."""
        found: dict[str, dict[str, Decimal]] = {}
        for carrier in self.carriers:
            if carrier.share:
                found.setdefault(carrier.prefix or DEFAULT, {})[carrier.name] = carrier.share

        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one segment (SMS) or one message (MMS) costs, in millionths of the currency."""

    low: int
    high: int
    #: In millionths of a millionth, since a mean need not be a whole number.
    expected: int

    def expected_micros(self, segments: int) -> int:
        """Return the expected cost of a message: rounded once, half to even."""
        return round(Fraction(self.expected * segments, MICROS_PER_UNIT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Why there is no price; a missing row is never zero."""

    #: As in: the card has ... on that day.
    missing: str
    remedy: str


Row = TypeVar("Row", Price, Surcharge)


class Tariff:
    """The rows of a card that hold for what one type of sender sends by a channel on one day."""

    def __init__(self, card: RateCard, channel: Channel, sender: SenderType, on: date) -> None:
        def best(rows: Iterable[Row]) -> Iterable[Row]:
            """Yield the rows in force, those that outrank the others last."""
            fitting = (
                row
                for row in rows
                if (row.channel, row.direction) == (channel, Direction.OUTBOUND)
                and row.sender in (sender, None)
                and (row.effective is None or row.effective <= on)
            )
            return sorted(fitting, key=_precedence)

        self._channel = channel
        self._prices = {row.prefix: row for row in best(card.prices)}
        self._amounts = {row.carrier: row.amount for row in best(card.surcharges)}
        self._homes: dict[str, dict[str, Decimal | None]] = {}
        for carrier in card.carriers:
            self._homes.setdefault(carrier.prefix, {})[carrier.name] = carrier.share

    def quote(self, place: str, carrier: str | None = None) -> Quote | Gap:
        """Price a segment.

        Args:
            place: the longest prefix of the card that the destination begins with.
            carrier: its carrier; None is not known.
        """
        price = _longest(self._prices, place)
        if price is None:
            return Gap(missing=f"no {self._channel} price", remedy="add a [[price]] row")

        members = _longest(self._homes, place)
        if price.surcharge is not None or members is None:
            return _mean({Decimal(1): price.base + (price.surcharge or 0)}.items())

        chosen = _stated(members) if carrier is None else _named(members, carrier)
        if isinstance(chosen, Gap):
            return chosen

        amounts = {name: self._amounts.get(name, self._amounts.get(DEFAULT)) for name in chosen}
        offers: list[tuple[Decimal, Decimal]] = []
        for name, amount in amounts.items():
            if amount is None:
                return Gap(
                    missing=f"no {self._channel} surcharge of carrier '{name}'",
                    remedy="add a [[surcharge]] row",
                )

            offers.append((chosen[name], price.base + amount))

        return _mean(offers)


def _precedence(row: Price | Surcharge) -> tuple[bool, date]:
    return row.sender is not None, row.effective or date.min


Found = TypeVar("Found")


def _longest(rows: Mapping[str, Found], place: str) -> Found | None:
    prefixes = (place[:length] for length in range(len(place), -1, -1))
    return next((rows[prefix] for prefix in prefixes if prefix in rows), None)


def _stated(members: Mapping[str, Decimal | None]) -> dict[str, Decimal] | Gap:
    """Return the mix, for a recipient whose carrier is not known."""
    mix = {name: share for name, share in members.items() if share}
    return mix or Gap(
        missing="no shares of its carriers for recipients whose carrier is not known",
        remedy="give every [[carrier]] of the prefix a share",
    )


def _named(members: Mapping[str, Decimal | None], carrier: str) -> dict[str, Decimal] | Gap:
    for name in (carrier, DEFAULT):
        if name in members:
            return {name: Decimal(1)}

    near = difflib.get_close_matches(carrier, members, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return Gap(missing=f"no carrier '{carrier}'{hint}", remedy="add a [[carrier]] row")


def _mean(offers: Iterable[tuple[Decimal, Decimal]]) -> Quote:
    """Weigh amounts by their shares, which come to 1; all have six decimals at most."""
    weighed = [(share, int(amount * MICROS_PER_UNIT)) for share, amount in offers]
    micros = [each for _, each in weighed]
    expected = sum(int(share * MICROS_PER_UNIT) * each for share, each in weighed)
    return Quote(low=min(micros), high=max(micros), expected=expected)
