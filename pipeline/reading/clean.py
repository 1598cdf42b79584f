"""Is a text file clean? Then polars reads it as it is; one look at every line decides.

A clean line has exactly as many cells as the file has columns, its quotes in pairs around whole
cells, no lone CR and no NUL; or it is blank. Any reader takes such lines the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import ComputeError, DuplicateError

from pipeline.model import EXAMPLE_ROWS
from pipeline.reading.dialect import Dialect
from pipeline.reading.reading import Tally

_LINE = "line"
_TAIL_BYTES = 1 << 16
_BLANK_BYTES = b"\r\n"
_MAX_PATTERN_CELLS = 64  # a longer pattern outgrows the regex engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the lines below the header are like."""

    #: Rows, without blank lines at the end.
    rows: int
    blank: Tally
    #: Blank lines at the end, which are no rows.
    trailing: int
    is_clean: bool


def survey(source: str | Path, dialect: Dialect) -> Survey | None:
    """Look at every line of a UTF-8 file, in streaming mode.

    Args:
        source: a path, or an address that polars can read.
        dialect: it starts plainly and has a delimiter of one byte.

    Returns:
        None where the file is not UTF-8.
    """
    lines = pl.scan_lines(source, name=_LINE, glob=False).slice(int(dialect.has_header))
    line = pl.col(_LINE)
    blank = line == ""
    other = ~(blank | _is_simple(line, dialect))
    try:
        total, blanks, others = (
            lines.select(pl.len(), blank.sum().alias("blank"), other.sum().alias("other"))
            .collect(engine="streaming")
            .row(0)
        )
    except ComputeError:
        return None

    is_clean = others == 0 or _are_quoted_well(lines.filter(other), dialect)
    trailing = _trailing_blanks(source)
    fits = trailing is not None and trailing <= total
    return Survey(
        rows=total - (trailing or 0),
        blank=_blank_rows(lines, blanks - (trailing or 0)),
        trailing=trailing or 0,
        is_clean=is_clean and fits,
    )


def scan_clean(
    source: str | Path, dialect: Dialect, names: tuple[str, ...], found: Survey
) -> pl.LazyFrame | None:
    """Return the rows of a file that `survey` called clean, all columns String.

    None where polars cannot take its header: names that collide with those it makes up itself.
    """
    lf = pl.scan_csv(
        source,
        separator=dialect.delimiter,
        has_header=dialect.has_header,
        infer_schema=False,
        glob=False,
    )
    try:
        own = lf.collect_schema().names()
    except DuplicateError:
        return None

    if len(own) != len(names):
        return None

    if tuple(own) != names:
        lf = lf.rename(dict(zip(own, names, strict=True)))

    return lf.head(found.rows) if found.trailing else lf


def _is_simple(line: pl.Expr, dialect: Dialect) -> pl.Expr:
    delimiters = line.str.count_matches(dialect.delimiter, literal=True)
    return (delimiters == dialect.width - 1) & ~line.str.contains('["\r\\x00]')


def _are_quoted_well(lines: pl.LazyFrame, dialect: Dialect) -> bool:
    if dialect.width > _MAX_PATTERN_CELLS:
        return False

    delimiter = re.escape(dialect.delimiter)
    cell = rf'(?:[^"{delimiter}\r\x00]*|"(?:[^"\r\x00]|"")*")'
    row = rf"^{cell}" + rf"{delimiter}{cell}" * (dialect.width - 1) + "$"
    fits = pl.col(_LINE).str.contains('"', literal=True) & pl.col(_LINE).str.contains(row)
    return bool(lines.select(fits.all()).collect(engine="streaming").item())


def _blank_rows(lines: pl.LazyFrame, count: int) -> Tally:
    if count <= 0:
        return Tally()

    blank = lines.with_row_index("row", offset=1).filter(pl.col(_LINE) == "")
    return Tally(count=count, rows=blank.head(EXAMPLE_ROWS).collect()["row"].to_list()[:count])


def _trailing_blanks(source: str | Path) -> int | None:
    """Count the blank lines at the end of a file; None where there are too many to see."""
    if isinstance(source, str):
        return 0

    with source.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()

    ends = tail[len(tail.rstrip(_BLANK_BYTES)) :]
    if len(ends) == len(tail) < size:
        return None

    after_last_row = ends.partition(b"\n")[2]
    return after_last_row.count(b"\n") + (after_last_row[-1:] == b"\r")
