"""What people write in a phone column becomes a reading: a number in E.164, or a fault.

phonenumbers decides (see `mending`). North American numbers in the usual spellings never reach it:
they are read as integers, a batch at a time, and only under area codes where it accepts every
exchange, so the two can only agree. The rest is asked once per distinct spelling.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import phonenumbers
import polars as pl

from pipeline.errors import SettingsError
from pipeline.prepare import columns
from pipeline.prepare.mending import read_cell
from pipeline.prepare.readings import READING, Repair, packed

CELL = columns.WORKING + "cell"  #: String, the phone column as text
REGION = columns.WORKING + "region"  #: String, how the cell is read; null is the campaign's region

#: Area codes of the US and Canada whose every exchange is an ordinary number (see
#: tests/make_prefixes.py).
ORDINARY_AREAS = tuple(
    map(int, Path(__file__).with_name("north_america.txt").read_text(encoding="ascii").split())
)

_NORTH_AMERICA = ("US", "CA")  # read a number without a country code alike

#: Ten digits grouped in the usual ways; the first group may be missing where the country is given.
_TEN_DIGITS = r"\(?[0-9]{3}\)?[ .\-]{0,2}[0-9]{3}[ .\-]{0,2}[0-9]{4}"
_PUNCTUATION = r"[ ().\-]"

#: Spellings of whole columns: what tells one, what to leave out, the repair that it is. The rest is
#: `mending`'s.
_ABROAD = ((r"^ *\+1[ .\-]{0,2}" + _TEN_DIGITS + " *$", _PUNCTUATION, None),)
_AT_HOME = (
    (r"^ *(?:\+?1[ .\-]{0,2})?" + _TEN_DIGITS + " *$", _PUNCTUATION, None),
    (r"^\+?[0-9]{10,11}\.0$", r"\.0$", Repair.DECIMALS),
    (r"^'\+?[0-9]{10,11}$", "^'", Repair.APOSTROPHE),
)

_BARE = columns.WORKING + "bare"
_COUNTRY = 10_000_000_000  # 1 and ten digits
PER_AREA = 10_000_000  #: numbers of North America that begin with 1 and an area code
_PER_EXCHANGE_DIGIT = 1_000_000
_PLACES = [_COUNTRY // PER_AREA + area for area in ORDINARY_AREAS]


def add_readings(lf: pl.LazyFrame, region: str) -> pl.LazyFrame:
    """Read the cells of `CELL` (String).

    Args:
        lf: the frame; may have `REGION` (String): how this row's cell is read, where not null.
        region: ISO 3166 code; how numbers without a country code are read otherwise.

    Returns:
        The frame with `readings.READING` (Int64).

    Raises:
        SettingsError: nobody knows the region.
    """
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise SettingsError(
            [f"region '{region}' is not a country: write an ISO 3166 code such as US"]
        )

    names = lf.collect_schema().names()
    at_home = region in _NORTH_AMERICA and REGION not in names
    return lf.pipe(_add_plain, CELL, READING, at_home=at_home).with_columns(
        pl.coalesce(READING, _asked(region, by_row=REGION in names)).alias(READING)
    )


def _add_plain(lf: pl.LazyFrame, cell: str, name: str, *, at_home: bool) -> pl.LazyFrame:
    """Read +1 and ten digits; at home also 1 and ten digits, or ten; null for all others."""
    digits, length = pl.col(cell).cast(pl.Int64, strict=False), pl.col(cell).str.len_bytes()
    shaped = (length == 12) & pl.col(cell).str.starts_with("+")
    if at_home:
        shaped |= length.is_between(10, 11)

    number = pl.col(name)
    area, exchange_digit = number // PER_AREA, number // _PER_EXCHANGE_DIGIT % 10
    return (
        lf.with_columns(pl.when(shaped).then(digits).alias(name))
        .with_columns(pl.when(length == 10).then(number + _COUNTRY).otherwise(number).alias(name))
        .with_columns(pl.when(area.is_in(_PLACES) & (exchange_digit >= 2)).then(number).alias(name))
    )


def _asked(region: str, *, by_row: bool) -> pl.Expr:
    """Read what is left: of a common spelling, or asked about once per distinct one."""
    left = pl.when(pl.col(READING).is_null()).then(pl.col(CELL).fill_null(""))
    if not by_row:
        # Batches of a Series, because few cells are left, and phonenumbers is Python.
        ask = partial(_read_left, region=region)
        return left.map_batches(ask, return_dtype=pl.Int64, is_elementwise=True)

    said = pl.col(REGION).str.strip_chars().str.to_uppercase()
    regions = pl.when(said != "").then(said).otherwise(pl.lit(region)).alias(REGION)
    return pl.struct(left.alias(CELL), regions).map_batches(
        _read_left_by_region, return_dtype=pl.Int64, is_elementwise=True
    )


def _read_left_by_region(rows: pl.Series) -> pl.Series:
    cells, regions = rows.struct.field(CELL), rows.struct.field(REGION)
    readings = _unknown(cells)
    for region in regions.filter(cells.is_not_null()).unique():
        chosen = (regions == region).arg_true()
        readings = readings.scatter(chosen, _read_left(cells.gather(chosen), region))

    return readings


def _read_left(cells: pl.Series, region: str) -> pl.Series:
    """Read the cells that are not null."""
    places = cells.is_not_null().arg_true()
    return _unknown(cells).scatter(places, _read_cells(cells.gather(places), region))


def _read_cells(cells: pl.Series, region: str) -> pl.Series:
    readings, at_home = _unknown(cells), region in _NORTH_AMERICA
    for shape, noise, repair in _AT_HOME if at_home else _ABROAD:
        places = (readings.is_null() & cells.str.contains(shape)).arg_true()
        if not places.is_empty():
            bare = _plain(cells.gather(places).str.replace_all(noise, ""), at_home=at_home)
            readings = readings.scatter(places, bare | packed(0, repair))

    left = readings.is_null()
    spellings = cells.filter(left).unique().to_list()
    answers = [read_cell(spelling, region) for spelling in spellings]
    asked = cells.filter(left).replace_strict(spellings, answers, return_dtype=pl.Int64)
    return readings.scatter(left.arg_true(), asked)


def _plain(cells: pl.Series, *, at_home: bool) -> pl.Series:
    return (
        cells.to_frame(CELL).lazy().pipe(_add_plain, CELL, _BARE, at_home=at_home).collect()[_BARE]
    )


def _unknown(cells: pl.Series) -> pl.Series:
    return pl.Series(READING, [], pl.Int64).extend_constant(None, cells.len())
