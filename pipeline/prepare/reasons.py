"""Why a row is not sent: the first thing that is wrong with it, as a code and as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl

from pipeline.model import MEDIA_SCHEME, MOST_MEDIA
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

_LENGTH, _EMPTY, _EXPLANATION = (
    columns.WORKING + name for name in ("length", "empty", "explanation")
)
#: Every blank character is before or behind these, so a blank text is too: tells most that are not.
_FIRST_FILLED, _LAST_FILLED = "!", "~"
_EXPLAINED = pl.Struct({REASON: pl.String, REASON_DETAIL: pl.String})
_SENDER = r"^(?:\+[1-9][0-9]{6,14}|[0-9]{5,6}|[A-Za-z0-9 \-+_&]{1,11})$"
_PICTURE = rf"(?:https?://|{MEDIA_SCHEME})\S+"
_MEDIA = rf"^{_PICTURE}(?:\s+{_PICTURE}){{0,{MOST_MEDIA - 1}}}$"


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
    needed = {
        READING: pl.col(READING),
        VERDICT: pl.col(VERDICT),
        MISSING: pl.col(MISSING),
        TEXT: pl.col(TEXT),
        INVALID_SENDER: _unlike(sender, _SENDER),
        INVALID_MEDIA: _unlike(media, _MEDIA),
    }
    told = (
        pl.coalesce(_codes(barred)).alias(REASON),
        pl.coalesce(_sentences(barred)).alias(REASON_DETAIL),
    )
    # A batch at a time, because most rows have no reason, and only the others are looked at.
    explained = pl.struct(each.alias(name) for name, each in needed.items()).map_batches(
        partial(_explain, told=told, may_be_empty=may_be_empty),
        return_dtype=_EXPLAINED,
        is_elementwise=True,
    )
    return (
        lf.with_columns(explained.alias(_EXPLANATION))
        .with_columns(
            pl.col(_EXPLANATION).struct.field(REASON),
            pl.col(_EXPLANATION).struct.field(REASON_DETAIL),
        )
        .drop(_EXPLANATION)
    )


def _explain(rows: pl.Series, *, told: Sequence[pl.Expr], may_be_empty: bool) -> pl.Series:
    """Return reason and detail of each row, null where nothing is wrong with it."""
    frame = rows.struct.unnest()
    may_be_wrong = pl.any_horizontal(
        pl.col(READING) < 0,
        pl.col(VERDICT) > 0,
        pl.col(MISSING).is_not_null(),
        pl.col(TEXT).str.len_bytes() > MAX_CHARACTERS,
        pl.col(TEXT) < _FIRST_FILLED,
        pl.col(TEXT) > _LAST_FILLED,
        pl.col(INVALID_SENDER, INVALID_MEDIA),
    ).fill_null(value=False)
    places = frame.select(may_be_wrong).to_series().arg_true()
    is_empty = pl.lit(value=False) if may_be_empty else pl.col(TEXT).str.strip_chars() == ""
    looked_at = frame[places].with_columns(
        is_empty.alias(_EMPTY), pl.col(TEXT).str.len_chars().alias(_LENGTH)
    )
    found = looked_at.select(told)
    nowhere = pl.Series([], dtype=pl.UInt32).extend_constant(None, rows.len())
    where = nowhere.scatter(places, pl.int_range(places.len(), dtype=pl.UInt32, eager=True))
    return pl.DataFrame([each.gather(where) for each in found]).to_struct(rows.name)


def _codes(barred: Sequence[Barred]) -> list[pl.Expr]:
    reasons = [None, *(fault.reason for fault in FAULTS)]
    bars = [None, *(each.reason for each in barred)]
    return [
        _nth(reasons, readings.fault_of(pl.col(READING))),
        _where(pl.col(VERDICT) > FIRST_ROW, DUPLICATE),
        _nth(bars, pl.col(VERDICT)),
        _where(pl.col(INVALID_SENDER), INVALID_SENDER),
        _where(pl.col(INVALID_MEDIA), INVALID_MEDIA),
        _where(pl.col(MISSING).is_not_null(), MISSING_VALUE),
        _where(pl.col(_EMPTY), EMPTY_TEXT),
        _where(pl.col(_LENGTH) > MAX_CHARACTERS, TOO_LONG),
    ]


def _sentences(barred: Sequence[Barred]) -> list[pl.Expr]:
    faults = [None, *(fault.value for fault in FAULTS)]
    bars = [None, *(each.detail for each in barred)]
    repeats = pl.when(pl.col(VERDICT) > FIRST_ROW).then(pl.col(VERDICT) - FIRST_ROW)
    too_long = pl.when(pl.col(_LENGTH) > MAX_CHARACTERS).then(pl.col(_LENGTH))
    return [
        _nth(faults, readings.fault_of(pl.col(READING))),
        pl.lit("duplicate of row ") + repeats.cast(pl.String),
        _nth(bars, pl.col(VERDICT)),
        _where(
            pl.col(INVALID_SENDER),
            "the row's sender is no number, short code or name of up to 11 characters",
        ),
        _where(
            pl.col(INVALID_MEDIA),
            f"the row's pictures are not 1 to {MOST_MEDIA} addresses that begin with https:// or "
            "http://",
        ),
        pl.col(MISSING),
        _where(pl.col(_EMPTY), "the text is empty"),
        too_long.cast(pl.String) + f" characters; the provider takes {MAX_CHARACTERS}",
    ]


def _nth(words: Sequence[str | None], position: pl.Expr) -> pl.Expr:
    """Return the word at each position; null for a position beyond."""
    known = pl.when(position < len(words)).then(position).otherwise(0)
    return pl.lit(pl.Series(words, dtype=pl.String)).gather(known)


def _unlike(cell: pl.Expr | None, pattern: str) -> pl.Expr:
    if cell is None:
        return pl.lit(value=False)

    text = cell.str.strip_chars().fill_null("")
    return (text != "") & ~text.str.contains(pattern)


def _where(condition: pl.Expr, value: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(value))
