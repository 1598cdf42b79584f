"""A number without a plus: a national one, or one that lost the plus before its country code?

4915112345678 is a German mobile phone, or a German landline without its zero: phonenumbers takes
the landline. Here the mobile phone is taken where only one of the two is one; where nothing tells
them apart, both are refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import (
    CountryCodeSource,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
)

from pipeline.prepare.readings import Repair

#: Below, a number without a plus is not taken for one of another country.
INTERNATIONAL_DIGITS = 11

_NORTH_AMERICA = 1  # its country code is its trunk prefix too, and nobody misses either
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)

_TORN = re.compile(r"[0-9][^0-9]*[/,;|&:*][^0-9]*[0-9]")
_GROUPED = re.compile(r"[0-9 ().\-]+")
_DIGITS = re.compile(r"[0-9]+")


def settle(text: str, number: PhoneNumber, region: str) -> tuple[PhoneNumber | None, Repair | None]:
    """Return what a text means, where phonenumbers read it as a valid number.

    Args:
        text: as it was parsed, legible.
        number: parsed in the region, with its raw input kept.
        region: ISO 3166 code.

    Returns:
        The number, or None where it could be either of two; the repair that it took.
    """
    if number.country_code == _NORTH_AMERICA:
        return number, None

    if number.country_code_source == CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN:
        return (None, None) if _TORN.search(text) else (number, Repair.PLUS)

    digits = _digits(text).removesuffix(number.extension or "")
    if number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY or digits.startswith(
        "0"
    ):
        return number, None

    other = _other(digits, number)
    if other is None:
        return number, Repair.ZERO if _lacks_zero(digits, number, region) else None

    is_at_home = other.country_code == number.country_code
    is_longer = len(digits) >= INTERNATIONAL_DIGITS
    is_phone = is_at_home and is_longer and _is_mobile(other) and not _is_mobile(number)
    if is_phone and not _TORN.search(text):
        return other, Repair.PLUS

    is_usual = not _is_mobile(other) and _national(number).startswith(digits[:2])
    return (number, None) if is_usual else (None, None)


def is_valid(text: str, region: str) -> bool:
    """Tell whether phonenumbers reads a text as a valid number, letters as digits of a keypad."""
    number = _parsed(text, region)
    return number is not None and phonenumbers.is_valid_number(number)


def may_lack_plus(text: str, region: str) -> bool:
    """Tell whether a text that is no national number may be one of another country.

    It has digits only, or begins with a country code apart from the rest, and not with a number
    as the region groups it: 44 7911 123456, and not 919-555-0110-11 or 336-555-12345.
    """
    if len(_digits(text)) < INTERNATIONAL_DIGITS or not _GROUPED.fullmatch(text):
        return False

    groups = _DIGITS.findall(text)
    is_apart = int(groups[0]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return len(groups) == 1 or (is_apart and not _begins_like_home(groups, region))


def _begins_like_home(groups: list[str], region: str) -> bool:
    """Tell 212-555-0110-11, a number of New York and a tail, from 212 5 55 01 10 11."""
    digits = "".join(groups)
    for length in range(len(digits) - 1, 6, -1):
        if not is_valid(digits[:length], region):
            continue

        number = phonenumbers.parse(digits[:length], region)
        home = _DIGITS.findall(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
        last = len(home) - 1
        if groups[:last] == home[:last] and "".join(groups[last:]).startswith(home[last]):
            return True

    return False


def _other(digits: str, number: PhoneNumber) -> PhoneNumber | None:
    """Return the valid number that the digits are behind a plus, where it is worth a doubt."""
    is_at_home = digits.startswith(str(number.country_code))
    if not is_at_home and (len(digits) < INTERNATIONAL_DIGITS or _is_mobile(number)):
        return None

    other = _parsed(f"+{digits}", None)
    if other is None or not phonenumbers.is_valid_number(other):
        return None

    return other if is_at_home or _is_mobile(other) else None


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _is_mobile(number: PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in _MOBILE


def _lacks_zero(digits: str, number: PhoneNumber, region: str) -> bool:
    """Tell whether people of the region always write a zero before these digits."""
    return _has_zero(region) and _national(number).startswith(f"0{digits[:1]}")


@lru_cache
def _has_zero(region: str) -> bool:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return (
        metadata is not None
        and metadata.national_prefix == "0"
        and not any(
            each.national_prefix_optional_when_formatting for each in metadata.number_format
        )
    )


def _national(number: PhoneNumber) -> str:
    """Return the digits that people of its country write."""
    return _digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def _digits(text: str) -> str:
    return "".join(_DIGITS.findall(text))
