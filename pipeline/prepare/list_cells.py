"""The cells of a list: every number in them, whatever stands between them and around them.

plain cells ───────────────────────────────> phones.add_readings ─> a number
cells with a separator, or with the digits ─> parts ─> phones.add_readings ─> numbers
of two numbers; and cells that are none          └─ none? ─> a search in the text ─> numbers
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import polars as pl
from phonenumbers import PhoneNumberMatcher

from pipeline.prepare import columns, phones, readings
from pipeline.prepare.mending import BETWEEN, parts_of, read_cell
from pipeline.prepare.readings import NUMBER_MASK, READING, Fault, Repair, packed

NUMBERS = columns.WORKING + "numbers"  #: List(Int64), E.164 without its plus
LEFT = columns.WORKING + "left"  #: UInt32, how many parts of a cell are no number
IS_FILLED = columns.WORKING + "is_filled"  #: Boolean
FOUND = columns.WORKING + "found"  #: UInt32, how many numbers a row holds

_FEWEST_DIGITS = 14  # of two numbers; below, a cell without `_SEPARATOR` holds one at most
_SEPARATOR = r"[;,/|&\n\r\t]"
#: What stands between numbers in lists besides what `parts_of` knows.
_MORE = re.compile(r"(?<=\d)\s+(?=\+)|\t")
#: What numbers are separated by, and what may be part of one: 0171/2345678, 0172/2345678.
_SEPARATORS = (
    re.compile(rf"[;|\n\r\t]+|{BETWEEN}", re.IGNORECASE),
    re.compile(r",+"),
    re.compile(r"/+"),
    re.compile(r"(?<=\d)\s+(?=\+)"),
)
#: Repairs that may have put together what are two numbers, or a number and something else.
_GUESSES = (Repair.SEVERAL, Repair.PLUS, Repair.ZERO)
#: One number or none: nothing else is to be found in it.
_ALONE = re.compile(r"[+0-9().\-]{1,14}|\+?(?:[ ().\-]*[0-9]){1,10}[ ().\-]*")

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
    return _numbers_of(text, [read_cell(part, region) for _, part in _parts([text])], region)[0]


def _answers(spellings: pl.Series, region: str) -> pl.DataFrame:
    """Return the distinct numbers of each spelling, and how many of its pieces are none."""
    parts = pl.LazyFrame(list(_parts(spellings)), schema=_PARTS, orient="row")
    read = parts.pipe(phones.add_readings, region).select(_SPELLING, READING).collect()
    found: dict[str, list[int]] = {spelling: [] for spelling in spellings}
    for spelling, reading in read.iter_rows():
        found[spelling].append(reading)

    rows = [(spelling, *_numbers_of(spelling, found[spelling], region)) for spelling in found]
    return pl.DataFrame(rows, schema=_ANSWERS, orient="row")


def _parts(spellings: Iterable[str]) -> Iterator[tuple[str, str]]:
    for spelling in spellings:
        for part in parts_of(_MORE.sub(";", spelling)):
            yield spelling, part


def _numbers_of(spelling: str, of_parts: list[int], region: str) -> tuple[list[int], int]:
    """Return the numbers of a cell whose parts were read, and how many of its pieces are none.

    A cell without parts is not several numbers by the rules for recipients.
    """
    if not of_parts or any(reading < 0 or _took(reading, *_GUESSES) for reading in of_parts):
        numbers, left = _numbers_of_piece(spelling, region, _SEPARATORS)
    else:
        numbers, left = [reading & NUMBER_MASK for reading in of_parts], 0

    return list(dict.fromkeys(numbers)), left


def _took(reading: int, *repairs: Repair) -> bool:
    """Tell whether a number was read by one of these repairs."""
    return any(reading == packed(reading & NUMBER_MASK, repair) for repair in repairs)


def _numbers_of_piece(
    piece: str, region: str, separators: Sequence[re.Pattern[str]]
) -> tuple[list[int], int]:
    """Take a piece of a cell for one number where it is, or else take it apart."""
    reading = read_cell(piece, region)
    whole = [reading & NUMBER_MASK] * (reading >= 0)
    is_guess = _took(reading, *_GUESSES) and re.search(_SEPARATOR, piece)
    if whole and not is_guess and not _took(reading, Repair.SEVERAL):
        return whole, 0

    if reading == packed(Fault.DIGITS_LOST) or (not whole and _ALONE.fullmatch(piece)):
        return [], 1

    found, rest = _search(piece, region)
    if found and not any(map(str.isalnum, rest)):
        return found, 0

    for place, separator in enumerate(separators):
        pieces = [each for each in map(str.strip, separator.split(piece)) if each]
        if len(pieces) > 1:
            answers = [_numbers_of_piece(each, region, separators[place + 1 :]) for each in pieces]
            numbers = [number for numbers, _ in answers for number in numbers]
            left = sum(left for _, left in answers)
            return (numbers, left) if numbers or not whole else (whole, 0)

    return (found, 1) if found or not whole else (whole, 0)


def _search(text: str, region: str) -> tuple[list[int], str]:
    """Return the numbers that stand somewhere in a text, and what is left of the text."""
    found = []
    for match in PhoneNumberMatcher(text, region):
        reading = read_cell(match.raw_string, region)
        if reading >= 0 and not _took(reading, *_GUESSES):
            found.append(reading & NUMBER_MASK)
            text = text.replace(match.raw_string, "", 1)

    return found, text
