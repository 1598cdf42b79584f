"""Which columns of a list hold phone numbers: read generously, since leaving out is the safe side.

A column of recipients decides who is texted, so `recipients` wants its exact name; of a list, "Home
Phone", "Phone 2 - Value" and "Diensthandy" are read as well, all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import combinations

from pipeline.errors import InputError
from pipeline.prepare.recipients import is_made_up, is_phone_name

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # of ASCII, also of camelCase
_ENDINGS = (
    *("phone", "phones", "phonenumber", "telefon", "telefonnummer", "telefono", "telefoon"),
    *("handy", "handynummer", "rufnummer", "mobilnummer", "festnetznummer", "mobile"),
)
#: Columns that say something about a number.
_ABOUT = frozenset(
    {
        *("label", "type", "typ", "kind", "status", "date", "time", "source", "consent", "optin"),
        *("country", "carrier", "verified", "valid", "extension", "ext", "owner", "model"),
    }
)
#: What a column of numbers may be called beside one that is named like a phone.
_BESIDE = frozenset(
    {
        *("home", "work", "office", "business", "landline", "number", "sms", "whatsapp"),
        *("contactnumber", "contactno"),
        *("privat", "dienstlich", "geschaftlich", "festnetz", "nummer", "domicile", "bureau"),
        *("fixe", "casa", "trabajo", "fijo", "ufficio", "lavoro", "fisso"),
    }
)


def phone_columns_of(names: Sequence[str], *, file: str) -> list[str]:
    """Return every column that is named like phone numbers, in their order; the only one always.

    Args:
        names: the columns of the list.
        file: names the list in an error.

    Raises:
        InputError: there are several columns, and none is named so.
    """
    found = [name for name in names if _is_phone_name(name)]
    if found:
        return [name for name in names if name in found or "".join(_words(name)) in _BESIDE]

    if len(names) == 1:
        return list(names)

    listed = ", ".join(f"'{name}'" for name in names)
    what_to_do = (
        "write a first line that names the columns, those with the numbers 'phone'"
        if all(map(is_made_up, names))
        else "in the first line, name those with the numbers 'phone'"
    )
    raise InputError(
        f"no column is named like phone numbers; there are {listed}: {what_to_do}", file=file
    )


def _is_phone_name(name: str) -> bool:
    words = _words(name)
    if is_phone_name(name) or _ABOUT.intersection(words):
        return is_phone_name(name)

    runs = ("".join(words[a:b]) for a, b in combinations(range(len(words) + 1), 2))
    return any((is_phone_name(run) and run != "to") or run.endswith(_ENDINGS) for run in runs)


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case, without accents and numbers."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return [word.lower() for word in _WORD.findall(letters)]
