"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1 and 6.2.1.1).

The only place that knows which characters are GSM-7; everything else is derived from it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

import polars as pl

#: 6.2.1, sixteen septets a line. 0x1B is the escape, which is no character of a text.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

#: 6.2.1.1: an escape and a septet each, so two units that may not be parted.
EXTENSION = frozenset("\f^{}\\[~]|€")

GSM7 = BASIC | EXTENSION

_ASCII_CHARACTERS = 128
_LITERALS_PER_CLASS = (
    10  # a regex class of up to 10 characters is scanned 14 times faster than one of 11
)


def character_class(characters: Iterable[str], *, negated: bool = False) -> str:
    """Return a regex class of exactly these characters, for polars' regex engine."""
    members = "".join(rf"\x{{{ord(character):x}}}" for character in sorted(characters))
    return f"[{'^' if negated else ''}{members}]"


def small_classes(characters: Iterable[str]) -> Iterator[str]:
    """Yield regex classes that together hold `characters`, each small enough for the fast scan."""
    ordered = sorted(characters)
    for start in range(0, len(ordered), _LITERALS_PER_CLASS):
        yield character_class(ordered[start : start + _LITERALS_PER_CLASS])


def odd_ascii() -> frozenset[str]:
    """Return the ASCII characters that are not one septet of the default alphabet."""
    return frozenset(map(chr, range(_ASCII_CHARACTERS))) - BASIC


def code_point(character: str) -> str:
    """Spell a character's number as the Unicode standard does: ``U+2019``."""
    return f"U+{ord(character):04X}"


def name_of(character: str) -> str:
    """Return the Unicode name of a character, or what it is where it has none."""
    is_control = unicodedata.category(character) == "Cc"
    return unicodedata.name(character, "control character" if is_control else "without a name")


def described(character: str) -> dict[str, str]:
    """Return a character for a program: itself, its code point and its name."""
    return {
        "character": character,
        "code_point": code_point(character),
        "name": name_of(character),
    }


def beyond_ascii_or(characters: Iterable[str], texts: pl.Series) -> pl.Series:
    """Tell which texts hold one of these ASCII characters, or anything that is not ASCII.

    The scan for a closer look: cheap, because most texts are plain. Which of the characters there
    are at all is seen in all texts at once; each text is scanned only for those.
    """
    others = bytes(set(range(256)).difference(map(ord, characters)))  # in UTF-8
    present = texts.str.join().cast(pl.Binary).item().translate(None, others).decode()
    found = (texts.str.len_bytes() != texts.str.len_chars()).fill_null(value=False)
    for pattern in small_classes(set(present)):
        found |= texts.str.contains(pattern).fill_null(value=False)

    return found


#: A regex for one character that is not GSM-7.
NOT_GSM7 = character_class(GSM7, negated=True)

#: Regexes for one character of two septets: the ASCII ones, and the euro, each fast for itself.
PAIRS = tuple(
    character_class(each for each in EXTENSION if each.isascii() == is_ascii)
    for is_ascii in (True, False)
)
