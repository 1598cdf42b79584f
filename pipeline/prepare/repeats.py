"""Who was there before: repeated numbers in the file, and numbers that must not be texted.

Works on narrow integers only. A number and its row are packed into one integer of 64 bits and
sorted; a repeated number stands beside its first row. Twelve bytes a row stay, a reading and a
verdict; twice that are needed while the numbers are sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.prepare import columns, readings
from pipeline.prepare.readings import READING

#: UInt32: 0, or 1 + the position of what bars the number, or `FIRST_ROW` + the row it repeats.
VERDICT = columns.WORKING + "verdict"
#: Verdicts from here on name the first row of a repeated number.
FIRST_ROW = 1 << 16

_ROW_BITS = 30
_ROW_MASK = (1 << _ROW_BITS) - 1
_NORTH_AMERICA = 10_000_000_000  # 1 and ten digits, which fit beside a row
_SLICE_ROWS = 1 << 21

_PLACE, _ROW, _FIRST, _REPEATS = (
    columns.WORKING + name for name in ("place", "row", "first", "repeats")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Numbers that this campaign must not text, and why."""

    #: The code of the refused row: ``suppressed``, ``excluded``, ``frequency_cap``.
    reason: str
    #: The sentence of the refused row.
    detail: str
    #: Int64, E.164 without its plus.
    numbers: pl.Series


def add_verdicts(
    table: pl.DataFrame, barred: Sequence[Barred], *, key: str | None = None
) -> pl.DataFrame:
    """Mark repeated and barred numbers; the first row of a number keeps it.

    Args:
        table: has `readings.READING` (Int64), a row per recipient, and the column `key`.
        barred: what keeps a number from being texted, the most important first.
        key: a column (String) that tells several messages to one recipient apart.

    Returns:
        The frame with `VERDICT` (UInt32).
    """
    repeats = list(_repeats_by_key(table, key) if key else _repeats(table[READING]))
    verdicts = pl.zeros(table.height, pl.UInt32, eager=True).alias(VERDICT)
    for position, each in reversed(list(enumerate(barred, start=1))):
        verdicts = verdicts.scatter(_barred_rows(table, each.numbers), position)

    for rows, first in repeats:
        verdicts = verdicts.scatter(rows, first + (FIRST_ROW + 1))

    return table.with_columns(verdicts)


def _barred_rows(table: pl.DataFrame, numbers: pl.Series) -> pl.Series:
    number = readings.number_of(pl.col(READING)).alias(_PLACE)
    return (
        table.lazy()
        .select(number)
        .with_row_index(_ROW)
        .join(numbers.alias(_PLACE).to_frame().lazy(), on=_PLACE, how="semi")
        .select(_ROW)
        .collect(engine="streaming")
        .to_series()
    )


def _repeats(read: pl.Series) -> Iterator[tuple[pl.Series, pl.Series]]:
    """Yield the 0-based rows whose number was there before, with the first row that has it."""
    packed = _packed(read).rechunk().sort(in_place=True)
    place, row, first = (
        pl.col(_PLACE) // (1 << _ROW_BITS),
        pl.col(_PLACE) & _ROW_MASK,
        pl.col(_FIRST),
    )
    last_place, last_first = None, 0
    for start in range(0, packed.len(), _SLICE_ROWS):
        runs = (
            packed.slice(start, _SLICE_ROWS)
            .to_frame(_PLACE)
            .select(place, row.cast(pl.UInt32).alias(_ROW))
            .with_columns(pl.when(_is_new(last_place)).then(_ROW).alias(_FIRST))
            .with_columns(first.is_null().alias(_REPEATS))
            .with_columns(first.forward_fill().fill_null(last_first))
        )
        last_place, last_first = runs[_PLACE][-1], runs[_FIRST][-1]
        yield runs.filter(_REPEATS)[_ROW], runs.filter(_REPEATS)[_FIRST]


def _is_new(last_place: int | None) -> pl.Expr:
    return pl.col(_PLACE).ne_missing(pl.col(_PLACE).shift(fill_value=last_place))


def _packed(read: pl.Series) -> pl.Series:
    """Return place << 30 | row for every number; a place stands for a number, one for each."""
    rows = (
        read.to_frame(READING)
        .lazy()
        .select(
            readings.number_of(pl.col(READING)).alias(_PLACE),
            pl.int_range(pl.len(), dtype=pl.UInt64).alias(_ROW),
        )
    )
    number = pl.col(_PLACE)
    is_home = number.is_between(_NORTH_AMERICA, 2 * _NORTH_AMERICA - 1)
    home = rows.filter(is_home).select(_pack(number - _NORTH_AMERICA))
    foreign = rows.filter(~is_home).select(_pack(number.rank("dense") + _NORTH_AMERICA))
    return pl.concat([home, foreign]).collect(engine="streaming").to_series()


def _pack(place: pl.Expr) -> pl.Expr:
    return (place.cast(pl.UInt64) * (1 << _ROW_BITS) + pl.col(_ROW)).alias(_PLACE)


def _repeats_by_key(table: pl.DataFrame, key: str) -> Iterator[tuple[pl.Series, pl.Series]]:
    """Yield repeated pairs of number and key; takes some 120 bytes a row."""
    same = [_PLACE, key]
    rows = (
        table.lazy()
        .select(readings.number_of(pl.col(READING)).alias(_PLACE), key)
        .with_row_index(_ROW)
        .filter(pl.col(_PLACE).is_not_null())
    )
    first = (
        rows.group_by(same)
        .agg(pl.col(_ROW).min().alias(_FIRST), pl.len())
        .filter(pl.col("len") > 1)
    )
    repeats = rows.join(first, on=same).filter(pl.col(_ROW) != pl.col(_FIRST))
    found = repeats.select(_ROW, _FIRST).collect(engine="streaming")
    yield found[_ROW], found[_FIRST]
