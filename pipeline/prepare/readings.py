"""What reading a cell of phone numbers came to: a number with its repair, or a fault.

A reading is one Int64, so that a hundred million of them fit in memory: eight bytes a row.

    a number    column << 56 | repair << 50 | E.164 without its plus (15 digits are under 2**50)
    a fault     minus the position of the fault, from 1
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from pipeline.prepare import columns

READING = columns.WORKING + "reading"  #: Int64, as above

_REPAIR_SHIFT, _COLUMN_SHIFT = 50, 56
NUMBER_MASK = (1 << _REPAIR_SHIFT) - 1
_REPAIR_MASK = (1 << (_COLUMN_SHIFT - _REPAIR_SHIFT)) - 1

#: How many columns of phone numbers a reading can tell apart.
MOST_COLUMNS = 64


class Fault(StrEnum):
    """Why a cell is no number that can be texted; the value is the sentence for people."""

    MISSING = "the row has no phone number"
    LETTERS = "not a phone number: it holds letters"
    LETTERS_BEHIND = (
        "letters behind the number are no label like (cell): take out number or letters"
    )
    NO_DIGITS = "not a phone number: it has too few digits in a row"
    COUNTRY = "its country code does not exist"
    AREA_CODE = "too short: the area code is missing"
    TOO_SHORT = "too short for a phone number"
    TOO_LONG = "too long for a phone number"
    LENGTH = "no number of its country has this many digits"
    UNASSIGNED = "no such number: its area code or exchange does not exist"
    AMBIGUOUS = "it could be either of two numbers: write it with its plus and country code"
    FRACTION = "a number with a fraction is no phone number"
    TAIL = "digits stand behind a slash and a complete number: write each number in full"
    DIGITS_LOST = "digits are lost: a spreadsheet rounded the number; export the column as text"
    REGION = "its region is not a country: write an ISO 3166 code such as US"
    PREMIUM_RATE = "a premium-rate number"
    SHARED_COST = "a shared-cost number"
    EMERGENCY = "an emergency number"
    SHORT = "a short code, which takes no texts from campaigns"
    REPAIRED = "the number had to be repaired, and repairs are not allowed in strict mode"

    @property
    def reason(self) -> str:
        """Return the code of the refused row."""
        return _REASONS.get(self, "invalid_number")


_REASONS = {
    Fault.MISSING: "missing_number",
    Fault.DIGITS_LOST: "digits_lost",
    Fault.REGION: "invalid_region",
    Fault.PREMIUM_RATE: "premium_rate",
    Fault.SHARED_COST: "shared_cost",
    Fault.EMERGENCY: "emergency_number",
    Fault.SHORT: "short_number",
    Fault.REPAIRED: "repaired_number",
}


class Repair(StrEnum):
    """What had to be mended before a number could be read; the value says it of many rows."""

    INVISIBLE = "phone numbers held invisible characters, which were left out"
    DIGITS = "phone numbers were written with digits of another script"
    APOSTROPHE = "phone numbers had a spreadsheet's apostrophe or formula sign, which was left out"
    DECIMALS = "phone numbers ended in '.0', as decimal numbers do"
    SCIENTIFIC = "phone numbers were written as 1.23E+10, with every digit there"
    PLUS = "phone numbers had lost the plus before their country code"
    ZERO = "phone numbers had lost their leading zero"
    TRUNK_ZERO = "international phone numbers held a '(0)', which was left out"
    EXTENSION = "phone numbers had an extension, which no text reaches, and which was left out"
    SEVERAL = "cells held several phone numbers: the first that is valid is used"

    @property
    def code(self) -> str:
        """Return the short name for machines."""
        return f"phone_{self.name.lower()}"


FAULTS, REPAIRS = tuple(Fault), tuple(Repair)


def packed(answer: int | Fault, repair: Repair | None = None) -> int:
    """Return the reading of a number (E.164 without its plus) or of a fault."""
    if isinstance(answer, Fault):
        return -1 - FAULTS.index(answer)

    return answer if repair is None else answer | (1 + REPAIRS.index(repair)) << _REPAIR_SHIFT


def in_column(reading: pl.Expr, position: int) -> pl.Expr:
    """Return the readings as those of the phone column at this position, from 0."""
    if position == 0:
        return reading

    return pl.when(reading >= 0).then(reading | (position << _COLUMN_SHIFT)).otherwise(reading)


def number_of(reading: pl.Expr) -> pl.Expr:
    """Return E.164 without its plus (Int64), null for a fault."""
    return pl.when(reading >= 0).then(reading & NUMBER_MASK)


def fault_of(reading: pl.Expr) -> pl.Expr:
    """Return the position of the fault from 1 (Int64), 0 for a number."""
    return -pl.min_horizontal(reading, 0)


def repair_of(reading: pl.Expr) -> pl.Expr:
    """Return the position of the repair from 1 (Int64), 0 for none and for a fault."""
    return pl.when(reading >= 0).then(_shifted(reading, _REPAIR_SHIFT) & _REPAIR_MASK).otherwise(0)


def column_of(reading: pl.Expr) -> pl.Expr:
    """Return the position of the phone column from 0 (Int64), null for a fault."""
    return pl.when(reading >= 0).then(_shifted(reading, _COLUMN_SHIFT))


def _shifted(reading: pl.Expr, bits: int) -> pl.Expr:
    return reading // (1 << bits)
