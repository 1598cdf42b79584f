"""A cell in plain digits and blanks, without what nobody sees and what frames it."""

from __future__ import annotations

import re
import unicodedata

from pipeline.prepare.readings import Repair

_FORMULA = re.compile(r'^(?:=?"(.*)"|[\'’‘`=](.*))$', re.DOTALL)


def legible(cell: str) -> tuple[str, Repair | None]:
    """Return the cell in plain digits and blanks, without what nobody sees."""
    seen = "".join(map(_seen, cell))
    plain = "".join(map(_plain_digit, seen)).strip()
    repair = Repair.INVISIBLE if seen != cell else None
    if plain != seen.strip():
        repair = Repair.DIGITS

    if framed := _FORMULA.match(plain):
        return (framed[1] or framed[2] or "").strip(), Repair.APOSTROPHE

    return plain, repair


def _seen(character: str) -> str:
    """Return '' for what takes no room, a plain blank for every other kind of blank."""
    if character in "\t\n\r":
        return character

    match unicodedata.category(character):
        case "Cf" | "Cc" | "Mn":
            return ""
        case "Zs" | "Zl" | "Zp":
            return " "
        case _:
            return character


def _plain_digit(character: str) -> str:
    if character.isascii() or not character.isdecimal():
        return character

    return str(unicodedata.decimal(character))
