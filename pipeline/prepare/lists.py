"""Lists of numbers, such as people who want no texts: read like recipients, kept as integers."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.errors import UsageError
from pipeline.model import EXAMPLE_ROWS, Columns
from pipeline.prepare import columns, readings
from pipeline.prepare.mending import read_cell
from pipeline.prepare.readings import FAULTS, NUMBER_MASK, READING, Fault, packed
from pipeline.prepare.recipients import read_numbers


def read_list(
    frame: pl.LazyFrame, *, roles: Columns, region: str, file: str
) -> tuple[pl.Series, int, tuple[int, ...]]:
    """Read a list; a repaired number counts, since leaving somebody out is the safe side.

    Args:
        frame: the columns of the list; where there is only one, its name does not matter.
        roles: which columns hold the numbers.
        region: how numbers without a country code are read.
        file: names the list in an error.

    Returns:
        The distinct numbers (Int64, E.164 without its plus), how many filled rows hold none, and
        the first of those.

    Raises:
        InputError: none of several columns, or more than one, is named like phone numbers.
    """
    schema = frame.collect_schema()
    usable = {name: dtype for name, dtype in schema.items() if columns.has_text(dtype)}
    if len(usable) == 1 and not roles.phone:
        roles = Columns(phone=tuple(usable))

    views = {name: columns.text_view(name, dtype) for name, dtype in usable.items()}
    table = read_numbers(frame, views, roles=roles, region=region, file=file)
    reading = pl.col(READING)
    numbers = table.select(readings.number_of(reading)).to_series().drop_nulls().unique()
    unread = table.with_row_index(columns.ROW, offset=1).filter(
        (reading < 0) & (reading != packed(Fault.MISSING))
    )
    return numbers, unread.height, tuple(unread[columns.ROW].head(EXAMPLE_ROWS))


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
