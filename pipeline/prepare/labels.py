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
#: Words by which people say that a number is not to be texted, or takes no texts.
_WARNING = re.compile(
    r"\b(?:no|not|never|don['’]?t|stop|dnc|opt\w*|unsubscribed?|wrong|fax|nicht|kein\w*|falsch\w*)\b",
    re.IGNORECASE,
)


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


def warns(text: str, label: Label) -> bool:
    """Tell whether the words behind the head of a text say not to text the number."""
    return _WARNING.search(text, len(label.head)) is not None


def before_letters(text: str) -> str:
    """Return the text from the first digit to the last one before a letter."""
    start = re.search(r"[+0-9]", text)
    rest = text[start.start() :] if start else ""
    return re.split(_LETTER, rest, maxsplit=1)[0].rstrip(" (-")
