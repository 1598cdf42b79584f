"""Why a row is not sent: the first thing that is wrong with it, as a code and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.prepare import columns, readings
from pipeline.prepare.columns import REASON, REASON_DETAIL, TEXT
from pipeline.prepare.readings import FAULTS, READING
from pipeline.prepare.repeats import FIRST_ROW, VERDICT, Barred
from pipeline.prepare.texts import MISSING

#: Bandwidth's limit for `text` (API reference, create message).
MAX_CHARACTERS = 2048

DUPLICATE = "duplicate"
MISSING_VALUE = "missing_value"
EMPTY_TEXT = "empty_text"
TOO_LONG = "too_long"
INVALID_SENDER = "invalid_sender"
INVALID_MEDIA = "invalid_media"

_FAULT, _BAR, _LENGTH, _EMPTY = (
    columns.WORKING + name for name in ("fault", "bar", "length", "empty")
)
_SENDER = r"^(?:\+[1-9][0-9]{6,14}|[0-9]{5,6}|[A-Za-z0-9 \-+_&]{1,11})$"
_MEDIA = r"^https?://\S+(?:\s+https?://\S+)*$"


def add_reason(
    lf: pl.LazyFrame,
    barred: Sequence[Barred],
    *,
    may_be_empty: bool,
    sender: pl.Expr | None = None,
    media: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Add `reason` and `reason_detail` (String), null where the row is sent.

    Args:
        lf: has `readings.READING`, `repeats.VERDICT`, `text` and `texts.MISSING`.
        barred: what the verdicts mean.
        may_be_empty: an empty text may be sent, with a picture.
        sender: String, the row's own sender; None where rows have none.
        media: String, the row's own pictures; None where rows have none.
    """
    fault, verdict = readings.fault_of(pl.col(READING)), pl.col(VERDICT)
    empty = pl.lit(value=False) if may_be_empty else pl.col(TEXT).str.strip_chars() == ""
    problems = {
        INVALID_SENDER: _unlike(sender, _SENDER),
        INVALID_MEDIA: _unlike(media, _MEDIA),
    }
    checked = {code: problem for code, problem in problems.items() if problem is not None}
    return (
        lf.with_columns(
            pl.when(fault > 0).then(fault).alias(_FAULT),
            pl.when(verdict.is_between(1, FIRST_ROW)).then(verdict).alias(_BAR),
            pl.col(TEXT).str.len_chars().alias(_LENGTH),
            empty.alias(_EMPTY),
        )
        .with_columns(
            pl.coalesce(_codes(barred, checked)).alias(REASON),
            pl.coalesce(_sentences(barred, checked)).alias(REASON_DETAIL),
        )
        .drop(_FAULT, _BAR, _LENGTH, _EMPTY)
    )


def _codes(barred: Sequence[Barred], checked: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    reasons = {position: fault.reason for position, fault in enumerate(FAULTS, start=1)}
    bars = {position: each.reason for position, each in enumerate(barred, start=1)}
    return [
        columns.look_up(pl.col(_FAULT), reasons, pl.String),
        _where(pl.col(VERDICT) > FIRST_ROW, DUPLICATE),
        *([columns.look_up(pl.col(_BAR), bars, pl.String)] if bars else ()),
        *(_where(problem, code) for code, problem in checked.items()),
        _where(pl.col(MISSING).is_not_null(), MISSING_VALUE),
        _where(pl.col(_EMPTY), EMPTY_TEXT),
        _where(pl.col(_LENGTH) > MAX_CHARACTERS, TOO_LONG),
    ]


def _sentences(barred: Sequence[Barred], checked: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    faults = {position: fault.value for position, fault in enumerate(FAULTS, start=1)}
    bars = {position: each.detail for position, each in enumerate(barred, start=1)}
    repeats = pl.when(pl.col(VERDICT) > FIRST_ROW).then(pl.col(VERDICT) - FIRST_ROW)
    too_long = pl.when(pl.col(_LENGTH) > MAX_CHARACTERS).then(pl.col(_LENGTH))
    wrong = {
        INVALID_SENDER: "the row's sender is no number, short code or name of 11 characters",
        INVALID_MEDIA: "the row's pictures are not addresses that begin with https://",
    }
    return [
        columns.look_up(pl.col(_FAULT), faults, pl.String),
        pl.lit("duplicate of row ") + repeats.cast(pl.String),
        *([columns.look_up(pl.col(_BAR), bars, pl.String)] if bars else ()),
        *(_where(problem, wrong[code]) for code, problem in checked.items()),
        pl.col(MISSING),
        _where(pl.col(_EMPTY), "the text is empty"),
        too_long.cast(pl.String) + f" characters; the provider takes {MAX_CHARACTERS}",
    ]


def _unlike(cell: pl.Expr | None, pattern: str) -> pl.Expr | None:
    if cell is None:
        return None

    text = cell.str.strip_chars().fill_null("")
    return (text != "") & ~text.str.contains(pattern)


def _where(condition: pl.Expr, value: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(value))
