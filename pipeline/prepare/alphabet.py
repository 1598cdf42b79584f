"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1 and 6.2.1.1).

The only place that knows which characters are GSM-7; everything else is derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
