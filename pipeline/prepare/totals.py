"""What a plan comes to: exact sums over its rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import columns
from pipeline.prepare.columns import REASON

_COST_MICROS = "cost_micros"


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
    currency: str


def totals(plan: pl.LazyFrame) -> Totals:
    """Add a plan up, in streaming mode.

    Raises:
        RateCardError: a message of the plan has no price.
    """
    cost = pl.col(columns.COST_ESTIMATED).cast(pl.Decimal(38, 6)) * MICROS_PER_UNIT
    groups = (
        plan.group_by(REASON, columns.ENCODING, columns.CURRENCY)
        .agg(
            pl.len().alias("rows"),
            pl.col(columns.SEGMENTS).cast(pl.Int64).sum(),
            cost.cast(pl.Int64).sum().alias(_COST_MICROS),
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
        currency=next(iter(groups[columns.CURRENCY]), ""),
    )
