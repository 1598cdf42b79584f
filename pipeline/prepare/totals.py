"""What a plan comes to: exact sums over its rows, in total and by what its messages are.

The plan is read once and added up by everything at once; every total and every breakdown is a sum
over that one small table, so they can never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import columns, places
from pipeline.prepare.columns import REASON
from pipeline.prepare.phones import PER_AREA
from pipeline.spelling import counted

#: By what a plan is broken down: variant and carrier only where there are any.
COUNTRY, AREA, ZONES, CARRIER = "country", "area", "zones", "carrier"
BREAKDOWNS = (
    columns.ENCODING,
    columns.SEGMENTS,
    columns.CHANNEL,
    columns.FROM,
    columns.VARIANT,
    COUNTRY,
    AREA,
    ZONES,
    CARRIER,
)

#: How many of the dearest messages are named.
DEAREST = 10

_ROWS, _SUM, _MICROS, _LOW, _HIGH, _UNPRICED = (
    columns.WORKING + name for name in ("rows", "segments", "micros", "low", "high", "unpriced")
)
_MEASURES = (_ROWS, _SUM, _MICROS, _LOW, _HIGH)
_PLACES = {places.COUNTRY: COUNTRY, places.AREA: AREA, places.ZONES: ZONES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of a plan's messages that have a value in common."""

    #: What they have in common; None is all that have none, such as numbers of no known area.
    value: str | int | None
    messages: int
    segments: int
    #: Millionths of the plan's currency.
    cost_micros: int
    #: With the cheapest carrier of each, and with the dearest: millionths.
    cost_low_micros: int
    cost_high_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a plan comes to; the sums are exact."""

    #: Rows of the recipient file.
    rows: int
    #: Rows that will be sent: a group message counts for each of its recipients, as it is billed.
    messages: int
    #: Reason -> rows that will not be sent for it.
    skipped: dict[str, int]
    #: Encoding -> messages.
    encodings: dict[str, int]
    segments: int
    #: Millionths of `currency`.
    cost_micros: int
    #: Were every message to go to its cheapest carrier, or to its dearest: millionths.
    cost_low_micros: int
    cost_high_micros: int
    currency: str
    #: Each of `BREAKDOWNS` that the plan has -> its shares, the dearest first; by `segments` in
    #: their order. Each breakdown adds up to the totals.
    shares: Mapping[str, tuple[Share, ...]]
    #: The dearest messages: row, segments, millionths of `currency`.
    dearest: tuple[tuple[int, int, int], ...]


def totals(
    plan: pl.LazyFrame, carrier: pl.Expr | None = None, *, has_variants: bool = False
) -> Totals:
    """Add a plan up, in streaming mode.

    Args:
        plan: as `prepare.plan` makes it.
        carrier: a message's carrier (String, null where it is not known); None is nobody's.
        has_variants: its column `variant` is ours, and not the user's.

    Raises:
        RateCardError: a message of the plan has no price.
    """
    groups = _groups(plan, carrier, has_variants=has_variants)
    sent = groups.filter(pl.col(REASON).is_null())
    if unpriced := sent[_UNPRICED].sum():
        raise RateCardError(
            f"the plan has {counted(int(unpriced), 'message')} without a price: make it again"
        )

    skipped = groups.drop_nulls(REASON).group_by(REASON).agg(pl.col(_ROWS).sum()).sort(REASON)
    shares = {name: _shares(sent, name) for name in BREAKDOWNS if name in sent.columns}
    encodings = sorted(shares[columns.ENCODING], key=lambda share: str(share.value))
    return Totals(
        rows=int(groups[_ROWS].sum()),
        messages=int(sent[_ROWS].sum()),
        skipped=dict(skipped.iter_rows()),
        encodings={str(share.value): share.messages for share in encodings},
        segments=int(sent[_SUM].sum()),
        cost_micros=int(sent[_MICROS].sum()),
        cost_low_micros=int(sent[_LOW].sum()),
        cost_high_micros=int(sent[_HIGH].sum()),
        currency=next(iter(groups[columns.CURRENCY]), ""),
        shares=shares,
        dearest=_dearest(plan),
    )


def _groups(plan: pl.LazyFrame, carrier: pl.Expr | None, *, has_variants: bool) -> pl.DataFrame:
    """Add up the rows that are alike in everything that a breakdown asks for."""
    names = plan.collect_schema().names()
    own = set(names[: names.index(columns.CURRENCY) + 1])  # behind them may be the user's columns
    known = {name: pl.col(name) for name in BREAKDOWNS if name in own}
    if has_variants:
        known[columns.VARIANT] = pl.col(columns.VARIANT)

    if carrier is not None:
        known[CARRIER] = carrier

    cost = columns.COST_ESTIMATED
    low, high = columns.BOUNDS if columns.COST_LOW in names else (cost, cost)
    groups = (
        plan.group_by(
            REASON,
            columns.CURRENCY,
            _start().alias(columns.NUMBER),
            *(each.alias(name) for name, each in known.items()),
        )
        .agg(
            pl.len().alias(_ROWS),
            *(
                _micros(pl.col(amount).cast(pl.Decimal(38, 6)).sum()).alias(name)
                for name, amount in ((_MICROS, cost), (_LOW, low), (_HIGH, high))
            ),
            pl.col(cost).is_null().sum().alias(_UNPRICED),
        )
        .with_columns((pl.col(columns.SEGMENTS).cast(pl.Int64) * pl.col(_ROWS)).alias(_SUM))
    )
    return groups.pipe(places.add_places).rename(_PLACES).collect(engine="streaming")


def _start() -> pl.Expr:
    """Return as many digits of a number as tell its place: few, so that the groups are few."""
    number = pl.col(columns.TO)
    at_home = number.str.starts_with("+1")
    area = number.cast(pl.Int64, strict=False) // PER_AREA
    abroad = pl.when(~at_home).then(number).str.slice(1, 8).cast(pl.Int64, strict=False)
    return pl.when(at_home).then(area).otherwise(abroad)


def _shares(sent: pl.DataFrame, name: str) -> tuple[Share, ...]:
    sums = sent.group_by(name).agg(pl.col(_MEASURES).sum())
    by_size = [pl.col(_MICROS), pl.col(_ROWS)]
    ordered = (
        sums.sort(name)
        if name == columns.SEGMENTS
        else sums.sort(*by_size, name, descending=[True, True, False])
    )
    return tuple(
        Share(
            value=value,
            messages=rows,
            segments=segments,
            cost_micros=micros,
            cost_low_micros=low,
            cost_high_micros=high,
        )
        for value, rows, segments, micros, low, high in ordered.select(name, *_MEASURES).iter_rows()
    )


def _dearest(plan: pl.LazyFrame) -> tuple[tuple[int, int, int], ...]:
    cost = pl.col(columns.COST_ESTIMATED)
    found = (
        plan.filter(pl.col(REASON).is_null())
        .select(columns.ROW, columns.SEGMENTS, cost)
        .top_k(DEAREST, by=[cost, -pl.col(columns.ROW)])
        .with_columns(_micros(cost))
        .sort(cost, columns.ROW, descending=[True, False])
        .collect(engine="streaming")
    )
    return tuple(found.iter_rows())


def _micros(amount: pl.Expr) -> pl.Expr:
    return (amount.cast(pl.Decimal(38, 6)) * MICROS_PER_UNIT).cast(pl.Int64)
