"""The result table: the plan, row by row, with what became of each.

Every row of the recipient file is there once, with exactly one state and, where it was not sent,
why.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from pipeline.billing import BILLED_ALL_THE_SAME, FOUND_BY_BANDWIDTH
from pipeline.journal import MessageRecord
from pipeline.lifecycle import TAKEN, MessageState
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import columns

#: The state of a row that never was a message; its `reason` says why.
SKIPPED = "skipped"

_UTC = pl.Datetime("us", "UTC")
_MONEY = pl.Decimal(18, 6)
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
    columns.SEGMENTS_BILLED: pl.Int64,
    columns.CARRIER: pl.String,
}

_BILLED = [state.value for state in TAKEN]


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
    """The price of a segment, times what the provider counted; nothing for what is not billed."""
    segments = pl.col(columns.SEGMENTS).cast(pl.Int64)
    counted = pl.col(columns.SEGMENTS_BILLED).fill_null(segments)
    micros = (pl.col(columns.COST_ESTIMATED) * MICROS_PER_UNIT).cast(pl.Int64)
    billed = (micros // segments * counted).cast(pl.Decimal(38, 6)) / MICROS_PER_UNIT
    state, code = pl.col(columns.STATE), pl.col(columns.ERROR_CODE)
    free = code.str.contains(FOUND_BY_BANDWIDTH) & ~code.is_in(list(BILLED_ALL_THE_SAME))
    failed_free = (state == MessageState.FAILED.value) & free.fill_null(False)
    return (
        pl.when(state.is_in(_BILLED) & ~failed_free)
        .then(billed.cast(_MONEY))
        .when(state == MessageState.IN_DOUBT.value)
        .then(None)
        .otherwise(pl.lit(0).cast(_MONEY))
        .alias(columns.COST)
    )
