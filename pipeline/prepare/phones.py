"""What people write in a phone column becomes a number in E.164, or a fault with a sentence.

phonenumbers (the port of Google's libphonenumber) decides. North American numbers in the usual
spellings take a vectorised path whose pattern is phonenumbers' own, so it can only agree; the rest,
other countries, islands and toll-free numbers included, is asked once per distinct spelling.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache, partial

import phonenumbers
import polars as pl
from phonenumbers import NumberParseException, ValidationResult

from pipeline.errors import SettingsError
from pipeline.prepare import columns

CELL = columns.WORKING + "cell"  #: String, the phone column as text
_ASKED = columns.WORKING + "asked"  # Int64, a number, or minus the index of a fault

MISSING_NUMBER = "missing_number"
INVALID_NUMBER = "invalid_number"


class Fault(StrEnum):
    """Why a cell is no number that can be texted; the value is the sentence for people."""

    MISSING = "the row has no phone number"
    LETTERS = "not a phone number: it holds letters"
    NO_DIGITS = "not a phone number: it has too few digits in a row"
    COUNTRY = "its country code does not exist"
    AREA_CODE = "too short: the area code is missing"
    TOO_SHORT = "too short for a phone number"
    TOO_LONG = "too long for a phone number"
    LENGTH = "no number of its country has this many digits"
    UNASSIGNED = "no such number: its area code or exchange does not exist"

    @property
    def reason(self) -> str:
        """Return the code of the refused row."""
        return MISSING_NUMBER if self is Fault.MISSING else INVALID_NUMBER


FAULT_TYPE = pl.Enum(Fault)

_FAULTS = tuple(Fault)
_NORTH_AMERICA = ("US", "CA")  # read a number without a country code alike

#: Ten digits grouped in the usual ways; the first group may be missing where the country is given.
_TEN_DIGITS = r"\(?[0-9]{3}\)?[ .\-]{0,2}[0-9]{3}[ .\-]{0,2}[0-9]{4}$"
_WITH_PLUS_ONE = r"^\+1[ .\-]{0,2}" + _TEN_DIGITS
_AT_HOME = r"^(?:\+?1[ .\-]{0,2})?" + _TEN_DIGITS

_PARSE_FAULTS = {
    NumberParseException.INVALID_COUNTRY_CODE: Fault.COUNTRY,
    NumberParseException.TOO_SHORT_AFTER_IDD: Fault.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: Fault.TOO_SHORT,
    NumberParseException.TOO_LONG: Fault.TOO_LONG,
}
_LENGTH_FAULTS = {
    ValidationResult.INVALID_COUNTRY_CODE: Fault.COUNTRY,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: Fault.AREA_CODE,
    ValidationResult.TOO_SHORT: Fault.TOO_SHORT,
    ValidationResult.TOO_LONG: Fault.TOO_LONG,
    ValidationResult.INVALID_LENGTH: Fault.LENGTH,
}


def add_numbers(lf: pl.LazyFrame, region: str) -> pl.LazyFrame:
    """Read the cells of `CELL` (String).

    Args:
        lf: the frame.
        region: ISO 3166 code; how numbers without a country code are read.

    Returns:
        The frame with `columns.NUMBER` (Int64: E.164 without its plus) and `columns.FAULT`
        (`FAULT_TYPE`); exactly one of them is null.

    Raises:
        SettingsError: nobody knows the region.
    """
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise SettingsError(
            [f"region '{region}' is not a country: write an ISO 3166 code such as US"]
        )

    number, asked = pl.col(columns.NUMBER), pl.col(_ASKED)
    return (
        lf.with_columns(_fast_number(region).alias(columns.NUMBER))
        .with_columns(_asked_number(region).alias(_ASKED))
        .with_columns(
            pl.coalesce(number, pl.when(asked > 0).then(asked)),
            columns.look_up(-asked, dict(enumerate(_FAULTS)), FAULT_TYPE).alias(columns.FAULT),
        )
        .drop(_ASKED)
    )


@lru_cache(maxsize=100_000)
def read_number(cell: str, region: str) -> int | Fault:
    """Read one cell with phonenumbers.

    Returns:
        E.164 without its plus, or why the cell is not a number.
    """
    if not cell.strip():
        return Fault.MISSING

    try:
        number = phonenumbers.parse(cell, region)
    except NumberParseException as error:
        return _PARSE_FAULTS.get(error.error_type) or _not_a_number(cell)

    if phonenumbers.is_valid_number(number):
        return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])

    return _LENGTH_FAULTS.get(phonenumbers.is_possible_number_with_reason(number), Fault.UNASSIGNED)


def _not_a_number(cell: str) -> Fault:
    return Fault.LETTERS if any(map(str.isalpha, cell)) else Fault.NO_DIGITS


def _fast_number(region: str) -> pl.Expr:
    """Return 1 and ten digits where the spelling is usual and the number a fixed line's."""
    cell = pl.col(CELL).str.strip_chars()
    usual = cell.str.contains(_AT_HOME if region in _NORTH_AMERICA else _WITH_PLUS_ONE)
    clean = cell.str.contains(r"^\+?[0-9]*$")
    mended = pl.when(usual & ~clean).then(cell).otherwise(pl.lit("")).str.replace_all("[^0-9]", "")
    digits = pl.when(clean).then(cell).otherwise(mended).str.slice(-10)
    valid = usual & digits.str.contains(_fixed_line_pattern())
    return pl.when(valid).then(digits).str.to_integer(strict=False) + 10_000_000_000


def _asked_number(region: str) -> pl.Expr:
    """Return phonenumbers' answers for the other cells, a fault as minus its index."""
    other = pl.when(pl.col(columns.NUMBER).is_null()).then(pl.col(CELL).fill_null(""))
    return other.map_batches(  # Python, because phonenumbers is
        partial(_ask_distinct, region=region), return_dtype=pl.Int64, is_elementwise=True
    )


def _ask_distinct(cells: pl.Series, *, region: str) -> pl.Series:
    spellings = cells.drop_nulls().unique().to_list()
    answers = [_encoded(read_number(spelling, region)) for spelling in spellings]
    return cells.replace_strict(spellings, answers, default=None, return_dtype=pl.Int64)


def _encoded(answer: int | Fault) -> int:
    return -_FAULTS.index(answer) if isinstance(answer, Fault) else answer


def _fixed_line_pattern() -> str:
    """Return what phonenumbers calls a fixed-line number of the US or Canada, anchored.

    A ten-digit number that matches is valid by phonenumbers' own definition.
    """
    patterns = []
    for region in _NORTH_AMERICA:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        assert metadata is not None
        assert metadata.fixed_line is not None
        patterns.append(str(metadata.fixed_line.national_number_pattern))

    return f"^(?:{'|'.join(patterns)})$"
