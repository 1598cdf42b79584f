"""Every price a campaign may meet, in a grid of cells: a message's cell is a number.

    place (longest prefix on the card) x sender type x channel x carrier

So a row costs look-ups of small integers, and no arithmetic with money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from itertools import product

import polars as pl

from pipeline.model import MICROS_PER_UNIT, Channel
from pipeline.prepare import columns
from pipeline.prepare.prefixes import Prefixes
from pipeline.prepare.rate_card import (
    DEFAULT,
    Gap,
    Quote,
    RateCard,
    SenderType,
    Tariff,
    sender_type,
)

#: A column of phone numbers that was taken for one of carriers must not be shown.
_MOST_DIGITS, _MOST_LETTERS = 4, 40

COST_TYPE = pl.Decimal(18, 6)

#: The recipient of a plan's row (Int64, E.164 without its plus).
RECIPIENT = pl.col(columns.TO).str.slice(1).cast(pl.Int64)

#: What the longest text that is sent may come to: 2048 surrogate pairs, 33 in a part.
MOST_SEGMENTS = 63


class PriceGrid:
    """A card's prices on one day, for every message that a campaign may have."""

    def __init__(
        self,
        card: RateCard,
        on: date,
        *,
        senders: Iterable[str] | None = None,
        channels: Sequence[Channel] = tuple(Channel),
        number: pl.Expr = RECIPIENT,
        carrier: pl.Expr | None = None,
    ) -> None:
        """Ask the card for every price, once.

        Args:
            card: the prices.
            on: the day of sending.
            senders: every sender there may be; None is not known. Where they are of several types,
                frames have `from` (String).
            channels: every channel there may be; where they are several, frames have `channel`.
            number: the recipient (Int64, E.164 without its plus).
            carrier: the name of the recipient's carrier (String; null or blank is not known).
        """
        self.card, self.on, self.number, self.carrier = card, on, number, carrier
        self._channels = channels
        #: Columns of the lowest and highest cost: none where the card has no mix of carriers.
        self.bounds = columns.BOUNDS if card.mix else ()
        self._kinds = sorted(SenderType if senders is None else set(map(sender_type, senders)))
        names = sorted({each.name for each in card.carriers} - {DEFAULT})
        self._carriers = [None] if carrier is None else [None, *names, DEFAULT]
        self._places = card.prefixes
        self._tariffs = {
            (channel, kind): Tariff(card, channel, kind, on)
            for channel, kind in product(channels, self._kinds)
        }
        #: Price by cell; the place changes first, the carrier last.
        self.quotes = [
            tariff.quote(place, name)
            for name, tariff, place in product(self._carriers, self._tariffs.values(), self._places)
        ]

    def cell(self) -> pl.Expr:
        """Return the cell of each message (UInt32)."""
        listed = pl.Series(self._places[1:], dtype=pl.String)
        values = pl.int_range(1, len(self._places), dtype=pl.UInt32, eager=True)
        cell = Prefixes(listed, values).find(self.number)
        step = len(self._places)
        if len(self._kinds) > 1:
            kinds = {kind: position for position, kind in enumerate(self._kinds)}
            cell += step * _coded(pl.col(columns.FROM), lambda sender: kinds[sender_type(sender)])

        step *= len(self._kinds)
        if len(self._channels) > 1:
            channels = {channel: position for position, channel in enumerate(self._channels)}
            cell += step * _coded(pl.col(columns.CHANNEL), lambda name: channels[Channel(name)])

        step *= len(self._channels)
        if self.carrier is not None:
            cell += step * _coded(self.carrier, self._carrier_code)

        return cell

    def carrier_name(self) -> pl.Expr | None:
        """Return the carrier of each message, as the card names it.

        Returns:
            String: `default` where the card does not name it, null where it is not known; None
            where nobody knows any, or the card has none.
        """
        if self.carrier is None or not self.card.carriers:
            return None

        names = pl.Series(self._carriers, dtype=pl.String)
        return gathered(names, _coded(self.carrier, self._carrier_code))

    def costs(self, measure: Callable[[Quote, int], int]) -> pl.Series:
        """Return the cost for each cell and count of segments; null where there is no price."""

        @cache
        def row(quote: Quote) -> list[int]:
            return [measure(quote, segments) for segments in range(MOST_SEGMENTS + 1)]

        unknown: list[None] = [None] * (MOST_SEGMENTS + 1)
        micros = pl.Series(
            [
                cost
                for quote in self.quotes
                for cost in (unknown if isinstance(quote, Gap) else row(quote))
            ],
            dtype=pl.Int64,
        )
        return (micros.cast(pl.Decimal(38, 6)) / MICROS_PER_UNIT).cast(COST_TYPE)

    def gap(self, cell: int, carrier: str | None) -> tuple[Channel, SenderType, Gap]:
        """Say what the card misses for the messages of a cell, and for which channel and sender."""
        rest, place = divmod(cell, len(self._places))
        position, tariff = divmod(rest, len(self._tariffs))
        name = self._carriers[position]
        (channel, kind), prices = list(self._tariffs.items())[tariff]
        if name == DEFAULT and carrier is not None:
            is_number = sum(map(str.isdigit, carrier)) > _MOST_DIGITS
            name = "..." if is_number else carrier.strip()[:_MOST_LETTERS]

        gap = prices.quote(self._places[place], name)
        assert isinstance(gap, Gap)  # or the cell had a price
        return channel, kind, gap

    def _carrier_code(self, carrier: str) -> int:
        known = {columns.fold(name): code for code, name in enumerate(self._carriers) if name}
        return known.get(columns.fold(carrier), len(self._carriers) - 1) if carrier.strip() else 0


def _coded(column: pl.Expr, code: Callable[[str], int]) -> pl.Expr:
    """Return a code for each text (UInt32), asked once for each distinct one; null is 0."""

    def codes(texts: pl.Series) -> pl.Series:
        distinct = texts.drop_nulls().unique()
        return texts.replace_strict(
            distinct, [code(text) for text in distinct], default=0, return_dtype=pl.UInt32
        )

    # A map, because what texts there are is only known batch by batch.
    return column.map_batches(codes, return_dtype=pl.UInt32, is_elementwise=True)


def gathered(table: pl.Series, place: pl.Expr) -> pl.Expr:
    """Return the values of a small table; null where there is no place."""
    # A map, because an expression would gather from a literal only in the in-memory engine.
    return place.map_batches(
        lambda places: table.gather(places).alias(places.name),
        return_dtype=table.dtype,
        is_elementwise=True,
    )
