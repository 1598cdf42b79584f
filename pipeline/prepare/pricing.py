"""What a message costs: a card's prices on millions of messages, exactly.

    place (prefix) x sender type x channel x carrier = cell ─┐
                                                   segments ─┴─> cost, from a table made before

A row costs a look-up and no arithmetic. A price is found by destination prefix (the longest), then
by the type of our sender before `default`, then by date; none is ever guessed. The expected cost of
a message is rounded once, to a millionth, half to even; so sums over rows are exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import phonenumbers
import polars as pl

from pipeline.errors import RateCardError
from pipeline.model import EXAMPLE_ROWS, Channel
from pipeline.prepare import columns
from pipeline.prepare.card_file import load_card
from pipeline.prepare.price_grid import COST_TYPE, MOST_SEGMENTS, PriceGrid, gathered
from pipeline.prepare.rate_card import Gap, Price, Quote, RateCard, SenderType, sender_type
from pipeline.spelling import being

__all__ = [
    "COST_TYPE",
    "Price",
    "PriceGrid",
    "RateCard",
    "SenderType",
    "add_cost",
    "load_card",
    "require_prices",
    "sender_type",
]

_MOST_SENTENCES = 20
_CELL, _START, _CARRIER = (columns.WORKING + name for name in ("cell", "start", "carrier"))

#: Column -> what it holds, in millionths, for a price and a count of segments.
_MEASURES: dict[str, Callable[[Quote, int], int]] = {
    columns.COST_ESTIMATED: Quote.expected_micros,
    columns.COST_LOW: lambda quote, segments: quote.low * segments,
    columns.COST_HIGH: lambda quote, segments: quote.high * segments,
}

#: What a price is missing for: channel, type of sender, country code, and what the card lacks.
_Missing = tuple[Channel, SenderType, str, Gap]


@dataclass(slots=True)
class _Rows:
    """The recipients that a price is missing for."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, count: int, first: Sequence[int]) -> None:
        self.count += count
        self.first = sorted({*self.first, *first})[:EXAMPLE_ROWS]

    def __str__(self) -> str:
        listed = ", ".join(map(str, self.first))
        more = " ..." if self.count > len(self.first) == EXAMPLE_ROWS else ""
        return f"row{'' if len(self.first) == 1 else 's'} {listed}{more}"


def add_cost(lf: pl.LazyFrame, grid: PriceGrid) -> pl.LazyFrame:
    """Price every message.

    Args:
        lf: has `segments` (integer) and what the grid needs.
        grid: the prices.

    Returns:
        The frame with `cost_estimated` (Decimal, scale 6; null where there are no segments, or
        where the card has no price: `require_prices` tells before), `currency` (Enum of one word)
        and, where the card has a mix of carriers, `cost_low` and `cost_high` like `cost_estimated`.
    """
    segments = pl.col(columns.SEGMENTS).cast(pl.UInt32)
    place = pl.when(segments <= MOST_SEGMENTS).then(pl.col(_CELL) * (MOST_SEGMENTS + 1) + segments)
    currency = grid.card.currency
    return (
        lf.with_columns(grid.cell().alias(_CELL))
        .with_columns(place.alias(_CELL))
        .with_columns(
            gathered(grid.costs(_MEASURES[name]), pl.col(_CELL)).alias(name)
            for name in (columns.COST_ESTIMATED, *grid.bounds)
        )
        .with_columns(pl.lit(currency, pl.Enum([currency])).alias(columns.CURRENCY))
        .drop(_CELL)
    )


def require_prices(lf: pl.LazyFrame, grid: PriceGrid, *, file: str) -> None:
    """Refuse recipients that the card has no price for: a missing price is never zero.

    Args:
        lf: has `FILE_ROW` (integer, the row that is named) and what the grid needs; a number that
            is null is nobody. Read, in streaming mode, unless the card has a price for whatever it
            may hold.
        grid: the prices.
        file: names the recipients in the error.

    Raises:
        RateCardError: a line for each channel, sender type, prefix and carrier without a price,
            with the first rows; never a number.
    """
    gaps = pl.Series([isinstance(quote, Gap) for quote in grid.quotes])
    if not gaps.any():
        return

    carrier = pl.lit(None, pl.String) if grid.carrier is None else grid.carrier
    missing = (
        lf.select(
            grid.number.alias(_START),
            grid.cell().alias(_CELL),
            carrier.alias(_CARRIER),
            columns.FILE_ROW,
        )
        .filter(pl.col(_START).is_not_null() & gathered(gaps, pl.col(_CELL)))
        .with_columns(pl.col(_START).cast(pl.String).str.slice(0, 3))
        .group_by(_CELL, _START, _CARRIER)
        .agg(pl.len(), pl.col(columns.FILE_ROW).unique().sort().head(EXAMPLE_ROWS))
        .collect(engine="streaming")
    )
    missed: dict[_Missing, _Rows] = defaultdict(_Rows)
    for cell, digits, name, count, rows in missing.iter_rows():
        channel, kind, gap = grid.gap(cell, name)
        missed[channel, kind, _country_code(digits), gap].add(count, rows)

    if missed:
        raise RateCardError("\n".join(_sentences(grid, missed, file)))


def _country_code(digits: str) -> str:
    """Return the country calling code that begins `digits`; no code begins another one."""
    starts = (digits[:length] for length in (1, 2, 3))
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((start for start in starts if int(start) in known), digits)


def _sentences(grid: PriceGrid, missed: Mapping[_Missing, _Rows], file: str) -> Iterator[str]:
    places = sorted(missed, key=str)
    for channel, kind, prefix, gap in places[:_MOST_SENTENCES]:
        rows = missed[channel, kind, prefix, gap]
        yield (
            f"{file}, {rows}: rate card '{grid.card.name}' has {gap.missing} on {grid.on} for a "
            f"{kind} sender and prefix {prefix} (recipients: {rows.count}); {gap.remedy}, or "
            "correct or remove those rows of the file"
        )

    if len(places) > _MOST_SENTENCES:
        yield f"and {being(len(places) - _MOST_SENTENCES, 'more price')} missing on that card"
