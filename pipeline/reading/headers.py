"""The names of columns: each column gets one, no two the same, and what was changed is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from pipeline.errors import InputError
from pipeline.model import Finding
from pipeline.reading.encodings import without_marks

_PHONE_NUMBER = re.compile(r"[\s'\"]*(?:\+|\(|[0-9])(?:[\s().\-]*[0-9]){9,14}\s*")
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)  # what polars takes for many columns, not for a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the columns are called."""

    names: tuple[str, ...]
    #: Positions of columns that the file gives no name.
    unnamed: tuple[int, ...]
    findings: tuple[Finding, ...]


def has_phone_number(cells: Sequence[str]) -> bool:
    """Tell whether a row is one of data: its cells hold a phone number."""
    return any(_PHONE_NUMBER.fullmatch(cell) for cell in cells)


def numbered_header(width: int) -> Header:
    """Return the names of the columns of a file that has none."""
    finding = Finding(
        code="no_header",
        sentence="the first line holds data: the columns are called "
        + ("column_1" if width == 1 else f"column_1 to column_{width}"),
        count=1,
    )
    names = tuple(f"column_{position + 1}" for position in range(width))
    return Header(names=names, unnamed=(), findings=(finding,))


def read_header(cells: Sequence[str], *, file: str) -> Header:
    """Name the columns as the header does.

    Args:
        cells: of the header, as the file has them.
        file: names the file in an error.

    Raises:
        InputError: a name that no column can have.
    """
    wanted = [without_marks(cell).strip(_INVISIBLE) for cell in cells]
    for name in wanted:
        if _PATTERN.fullmatch(name):
            raise InputError(
                "no column can have this name; rename it", file=file, column=on_one_line(name)
            )

    unnamed = tuple(position for position, name in enumerate(wanted) if not name.strip())
    given = set(wanted)
    for position in unnamed:
        wanted[position] = next(
            name
            for name in (f"column_{position + 1}{'_' * times}" for times in count())
            if name not in given
        )

    names = _distinct(wanted)
    return Header(names=names, unnamed=unnamed, findings=_duplicates(wanted, names))


def on_one_line(name: str) -> str:
    """Return the name of a column as a sentence can hold it."""
    return " ".join(name.split())


def _distinct(wanted: Sequence[str]) -> tuple[str, ...]:
    """Give repeated names a number: ``name``, ``name_2``, ``name_3``."""
    taken, times, names = set(wanted), Counter[str](), []
    for name in wanted:
        times[name] += 1
        chosen = name
        while times[name] > 1 and chosen in taken:
            chosen = f"{name}_{times[name]}"
            times[name] += chosen in taken

        taken.add(chosen)
        names.append(chosen)

    return tuple(names)


def _duplicates(wanted: Sequence[str], names: Sequence[str]) -> tuple[Finding, ...]:
    changed = [(old, new) for old, new in zip(wanted, names, strict=True) if old != new]
    if not changed:
        return ()

    listed = ", ".join(f"'{new}'" for _, new in changed[:5]) + (" ..." if len(changed) > 5 else "")
    return (
        Finding(
            code="duplicate_columns",
            sentence=f"columns have the same name; the later ones are called {listed}",
            count=len(changed),
            is_repair=True,
        ),
    )
