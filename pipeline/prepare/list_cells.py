"""The cells of a list: every number in them, whatever stands between them and around them.

plain cells ───────────────────────────────> phones.add_readings ─> a number
cells with a separator, or with the digits ─> parts ─> phones.add_readings ─> numbers
of two numbers; and cells that are none          └─ none? ─> a search in the text ─> numbers
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
from phonenumbers import PhoneNumberMatcher

from pipeline.prepare import columns, phones, readings
from pipeline.prepare.mending import parts_of, read_cell
from pipeline.prepare.readings import NUMBER_MASK, READING, Fault, packed

NUMBERS = columns.WORKING + "numbers"  #: List(Int64), E.164 without its plus
LEFT = columns.WORKING + "left"  #: UInt32, how many parts of a cell are no number
IS_FILLED = columns.WORKING + "is_filled"  #: Boolean
FOUND = columns.WORKING + "found"  #: UInt32, how many numbers a row holds

_FEWEST_DIGITS = 14  # of two numbers; below, a cell without `_SEPARATOR` holds one at most
_SEPARATOR = r"[;,/|&\n\r\t]"
#: What stands between numbers in lists besides what `parts_of` knows.
_BETWEEN = re.compile(r"(?<=\d)\s+(?=\+)|\t|:{2,}")
_ONE_GROUP = re.compile(r"[+0-9().\-]{1,14}")  # nothing can be found in it but itself

_SPELLING = columns.WORKING + "spelling"
_PARTS = {_SPELLING: pl.String(), phones.CELL: pl.String()}
_ANSWERS = {_SPELLING: pl.String(), NUMBERS: pl.List(pl.Int64), LEFT: pl.UInt32()}


def read_column(frame: pl.LazyFrame, view: pl.Expr, region: str) -> tuple[pl.Series, pl.DataFrame]:
    """Read a column of a list, once, in streaming mode.

    Args:
        frame: the columns of the list.
        view: String, the cells.
        region: how numbers without a country code are read.

    Returns:
        The numbers (Int64, those that are there again too), and for each row, in order, `FOUND`,
        `LEFT` and `IS_FILLED`.
    """
    spelling, reading = pl.col(_SPELLING), pl.col(READING)
    may_be_several = (
        spelling.str.contains(_SEPARATOR) | (spelling.str.count_matches(r"\d") >= _FEWEST_DIGITS)
    ).fill_null(value=False)
    is_filled = may_be_several | (reading != packed(Fault.MISSING))
    table = (
        frame.select(view.alias(_SPELLING))
        .with_columns(pl.when(~may_be_several).then(spelling).alias(phones.CELL))
        .pipe(phones.add_readings, region)
        .select(
            is_filled.alias(IS_FILLED),
            readings.number_of(reading).alias(READING),
            pl.when(is_filled & (reading < 0)).then(spelling).alias(_SPELLING),
        )
        .collect(engine="streaming")
    )
    answers = _answers(table[_SPELLING].drop_nulls().unique(), region)
    table = table.join(answers, on=_SPELLING, how="left", maintain_order="left")
    several = table[NUMBERS].drop_nulls().explode().drop_nulls().cast(pl.Int64)
    is_one = reading.is_not_null().cast(pl.UInt32)
    rows = table.select(
        pl.coalesce(pl.col(NUMBERS).list.len(), is_one).alias(FOUND),
        pl.col(LEFT).fill_null(0),
        IS_FILLED,
    )
    return pl.concat([table[READING].drop_nulls().alias(NUMBERS), several]), rows


def numbers_in(text: str, region: str) -> list[int]:
    """Return every number of a text (E.164 without its plus)."""
    return list(_answers(pl.Series([text]), region)[NUMBERS].item())


def _answers(spellings: pl.Series, region: str) -> pl.DataFrame:
    """Return the distinct numbers of each spelling, and how many of its parts are none."""
    numbers: dict[str, dict[int, None]] = {spelling: {} for spelling in spellings}
    left = dict.fromkeys(numbers, 0)
    parts = pl.LazyFrame(list(_parts(numbers)), schema=_PARTS, orient="row")
    read = parts.pipe(phones.add_readings, region).select(*_PARTS, READING).collect()
    for spelling, part, reading in read.iter_rows():
        found, has_rest = _numbers_of(part, reading, region)
        numbers[spelling] |= dict.fromkeys(found)
        left[spelling] += has_rest

    rows = [(spelling, list(found), left[spelling]) for spelling, found in numbers.items()]
    return pl.DataFrame(rows, schema=_ANSWERS, orient="row")


def _parts(spellings: dict[str, dict[int, None]]) -> Iterator[tuple[str, str]]:
    for spelling in spellings:
        for part in parts_of(_BETWEEN.sub(";", spelling)) or [spelling]:
            yield spelling, part


def _numbers_of(part: str, reading: int, region: str) -> tuple[list[int], bool]:
    """Return the numbers of a part, and whether something in it is none."""
    whole = [reading & NUMBER_MASK] * (reading >= 0)
    if whole and not re.search(_SEPARATOR, part):
        return whole, False

    if reading == packed(Fault.DIGITS_LOST) or (not whole and _ONE_GROUP.fullmatch(part)):
        return [], True

    found, rest = _search(part, region)
    if whole and found in ([], whole):
        return whole, False

    return [*whole, *found], not found or any(map(str.isalnum, rest))


def _search(text: str, region: str) -> tuple[list[int], str]:
    """Return the numbers that stand somewhere in a text, and what is left of the text."""
    found = []
    for match in PhoneNumberMatcher(text, region):
        reading = read_cell(match.raw_string, region)
        if reading >= 0:
            found.append(reading & NUMBER_MASK)
            text = text.replace(match.raw_string, "", 1)

    return found, text
