"""What people write behind a number: ``919-555-0116 cell``, ``0171 2345672 (privat)``.

Letters are digits of a keypad too (1-800-FLOWERS), so a label is only what stands apart; whether a
complete number stands before it, and whether the whole is one, is asked in `mending`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LETTER = r"[^\W\d_]"
_BRACKETED = re.compile(r"(.*?[^\s(\[])(?:\s*[(\[][^()\[\]0-9]*[)\]])+[^\w)\]]*", re.DOTALL)
_BEHIND = re.compile(r"(.*[0-9][)\]]?)([^0-9]+)", re.DOTALL)
_APART = re.compile(rf"[\s\-–—,;:/.(\[]+{_LETTER}")
_LOOKALIKE = re.compile(r"\W*[OoIl]+\W*")  # a digit that somebody typed as a letter
_ENGLISH = (
    "cell cellphone cellular mobile mob phone iphone telephone tel number main primary personal "
    "private home work office business direct desk day daytime evening c m h w o d p"
)
_OTHERS = (
    "handy mobil mobiltelefon telefon privat geschäftlich geschäft dienstl dienstlich büro arbeit "
    "zuhause portable téléphone bureau domicile travail perso personnel professionnel pro móvil "
    "movil celular teléfono telefono casa trabajo oficina cellulare ufficio lavoro mobiel thuis "
    "werk privé"
)
#: What a label consists of; any other word may say that the number is not to be texted.
_KNOWN = frozenset(f"{_ENGLISH} {_OTHERS}".split())


@dataclass(frozen=True, slots=True)
class Label:
    """A label behind something that may be a number."""

    #: The text before it.
    head: str
    #: Brackets tell it from letters that are digits of a keypad.
    is_bracketed: bool = False
    #: Something stands between, and it is no digit typed as a letter.
    is_apart: bool = True


def find_label(text: str) -> Label | None:
    """Return the letters behind the last digit, or in brackets at the end; None without any."""
    if bracketed := _BRACKETED.fullmatch(text):
        return Label(bracketed[1], is_bracketed=True)

    behind = _BEHIND.fullmatch(text)
    if behind is None or not re.search(_LETTER, behind[2]):
        return None

    is_apart = _APART.match(behind[2]) and not _LOOKALIKE.fullmatch(behind[2])
    return Label(behind[1], is_apart=bool(is_apart))


def is_known(text: str, label: Label) -> bool:
    """Tell whether nothing but usual labels stands behind the head of a text.

    A word that is none may be the wish not to be texted, in any language.
    """
    words = re.findall(rf"{_LETTER}+", text[len(label.head) :].casefold())
    return _KNOWN.issuperset(words)


def before_letters(text: str) -> str:
    """Return the text from the first digit to the last one before a letter."""
    start = re.search(r"[+0-9]", text)
    rest = text[start.start() :] if start else ""
    return re.split(_LETTER, rest, maxsplit=1)[0].rstrip(" (-")
