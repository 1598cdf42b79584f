"""Why a provider may count a text otherwise than we do: each cause is a rule, tried on the text.

A cause is a hypothesis and proves nothing: the text, counted by its rule, comes to what was billed.
Where several do, the first is named; they go from the smallest difference to the largest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pipeline.model import Channel, Encoding
from pipeline.prepare import alphabet

_SINGLE_UNITS = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_PART_UNITS = {Encoding.GSM7: 153, Encoding.UCS2: 67}
_LONG_HEADER_PART_UNITS = {Encoding.GSM7: 152, Encoding.UCS2: 66}

_QUOTES_AND_DASHES = {"Pd", "Pi", "Pf", "Ps"}  # Unicode categories; „ is an opening bracket (Ps)
_WITHOUT_WIDTH = {"Mn", "Cf"}  # accents behind their letter, and what only formats


class Cause(StrEnum):
    """Why the counts differ, in the order in which the rules are tried."""

    #: No answer told a count, and the receipt's is 1: it may speak of one part only.
    ONE_PART_TOLD = "one_part_told"
    #: An MMS, counted by its text.
    MMS_AS_SMS = "mms_as_sms"
    #: The length divided by that of a part, so that pairs are cut in two.
    PAIRS_SPLIT = "pairs_split"
    #: 16-bit references in the headers of the parts: 152 or 66 units remain.
    LONG_HEADERS = "long_headers"
    #: An extension character or an emoji counted as one unit.
    PAIRS_AS_ONE = "pairs_as_one"
    #: A text of GSM-7 characters, sent as UCS-2.
    UCS2_FOR_GSM7 = "ucs2_for_gsm7"
    #: Typographic characters and accents replaced so that the text fits GSM-7.
    CHARACTERS_REPLACED = "characters_replaced"
    #: A UCS-2 text sent as GSM-7, with one septet for each foreign character.
    GSM7_FOR_UCS2 = "gsm7_for_ucs2"
    #: A long SMS billed as one: sent on as an MMS.
    SMS_AS_MMS = "sms_as_mms"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A message that its provider counted otherwise than we did."""

    text: str
    channel: Channel
    encoding: Encoding
    #: The provider's count.
    billed: int
    #: Whether the answer to our POST told it, and not a receipt.
    is_of_answer: bool


def cause_of(counted: Counted) -> Cause:
    """Return the first cause whose rule comes to the provider's count."""
    rules = _SMS_RULES if counted.channel is Channel.SMS else _MMS_RULES
    for cause, recount in rules.items():
        if recount(counted) == counted.billed:
            return cause

    return Cause.UNKNOWN


# --- The rules: a count, or None where a rule cannot be meant ------------------------------------


def _one_part_told(counted: Counted) -> int | None:
    return None if counted.is_of_answer else 1


def _in_its_encoding(counted: Counted) -> int:
    return _packed(counted.text, counted.encoding, _PART_UNITS)


def _pairs_split(counted: Counted) -> int:
    return _divided(_units(counted.text, counted.encoding), counted.encoding)


def _long_headers(counted: Counted) -> int:
    return _packed(counted.text, counted.encoding, _LONG_HEADER_PART_UNITS)


def _pairs_as_one(counted: Counted) -> int:
    return _divided(len(counted.text), counted.encoding)


def _ucs2_for_gsm7(counted: Counted) -> int:
    return _packed(counted.text, Encoding.UCS2, _PART_UNITS)


def _characters_replaced(counted: Counted) -> int | None:
    foreign = set(counted.text) - alphabet.GSM7
    plain = counted.text.translate({ord(letter): _plain_form(letter) for letter in foreign})
    is_gsm7 = alphabet.GSM7.issuperset(plain)
    return _packed(plain, Encoding.GSM7, _PART_UNITS) if is_gsm7 else None


def _gsm7_for_ucs2(counted: Counted) -> int:
    return _packed(counted.text, Encoding.GSM7, _PART_UNITS)


def _one(_: Counted) -> int:
    return 1


_SMS_RULES: Mapping[Cause, Callable[[Counted], int | None]] = {
    Cause.ONE_PART_TOLD: _one_part_told,
    Cause.PAIRS_SPLIT: _pairs_split,
    Cause.LONG_HEADERS: _long_headers,
    Cause.PAIRS_AS_ONE: _pairs_as_one,
    Cause.UCS2_FOR_GSM7: _ucs2_for_gsm7,
    Cause.CHARACTERS_REPLACED: _characters_replaced,
    Cause.GSM7_FOR_UCS2: _gsm7_for_ucs2,
    Cause.SMS_AS_MMS: _one,
}
_MMS_RULES: Mapping[Cause, Callable[[Counted], int | None]] = {Cause.MMS_AS_SMS: _in_its_encoding}


# --- Counting ------------------------------------------------------------------------------------


def _units(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return len(text) + sum(map(text.count, alphabet.EXTENSION))

    return len(text.encode("utf-16-le")) // 2


def _divided(units: int, encoding: Encoding) -> int:
    return 1 if units <= _SINGLE_UNITS[encoding] else -(-units // _PART_UNITS[encoding])


def _packed(text: str, encoding: Encoding, part_units: Mapping[Encoding, int]) -> int:
    """Return the parts that `text` fills with whole characters.

    A part but the last is full or one unit short, so hardly a text has to be walked through.
    """
    units, capacity = _units(text, encoding), part_units[encoding]
    if units <= _SINGLE_UNITS[encoding]:
        return 1

    least, most = -(-units // capacity), -(-units // (capacity - 1))
    if least == most or units == len(text):
        return least

    parts, room = 1, capacity
    for character in text:
        width = _units(character, encoding)
        if width > room:
            parts, room = parts + 1, capacity

        room -= width

    return parts


@cache
def _plain_form(character: str) -> str:
    """Return what a provider may write for a character that GSM-7 has not; only its length counts.

    Letters lose their accents, full-width forms their width, an ellipsis becomes three dots.
    """
    if unicodedata.category(character) in _QUOTES_AND_DASHES:
        return "-"

    forms = unicodedata.normalize("NFKD", character)
    return "".join(form for form in forms if unicodedata.category(form) not in _WITHOUT_WIDTH)
