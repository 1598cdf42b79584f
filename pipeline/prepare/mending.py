"""One cell, slowly and carefully: what spreadsheets and people do to phone numbers, undone.

Pure Python around phonenumbers (the port of Google's libphonenumber), asked once for each distinct
spelling that the vectorised path of `phones` does not know. A cell is mended only where nothing
has to be guessed; what was mended is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from pipeline.prepare.labels import before_letters, find_label, is_known
from pipeline.prepare.legible import legible
from pipeline.prepare.plus import INTERNATIONAL_DIGITS, is_valid, may_lack_plus, settle
from pipeline.prepare.readings import Fault, Repair, packed

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
_COSTLY = {
    PhoneNumberType.PREMIUM_RATE: Fault.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST: Fault.SHARED_COST,
}
#: Faults of a text that is a number as it stands.
_FINAL = (Fault.AMBIGUOUS, Fault.EMERGENCY, *_COSTLY.values())

_DECIMALS = re.compile(r"(\+?[0-9]{7,15})[.,]0+")
_FRACTION = re.compile(r"[1-9][0-9]{6,14}[.,][0-9]+")
_TAIL = re.compile(r"(.*[0-9].*)/\s*[0-9]{1,4}", re.DOTALL)
_SCIENTIFIC = re.compile(r"\+?([0-9](?:[.,][0-9]+)?)[eE]\+?([0-9]{1,2})")
_TRUNK_ZERO = re.compile(r"(?<=\d)([ \-.]*)\(0\)")
_BOTH_PLUS = re.compile(r"(\+[0-9 ().\-]*[0-9])\s+(?=\+)")
#: What stands between several numbers, and never in one.
BETWEEN = r":{2,}|\s+(?:or|and|und|ou|oder)\s+|\s&\s"
_SEVERAL = re.compile(rf"[;,|\n\r]+|{BETWEEN}", re.IGNORECASE)
#: Finds every cell that `parts_of` splits, and some others (for polars).
MAYBE_SEVERAL = r"(?is)\d.*(?:[;,/|\n\r&:+]|or|and|und|ou|oder).*\d"

_EXTENSION = re.compile(r"[\s,;]*(?:extension|ext\.?|x|#)[\s:.=]*[0-9]{1,7}\s*$", re.IGNORECASE)
_PLAIN = re.compile(r"[+0-9 ().\-]+")  # without anything that could begin an extension
_LETTER = re.compile(r"[A-Za-z]")
_SHORT_DIGITS = re.compile(r"[0-9]{2,6}")

_COMPLETE = 10**9  # a number in E.164 from which on a slash is behind it, and not inside
_LONGEST_E164 = 16  # a plus and fifteen digits; phonenumbers takes longer German ones
_LONGEST = 250  # characters that phonenumbers looks at
_FEWEST_DIGITS = 7  # of a number with its area code, anywhere


@lru_cache(maxsize=100_000)
def read_cell(cell: str, region: str) -> int:
    """Read one cell.

    Args:
        cell: as the file has it.
        region: ISO 3166 code; how a number without a country code is read.

    Returns:
        A reading (`readings.packed`).
    """
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return packed(Fault.REGION)

    text, repair = legible(cell)
    if not text:
        return packed(Fault.MISSING)

    if parts := _parts(text):
        return _first_valid(list(filter(None, parts)), region)

    answer, mended = _read(text, region)
    return packed(answer, repair or mended)


def parts_of(cell: str) -> list[str]:
    """Split a cell that holds several numbers; what is too short for one becomes ''.

    Returns:
        The parts in order; none where the cell does not hold several numbers.
    """
    return _parts(legible(cell)[0])


def _parts(text: str) -> list[str]:
    pieces = _SEVERAL.split(_BOTH_PLUS.sub(r"\1;", text))
    parts = [part for piece in pieces for part in _at_slashes(piece)]
    is_several = sum(map(_is_full, parts)) > 1 and not _EXTENSION.search(text)
    return [part if _is_full(part) else "" for part in parts] if is_several else []


def _at_slashes(piece: str) -> list[str]:
    """Split at slashes between complete numbers: the one of 0171/2345678 is inside a number."""
    for slash in (r"\s+/\s+", r"/"):
        parts = [part.strip() for part in re.split(slash, piece) if part.strip()]
        if len(parts) > 1 and all(map(_is_full, parts)):
            return parts

    is_torn = any(map(_is_full, parts))
    return [piece.strip()] if is_torn else parts


def _is_full(part: str) -> bool:
    """Tell a number from an extension, a year or a house number."""
    return _digits(part) >= _FEWEST_DIGITS


def _first_valid(parts: list[str], region: str) -> int:
    answers = [_read(part, region)[0] for part in parts]
    numbers = [answer for answer in answers if not isinstance(answer, Fault)]
    return packed(numbers[0], Repair.SEVERAL) if numbers else packed(answers[0])


def _read(text: str, region: str) -> tuple[int | Fault, Repair | None]:
    """Read a legible text as it is, or else with the one repair that makes it a number."""
    if len(text) > _LONGEST:
        return Fault.TOO_LONG, None

    if scientific := _SCIENTIFIC.fullmatch(text):
        answer = _whole(scientific, region)
        return answer, None if isinstance(answer, Fault) else Repair.SCIENTIFIC

    if decimals := _DECIMALS.fullmatch(text):
        answer, _ = _read(decimals[1], region)
        return answer, Repair.DECIMALS

    if _FRACTION.fullmatch(text):
        return Fault.FRACTION, None

    if _has_tail(text, region):
        return Fault.TAIL, None

    fault, repair = _ask(text, region)
    if not isinstance(fault, Fault):
        return fault, _left_out(text, region) or repair

    if fault in _FINAL:
        return fault, None

    for candidate, mended in _mended(text, region):
        answer, _ = _ask(candidate, region)
        if not isinstance(answer, Fault):
            return answer, mended

    return _without_label(text, fault, region)


def _without_label(text: str, fault: Fault, region: str) -> tuple[int | Fault, Repair | None]:
    """Read what is before a label, where the letters are no digits of a keypad for certain."""
    is_vanity = fault is Fault.LETTERS and is_valid(text, region)
    label = find_label(text)
    if label and label.is_apart and (label.is_bracketed or not is_vanity):
        answer, repair = _read(label.head, region)
        if not isinstance(answer, Fault) and not is_known(text, label):
            return Fault.LETTERS_BEHIND, None

        if not isinstance(answer, Fault) or answer is Fault.LETTERS or _is_full(label.head):
            return answer, repair

    is_complete = not isinstance(_ask(before_letters(text), region)[0], Fault)
    return Fault.LETTERS_BEHIND if is_complete and _spelled(text) else fault, None


def _has_tail(text: str, region: str) -> bool:
    """Tell 919-555-0110/11 from 0171/234."""
    tail = _TAIL.fullmatch(text)
    answer = _ask(tail[1].strip(), region)[0] if tail else Fault.MISSING
    return not isinstance(answer, Fault) and answer >= _COMPLETE


def _left_out(text: str, region: str) -> Repair | None:
    """Tell what phonenumbers left out of a number that it accepts."""
    if _TRUNK_ZERO.search(text):
        return Repair.TRUNK_ZERO

    is_plain = _PLAIN.fullmatch(text) is not None
    extension = None if is_plain else phonenumbers.parse(text, region).extension
    return Repair.EXTENSION if extension else None


def _mended(text: str, region: str) -> Iterator[tuple[str, Repair]]:
    if _TRUNK_ZERO.search(text):
        yield _TRUNK_ZERO.sub(r"\1", text), Repair.TRUNK_ZERO

    if text[0].isdigit() and text[0] != "0" and not _LETTER.search(text):
        if may_lack_plus(text, region):
            yield f"+{text}", Repair.PLUS
        elif _digits(text) < INTERNATIONAL_DIGITS:
            yield f"0{text}", Repair.ZERO


def _whole(scientific: re.Match[str], region: str) -> int | Fault:
    """Read 1.9195550123E+10, where the mantissa has every digit of the number."""
    mantissa, exponent = scientific[1].replace(",", "."), int(scientific[2])
    if len(mantissa.partition(".")[2]) < exponent:
        return Fault.DIGITS_LOST

    value = Decimal(f"{mantissa}E{exponent}")
    if value != int(value):
        return Fault.FRACTION

    answer, _ = _read(str(int(value)), region)
    return answer


def _ask(text: str, region: str) -> tuple[int | Fault, Repair | None]:
    """Return phonenumbers' own answer, and what it mended; a number in letters is refused."""
    if phonenumbers.is_emergency_number(text, region):
        return Fault.EMERGENCY, None

    try:
        parsed = phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException as error:
        return _PARSE_FAULTS.get(error.error_type) or _not_a_number(text), None

    if not phonenumbers.is_valid_number(parsed):
        return _invalid(text, parsed, region), None

    if _spelled(text):
        return Fault.LETTERS, None

    number, repair = settle(text, parsed, region)
    if number is None:
        return Fault.AMBIGUOUS, None

    if costly := _COSTLY.get(phonenumbers.number_type(number)):
        return costly, None

    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(written) > _LONGEST_E164:
        return Fault.TOO_LONG, None

    return int(written[1:]), repair


def _spelled(text: str) -> bool:
    """Tell 1-800-FLOWERS from ``Tel. 919-555-0123 ext. 5``."""
    start = re.search(r"[+0-9]", text)
    return bool(start and _LETTER.search(_EXTENSION.sub("", text[start.start() :])))


def _invalid(text: str, number: phonenumbers.PhoneNumber, region: str) -> Fault:
    is_short = phonenumbers.is_possible_short_number_for_region(number, region)
    if is_short and _SHORT_DIGITS.fullmatch(text):
        return Fault.SHORT

    length = phonenumbers.is_possible_number_with_reason(number)
    return _LENGTH_FAULTS.get(length, Fault.UNASSIGNED)


def _not_a_number(text: str) -> Fault:
    return Fault.LETTERS if any(map(str.isalpha, text)) else Fault.NO_DIGITS


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))
