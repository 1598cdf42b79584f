"""How many segments a text takes: counted by a plain loop, apart from everything the sender uses.

Alphabet and sizes of 3GPP TS 23.038 sections 6.1.2 and 6.2.1 and TS 23.040 section 9.2.3.24.1: a
part of a longer text loses six bytes to its header; no escape or surrogate pair is cut in two.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")  # two septets each: the escape and the character


def count_segments(text: str) -> int:
    """Return the parts `text` travels in; an empty text is one."""
    if all(character in _BASIC or character in _ESCAPED for character in text):
        sizes = [2 if character in _ESCAPED else 1 for character in text]
        return _parts(sizes, whole=160, part=153)

    sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return _parts(sizes, whole=70, part=67)


def _parts(sizes: list[int], *, whole: int, part: int) -> int:
    if sum(sizes) <= whole:
        return 1

    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part

        room -= size

    return parts
