"""Lists of numbers, such as people who want no texts: every number in them counts, as an integer.

What holds no number is counted and named: rows in are rows told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.errors import InputError, UsageError
from pipeline.model import EXAMPLE_ROWS, Finding
from pipeline.prepare import columns
from pipeline.prepare.list_cells import FOUND, IS_FILLED, LEFT, NUMBERS, numbers_in, read_column
from pipeline.prepare.list_columns import phone_columns_of
from pipeline.prepare.mending import read_cell
from pipeline.prepare.readings import FAULTS, NUMBER_MASK

_LIKE_NUMBER = r"^\s*[+(]{0,2}[0-9](?:[\s().\-]*[0-9]){9,14}\s*$"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberList:
    """A list, read."""

    #: The distinct numbers (Int64, E.164 without its plus).
    numbers: pl.Series
    #: How many numbers there are, with those that are there again.
    found: int
    rows: int
    #: How many rows hold no number.
    without: int
    #: The columns that were read; one whose name is a number is told by its place.
    columns: tuple[str, ...]
    #: What bars nobody, with row numbers.
    findings: tuple[Finding, ...]


def read_list(frame: pl.LazyFrame, *, region: str, file: str) -> NumberList:
    """Read every number of every phone column; a repaired one counts, which is the safe side.

    Args:
        frame: the columns of the list; each phone column is read once, in streaming mode.
        region: how numbers without a country code are read.
        file: names the list in findings and errors.

    Raises:
        InputError: none of several columns is named like phone numbers, or one holds lists.
    """
    schema = frame.collect_schema()
    phone = phone_columns_of(list(schema), file=file)
    for name in phone:
        if not columns.has_text(schema[name]):
            raise InputError(
                "the cells of this column are lists or bytes; write the numbers as text, several "
                "with ';' between them",
                file=file,
                column=name,
            )

    views = {
        name: columns.text_view(name, dtype)
        for name, dtype in schema.items()
        if columns.has_text(dtype)
    }
    read = [read_column(frame, views[name], region) for name in phone]
    in_header = {name: numbers_in(name, region) for name in schema}
    headed = pl.Series(NUMBERS, [each for found in in_header.values() for each in found], pl.Int64)
    every = pl.concat([numbers for numbers, _ in read] + [headed])
    rows = _together([rows for _, rows in read])
    unread = {name: view for name, view in views.items() if name not in phone}
    return NumberList(
        numbers=every.unique(),
        found=every.len(),
        rows=rows.height,
        without=int((rows[FOUND] == 0).sum()),
        columns=tuple(_told(phone, in_header)),
        findings=(
            *_rows_findings(rows, file),
            *_header_finding(headed, file),
            *_overlooked(frame, unread, file),
        ),
    )


def _together(read: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return what the rows hold in all columns together."""
    places = range(len(read))
    side_by_side = pl.concat(
        [
            rows.rename({name: f"{name}{place}" for name in rows.columns})
            for place, rows in enumerate(read)
        ],
        how="horizontal",
    )
    return side_by_side.select(
        pl.sum_horizontal(f"{FOUND}{place}" for place in places).alias(FOUND),
        pl.sum_horizontal(f"{LEFT}{place}" for place in places).alias(LEFT),
        pl.any_horizontal(f"{IS_FILLED}{place}" for place in places).alias(IS_FILLED),
    )


def _rows_findings(rows: pl.DataFrame, file: str) -> Iterator[Finding]:
    """Tell the rows, and the parts of cells, that bar nobody."""
    is_empty, is_filled = rows[FOUND] == 0, rows[IS_FILLED]
    of_list = f"of the suppression list '{file}'"
    sentence = f"rows {of_list} hold no number and bar nobody"
    yield from _finding("suppression_rows", sentence, is_empty & is_filled, is_repair=True)
    sentence = f"rows {of_list} have nothing where the numbers stand, and bar nobody"
    yield from _finding("suppression_blanks", sentence, is_empty & ~is_filled)
    sentence = f"rows {of_list} hold, beside a number, what is none and bars nobody"
    left = ~is_empty & (rows[LEFT] > 0)
    yield from _finding("suppression_parts", sentence, left, is_repair=True)


def _finding(
    code: str, sentence: str, concerned: pl.Series, *, is_repair: bool = False
) -> Iterator[Finding]:
    if count := int(concerned.sum()):
        first = tuple(place + 1 for place in concerned.arg_true().head(EXAMPLE_ROWS))
        yield Finding(code=code, sentence=sentence, count=count, rows=first, is_repair=is_repair)


def _told(phone: Sequence[str], in_header: Mapping[str, list[int]]) -> Iterator[str]:
    for place, (name, numbers) in enumerate(in_header.items(), start=1):
        if name in phone:
            yield f"column {place}" if numbers else name


def _header_finding(headed: pl.Series, file: str) -> Iterator[Finding]:
    if headed.len():
        sentence = (
            f"numbers stand where the suppression list '{file}' names its columns; they bar too"
        )
        yield Finding(code="suppression_header", sentence=sentence, count=headed.len())


def _overlooked(frame: pl.LazyFrame, unread: Mapping[str, pl.Expr], file: str) -> Iterator[Finding]:
    """Tell the columns that are not read although their cells look like phone numbers."""
    if not unread:
        return

    looks = [view.str.contains(_LIKE_NUMBER).any().alias(name) for name, view in unread.items()]
    answers = frame.select(looks).collect(engine="streaming").row(0, named=True)
    if found := [name for name, is_like in answers.items() if is_like]:
        listed = ", ".join(f"'{name}'" for name in found)
        sentence = (
            f"columns of the suppression list '{file}' are not read, and hold what looks like "
            f"phone numbers ({listed}): where they are such, name them 'phone'"
        )
        yield Finding(code="suppression_columns", sentence=sentence, count=len(found))


def read_spoken(numbers: Sequence[str], region: str) -> list[str]:
    """Return numbers that a person named, in E.164.

    Raises:
        UsageError: a line for each that is none; says which of them, and not the number itself.
    """
    found = [read_cell(number, region) for number in numbers]
    problems = [
        f"number {position} of {len(numbers)}: {FAULTS[-1 - reading]}"
        for position, reading in enumerate(found, start=1)
        if reading < 0
    ]
    if problems:
        raise UsageError("\n".join(problems))

    return [f"+{reading & NUMBER_MASK}" for reading in found]
