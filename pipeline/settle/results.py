"""The result table: the plan, row by row, with what became of each.

Every row of the recipient file is there once, with exactly one state and, where it was not sent,
why.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl

from pipeline.bandwidth.error_codes import error_codes
from pipeline.journal import Decision, Evidence, MessageRecord
from pipeline.lifecycle import Event, MessageState
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import columns
from pipeline.settle import billing
from pipeline.settle.billing import UNCONFIRMED
from pipeline.settle.evidence import sentence_of

#: The state of a row that never was a message; its `reason` says why.
SKIPPED = "skipped"

_EARLIER = "earlier_micros"  #: what attempts before the latest cost
_UTC = pl.Datetime("us", "UTC")
_NOTE = "note_of_evidence"
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
    _EARLIER: pl.Int64,
}
#: Enums of a plan; in the table for people they are text, as all its other words are.
_WORDS = (columns.CHANNEL, columns.ENCODING)
#: Kind of a decision about a message -> how a row of the results says it.
_DECIDED = {Event.RELEASE.value: "released", Event.WRITE_OFF.value: "written off"}

_SENTENCES = {str(code.code): code.sentence for code in error_codes().values()}


def results_frame(
    plan: pl.LazyFrame,
    records: Iterable[list[MessageRecord]],
    *,
    decisions: Iterable[Decision] = (),
    evidence: Iterable[Evidence] = (),
    silent_since: datetime | None = None,
) -> pl.LazyFrame:
    """Join the plan with the journal.

    Args:
        plan: `prepare.plan.plan_frame`'s columns, one row per row of the recipient file.
        records: `Journal.rows` of the campaign.
        decisions: `Journal.decisions` of the campaign.
        evidence: `Journal.evidence` of the campaign: what the listing said of doubts.
        silent_since: A message that was accepted before, and has no receipt, is unconfirmed.

    Returns:
        The plan's rows in their order; after `currency` the columns `state` (String), `attempts`,
        `message_id`, `http_status`, `error_code`, `error`, `accepted_at`, `final_at` (UTC),
        `segments_billed` (the provider's count), `carrier`, `cost` (`billing`, all attempts
        together: null while in doubt) and `decision` (an operator's last one), then the user's own.
        `error` explains a known `error_code` in our own words: what the provider says beside one
        repeats its name, and tells the reader no more. In doubt, it says what the listing had.
    """
    names = plan.collect_schema().names()
    own = names[names.index(columns.CURRENCY) + 1 :]
    ours = names[: names.index(columns.CURRENCY) + 1]
    return (
        plan.join(_journal_frame(records), on=columns.ROW, how="left", maintain_order="left")
        .with_columns(_state(), pl.col(columns.ATTEMPTS).fill_null(0))
        .with_columns(
            (billing.cost() + _earlier_cost()).alias(columns.COST), _unconfirmed(silent_since)
        )
        .join(_notes(evidence), on=columns.ROW, how="left", maintain_order="left")
        .join(_decision_frame(decisions), on=columns.ROW, how="left", maintain_order="left")
        .with_columns(_error_of_doubt(), pl.col(_WORDS).cast(pl.String))
        .select(*ours, *columns.RESULT_COLUMNS, *own)
    )


def _journal_frame(records: Iterable[list[MessageRecord]]) -> pl.LazyFrame:
    batches = [pl.DataFrame(batch, schema=_RECORD_SCHEMA, orient="row") for batch in records]
    return pl.concat([pl.DataFrame(schema=_RECORD_SCHEMA), *batches]).lazy().with_columns(_error())


def _decision_frame(decisions: Iterable[Decision]) -> pl.LazyFrame:
    said = {
        row: f"{_DECIDED[kind]} by {by}: {because}"
        for row, kind, by, because, _ in decisions
        if kind in _DECIDED
    }
    schema: dict[str, Any] = {columns.ROW: pl.Int64, columns.DECISION: pl.String}
    return pl.LazyFrame([list(said), list(said.values())], schema=schema)


def _error() -> pl.Expr:
    code, said = pl.col(columns.ERROR_CODE), pl.col(columns.ERROR)
    explained = code.replace_strict(_SENTENCES, default=said)
    is_cancelled = pl.col(columns.STATE) == MessageState.CANCELLED.value  # after a failure, perhaps
    return pl.when(is_cancelled).then(said).otherwise(explained).alias(columns.ERROR)


def _earlier_cost() -> pl.Expr:
    micros = pl.col(_EARLIER).fill_null(0).cast(pl.Decimal(38, 6))
    return (micros / MICROS_PER_UNIT).cast(billing.MONEY)


def _unconfirmed(silent_since: datetime | None) -> pl.Expr:
    state = pl.col(columns.STATE)
    is_accepted = state == MessageState.ACCEPTED.value
    is_silent = is_accepted & (pl.col(columns.ACCEPTED_AT) <= pl.lit(silent_since, _UTC))
    return pl.when(is_silent).then(pl.lit(UNCONFIRMED)).otherwise(state).alias(columns.STATE)


def _notes(evidence: Iterable[Evidence]) -> pl.LazyFrame:
    notes = [(each.row, sentence_of(each)) for each in evidence]
    schema = {columns.ROW: pl.Int64, _NOTE: pl.String}
    return pl.LazyFrame(notes, schema=schema, orient="row")


def _error_of_doubt() -> pl.Expr:
    parts = [pl.col(columns.ERROR), pl.col(_NOTE)]
    is_noted = (pl.col(columns.STATE) == MessageState.IN_DOUBT.value) & pl.col(_NOTE).is_not_null()
    said = pl.concat_str(parts, separator="; ", ignore_nulls=True)
    return pl.when(is_noted).then(said).otherwise(columns.ERROR).alias(columns.ERROR)


def _state() -> pl.Expr:
    unsent = pl.when(pl.col(columns.REASON).is_null()).then(pl.lit(MessageState.READY.value))
    return pl.coalesce(columns.STATE, unsent.otherwise(pl.lit(SKIPPED))).alias(columns.STATE)
