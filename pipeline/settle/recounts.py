"""Why a provider may count a text otherwise than we do: each cause is a rule, tried on the text.

A cause is a hypothesis and proves nothing: the text, counted by its rule, comes to what was billed.
Where several do, the first is named; they go from the smallest difference to the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.model import Channel, Encoding
from pipeline.prepare import alphabet
from pipeline.prepare.segments import HEADER_BYTES, HEADER_BYTES_16_BIT, capacity, cut, units_of
from pipeline.prepare.smart import replacements, smart_text


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
    return len(cut(counted.text, counted.encoding))


def _pairs_split(counted: Counted) -> int:
    return _divided(units_of(counted.text, counted.encoding), counted.encoding)


def _long_headers(counted: Counted) -> int:
    return len(cut(counted.text, counted.encoding, header_bytes=HEADER_BYTES_16_BIT))


def _pairs_as_one(counted: Counted) -> int:
    return _divided(len(counted.text), counted.encoding)


def _ucs2_for_gsm7(counted: Counted) -> int:
    return len(cut(counted.text, Encoding.UCS2))


def _characters_replaced(counted: Counted) -> int | None:
    plain = smart_text(counted.text, replacements(look_alikes=True, accents=True))
    is_gsm7 = alphabet.GSM7.issuperset(plain)
    return len(cut(plain, Encoding.GSM7)) if is_gsm7 else None


def _gsm7_for_ucs2(counted: Counted) -> int:
    return len(cut(counted.text, Encoding.GSM7))


def _divided(units: int, encoding: Encoding) -> int:
    single, part = capacity(encoding), capacity(encoding, header_bytes=HEADER_BYTES)
    return 1 if units <= single else -(-units // part)


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
