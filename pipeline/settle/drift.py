"""Where the provider counted other segments than the estimate: the rows, and their causes in sum.

    results ─> drift_frame (a row for each that differs, with its cause) ─> drift_groups

The rows hold no number and no text: `row` leads to both, in the results.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.model import MICROS_PER_UNIT, Channel, Encoding
from pipeline.prepare import columns
from pipeline.settle import billing
from pipeline.settle.recounts import Cause, Counted, cause_of

SEGMENTS_DIFFERENCE = "segments_difference"  #: Int64, the provider's count less our own
COST_DIFFERENCE = "cost_difference"  #: `billing.MONEY`; zero where the message was free anyway
CAUSE = "cause"  #: String, a `recounts.Cause`

#: What the rows of a drift hold, in order.
DRIFT_COLUMNS = (
    columns.ROW,
    columns.CHANNEL,
    columns.ENCODING,
    columns.UNITS,
    columns.SEGMENTS,
    columns.SEGMENTS_BILLED,
    SEGMENTS_DIFFERENCE,
    COST_DIFFERENCE,
    columns.CURRENCY,
    CAUSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftGroup:
    """What one cause comes to; the sums are exact."""

    cause: Cause
    messages: int
    #: Segments billed, less those estimated.
    segments_difference: int
    #: In millionths of the currency.
    cost_micros_difference: int


def drift_frame(results: pl.LazyFrame) -> pl.LazyFrame:
    """Return the messages whose count differs.

    Args:
        results: `results.results_frame`'s columns.

    Returns:
        `DRIFT_COLUMNS`, in the order of the rows; those without a count of the provider's are not
        among them.
    """
    ours = pl.col(columns.SEGMENTS).cast(pl.Int64)
    of_billed = pl.col(columns.COST) - pl.col(columns.COST_ESTIMATED)
    return (
        results.filter(pl.col(columns.SEGMENTS_BILLED) != ours)
        .with_columns(
            (pl.col(columns.SEGMENTS_BILLED) - ours).alias(SEGMENTS_DIFFERENCE),
            pl.when(billing.billed())
            .then(of_billed)
            .otherwise(pl.lit(0))
            .cast(billing.MONEY)
            .alias(COST_DIFFERENCE),
            _cause().alias(CAUSE),
        )
        .select(DRIFT_COLUMNS)
    )


def drift_groups(drifting: pl.DataFrame) -> tuple[DriftGroup, ...]:
    """Add `drift_frame`'s rows up by cause, the one with the most messages first."""
    sums = (
        drifting.group_by(CAUSE)
        .agg(pl.len(), pl.col(SEGMENTS_DIFFERENCE, COST_DIFFERENCE).sum())
        .sort("len", CAUSE, descending=[True, False])
    )
    return tuple(
        DriftGroup(
            cause=Cause(cause),
            messages=messages,
            segments_difference=segments,
            cost_micros_difference=int(cost * MICROS_PER_UNIT),
        )
        for cause, messages, segments, cost in sums.iter_rows()
    )


def _cause() -> pl.Expr:
    asked = (
        columns.TEXT,
        columns.CHANNEL,
        columns.ENCODING,
        columns.SEGMENTS_BILLED,
        columns.HTTP_STATUS,
    )
    return pl.struct(asked).map_batches(  # Python, because the rules are tried one after the other
        _causes, return_dtype=pl.String, is_elementwise=True
    )


def _causes(rows: pl.Series) -> pl.Series:
    found = [
        cause_of(
            Counted(
                text=text or "",  # an MMS may have none
                channel=Channel(channel),
                encoding=Encoding(encoding),
                billed=billed,
                is_of_answer=status is not None and 200 <= status < 300,
            )
        )
        for text, channel, encoding, billed, status in rows.struct.unnest().iter_rows()
    ]
    return pl.Series(rows.name, [cause.value for cause in found], pl.String)
