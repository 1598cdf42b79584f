"""How many segments a text takes: counted by a plain loop, apart from everything the sender uses.

Alphabet and sizes of 3GPP TS 23.038 sections 6.1.2 and 6.2.1 and TS 23.040 section 9.2.3.24.1: a
part of a longer text loses six bytes to its header; no escape or surrogate pair is cut in two.

A provider may count otherwise than its customer. So that a difference can be tried out before it is
on an invoice, the simulator can be made to count in ways that were seen or are easy to fall for.
"""

from __future__ import annotations

from enum import StrEnum


class Counting(StrEnum):
    """How the simulated provider counts segments."""

    STANDARD = "standard"
    CEIL = "ceil"  #: divides the length, and so cuts pairs in two
    LONG_HEADER = "16bit"  #: parts with 16-bit references: 152 septets or 66 units remain
    UCS2 = "ucs2"  #: every text as UCS-2
    GSM7 = "gsm7"  #: every text as GSM-7: a foreign character is replaced by one septet
    CHARACTERS = "characters"  #: a character is a character, also one that takes two units
    ONE = "one"  #: every text as one, as if it were an MMS


_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = "\f^{}\\[~]|€"  # two septets each: the escape and the character
_SEPTETS = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_ESCAPED, 2)


def count_segments(text: str, counting: Counting = Counting.STANDARD) -> int:
    """Return the parts `text` travels in; an empty text is one."""
    if counting is Counting.ONE:
        return 1

    septets = list(map(_SEPTETS.get, text))
    if counting is Counting.GSM7 or (counting is not Counting.UCS2 and None not in septets):
        sizes = [size or 1 for size in septets]  # of what is foreign a replacement is sent
        return _parts(sizes, whole=160, part=153, counting=counting)

    sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return _parts(sizes, whole=70, part=67, counting=counting)


def _parts(sizes: list[int], *, whole: int, part: int, counting: Counting) -> int:
    if counting is Counting.CHARACTERS:
        sizes = [1 for _ in sizes]

    if sum(sizes) <= whole:
        return 1

    if counting is Counting.CEIL:
        return -(-sum(sizes) // part)

    if counting is Counting.LONG_HEADER:
        part -= 1  # one byte more: a septet, or a unit less

    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part

        room -= size

    return parts
