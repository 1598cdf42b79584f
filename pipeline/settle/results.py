"""The result table: the plan, row by row, with what became of each.

Every row of the recipient file is there once, with exactly one state and, where it was not sent,
why.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from pipeline.journal import MessageRecord
from pipeline.lifecycle import MessageState
from pipeline.prepare import columns

#: The state of a row that never was a message; its `reason` says why.
SKIPPED = "skipped"

_UTC = pl.Datetime("us", "UTC")
_RECORD_SCHEMA: dict[str, Any] = {
    columns.ROW: pl.Int64,
    "journal_key": pl.String,
    columns.STATE: pl.String,
    columns.ATTEMPTS: pl.Int32,
    columns.MESSAGE_ID: pl.String,
    columns.HTTP_STATUS: pl.Int32,
    columns.ERROR_CODE: pl.String,
    columns.ERROR: pl.String,
    columns.ACCEPTED_AT: _UTC,
    columns.FINAL_AT: _UTC,
    columns.SEGMENTS_BILLED: pl.Int32,
    columns.CARRIER: pl.String,
}

_BILLED = [MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.FAILED]


def results_frame(plan: pl.LazyFrame, records: Iterable[list[MessageRecord]]) -> pl.LazyFrame:
    """Join the plan with the journal.

    Args:
        plan: `prepare.plan.plan_frame`'s columns, one row per row of the recipient file.
        records: `Journal.rows` of the campaign.

    Returns:
        The plan's rows in their order; after `currency` the columns `state` (String), `attempts`,
        `message_id`, `http_status`, `error_code`, `error`, `accepted_at`, `final_at` (UTC),
        `segments_billed`, `carrier` and `cost` (Decimal, null while in doubt), then the user's own.
    """
    names = plan.collect_schema().names()
    own = names[names.index(columns.CURRENCY) + 1 :]
    ours = names[: names.index(columns.CURRENCY) + 1]
    return (
        plan.join(_journal_frame(records), on=columns.ROW, how="left", maintain_order="left")
        .with_columns(_state(), pl.col(columns.ATTEMPTS).fill_null(0))
        .with_columns(_cost())
        .select(*ours, *columns.RESULT_COLUMNS, *own)
    )


def _journal_frame(records: Iterable[list[MessageRecord]]) -> pl.LazyFrame:
    batches = [pl.DataFrame(batch, schema=_RECORD_SCHEMA, orient="row") for batch in records]
    return pl.concat([pl.DataFrame(schema=_RECORD_SCHEMA), *batches]).lazy()


def _state() -> pl.Expr:
    unsent = pl.when(pl.col(columns.REASON).is_null()).then(pl.lit(MessageState.READY.value))
    return pl.coalesce(columns.STATE, unsent.otherwise(pl.lit(SKIPPED))).alias(columns.STATE)


def _cost() -> pl.Expr:
    """The price of a segment, times what the provider counted; nothing for what it did not take."""
    estimated = pl.col(columns.COST_ESTIMATED)
    counted = pl.col(columns.SEGMENTS_BILLED).fill_null(pl.col(columns.SEGMENTS))
    micros = (estimated * 1_000_000).cast(pl.Int64) // pl.col(columns.SEGMENTS) * counted
    billed = (micros.cast(estimated_type) / 1_000_000).cast(estimated_type)
    return (
        pl.when(pl.col(columns.STATE).is_in([state.value for state in _BILLED]))
        .then(billed)
        .when(pl.col(columns.STATE) == MessageState.IN_DOUBT.value)
        .then(None)
        .otherwise(pl.lit(0).cast(estimated_type))
        .alias(columns.COST)
    )


estimated_type = pl.Decimal(18, 6)
