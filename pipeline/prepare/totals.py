"""What a plan comes to: exact sums over its rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import columns
from pipeline.prepare.columns import REASON

_COST_MICROS, _LOW_MICROS, _HIGH_MICROS = "cost_micros", "cost_low_micros", "cost_high_micros"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a plan comes to; the sums are exact."""

    #: Rows of the recipient file.
    rows: int
    #: Rows that will be sent.
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


def totals(plan: pl.LazyFrame) -> Totals:
    """Add a plan up, in streaming mode.

    Raises:
        RateCardError: a message of the plan has no price.
    """
    has_bounds = columns.COST_LOW in plan.collect_schema()
    low, high = columns.BOUNDS if has_bounds else [columns.COST_ESTIMATED] * 2
    groups = (
        plan.group_by(REASON, columns.ENCODING, columns.CURRENCY)
        .agg(
            pl.len().alias("rows"),
            pl.col(columns.SEGMENTS).cast(pl.Int64).sum(),
            _micros(columns.COST_ESTIMATED).alias(_COST_MICROS),
            _micros(low).alias(_LOW_MICROS),
            _micros(high).alias(_HIGH_MICROS),
            pl.col(columns.COST_ESTIMATED).is_null().sum().alias("unpriced"),
        )
        .sort(REASON, columns.ENCODING)
        .collect(engine="streaming")
    )
    sent = groups.filter(pl.col(REASON).is_null())
    if unpriced := sent["unpriced"].sum():
        raise RateCardError(f"{unpriced} messages of the plan have no price: make the plan again")

    skipped = groups.drop_nulls(REASON)
    return Totals(
        rows=int(groups["rows"].sum()),
        messages=int(sent["rows"].sum()),
        skipped=dict(skipped.select(REASON, "rows").iter_rows()),
        encodings=dict(sent.select(columns.ENCODING, "rows").iter_rows()),
        segments=int(sent[columns.SEGMENTS].sum()),
        cost_micros=int(sent[_COST_MICROS].sum()),
        cost_low_micros=int(sent[_LOW_MICROS].sum()),
        cost_high_micros=int(sent[_HIGH_MICROS].sum()),
        currency=next(iter(groups[columns.CURRENCY]), ""),
    )


def _micros(cost: str) -> pl.Expr:
    """Return the sum of a column in millionths: added up as it is, and divided only then."""
    total = pl.col(cost).cast(pl.Decimal(38, 6)).sum()
    return (total * MICROS_PER_UNIT).cast(pl.Int64)
