"""A text file that is not clean is read cell by cell and written anew as plain UTF-8 CSV.

Every row of the file is one row of the copy. Cells that are missing stay empty; what a row has too
much is left out only where it is empty. Whatever cannot be understood for certain is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import TITLE_HINT, InputError
from pipeline.model import Finding
from pipeline.reading.dialect import Dialect
from pipeline.reading.encodings import UNDECODABLE
from pipeline.reading.headers import Header, on_one_line
from pipeline.reading.lines import Lines, LineTooLongError, open_lines
from pipeline.reading.reading import MAX_CHARACTERS, Tally
from pipeline.spelling import counted

_NOTHING = " \t\x1a\ufeff\u200b"  # a line of these is blank; 0x1A is the end of a DOS file
_BLANK_ROW = "\r\n"


@dataclass(slots=True)
class Mending:
    """What was met on the way through one file."""

    file: str
    dialect: Dialect
    header: Header
    encoding: str
    rows: int = 0
    blank: Tally = field(default_factory=Tally)
    short: Tally = field(default_factory=Tally)
    overlong: Tally = field(default_factory=Tally)
    zeros: Tally = field(default_factory=Tally)
    crowded: Tally = field(default_factory=Tally)
    most_cells: int = 0
    lone_returns: int = 0
    #: Positions of columns without a name, in which no row has anything.
    empty: list[int] = field(default_factory=list)

    def findings(self) -> Iterator[Finding]:
        """Yield what the owner of the file should know."""
        yield from self.short.finding(
            "short_rows", f"rows end early: the cells they lack of {self.dialect.width} are empty"
        )
        yield from self.overlong.finding(
            "long_rows", f"rows have empty cells behind the last of {self.dialect.width} columns"
        )
        yield from self.zeros.finding("nul", "rows held NUL bytes, which were taken out")
        if self.dialect.skips_blanks:
            yield Finding(
                code="blanks_before_quotes",
                sentence="blanks between a delimiter and a quote are not part of the cell",
                count=1,
                is_repair=True,
            )

    def note_blanks(self, blanks: int) -> None:
        """Count the blank rows before the row that is being read."""
        for row in range(self.rows - blanks, self.rows):
            self.blank.add(row)

    def fit(self, row: list[str]) -> None:
        """Make a row as wide as the header, and see which nameless columns have something in it."""
        width = self.dialect.width
        if len(row) < width:
            self.short.add(self.rows)
            row += [""] * (width - len(row))
        elif len(row) > width:
            is_crowded = any(cell.strip(_NOTHING) for cell in row[width:])
            if is_crowded and not self.crowded.count:
                self.most_cells = len(row)

            (self.crowded if is_crowded else self.overlong).add(self.rows)
            del row[width:]

        if self.empty and any(row[self.empty[0] :]):
            self.empty = [position for position in self.empty if not row[position]]


def mend(source: Path, target: Path, mending: Mending) -> None:
    """Copy the rows of `source` below a header into `target`, and count them in `mending`.

    Raises:
        InputError: a row that cannot be decoded or taken apart, or has more than it should.
    """
    dialect = mending.dialect
    mending.empty = list(mending.header.unnamed)
    csv.field_size_limit(MAX_CHARACTERS)
    with (
        open_lines(source, mending.encoding, has_double_ends=dialect.has_double_ends) as lines,
        target.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator=_BLANK_ROW)
        writer.writerow([f"c{position}" for position in range(dialect.width)])
        blanks = 0
        for row in _records(lines, mending):
            mending.rows += 1
            if not row:
                blanks += 1
                continue

            if blanks:
                file.write(_BLANK_ROW * blanks)
                mending.note_blanks(blanks)
                blanks = 0

            if len(row) != dialect.width or mending.empty:
                mending.fit(row)

            writer.writerow(row)

        mending.rows -= blanks  # those at the end are no rows
        mending.lone_returns = lines.lone_returns

    if mending.crowded.count:
        raise _crowded(mending)


def _records(lines: Lines, mending: Mending) -> Iterator[list[str]]:
    """Yield the rows below the header, blank ones as []."""
    dialect = mending.dialect
    reader = csv.reader(
        iter(lines),
        delimiter=dialect.delimiter,
        skipinitialspace=dialect.skips_blanks,
        strict=True,
    )
    started = dialect.has_header
    skipped = int(dialect.has_hint) + int(dialect.has_header)
    try:
        for row in reader:
            if lines.is_odd:
                _note(row, lines, mending, row_number=None if skipped else mending.rows + 1)

            is_blank = not row or (len(row) == 1 and bool(row[0]) and not row[0].strip(_NOTHING))
            if skipped:
                skipped -= not is_blank
            elif started or not is_blank:
                started = True
                yield [] if is_blank else row
    except (csv.Error, LineTooLongError) as error:
        raise InputError(
            _explained(error), file=mending.file, row=None if skipped else mending.rows + 1
        ) from None


def _note(row: list[str], lines: Lines, mending: Mending, *, row_number: int | None) -> None:
    if lines.had_zeros and row_number is not None and row:
        mending.zeros.add(row_number)

    lines.had_zeros = lines.is_odd = False
    for position, cell in enumerate(row):
        if UNDECODABLE in cell:
            names = mending.header.names
            raise InputError(
                f"this cannot be read as {mending.encoding.upper()}; save the file as "
                "'CSV UTF-8', or name its encoding in the campaign's [file] section",
                file=mending.file,
                row=row_number,
                column=on_one_line(names[position])
                if row_number and position < len(names)
                else None,
            )


def _crowded(mending: Mending) -> InputError:
    tally, dialect = mending.crowded, mending.dialect
    measure = "the header" if dialect.has_header else "most rows"
    more = counted(tally.count - 1, "more row")
    others = f" (and {more} like it: {_listed(tally.rows[1:])})"
    title = f"; {TITLE_HINT}" if dialect.has_header and dialect.width == 1 else ""
    return InputError(
        f"the row has {mending.most_cells} cells, {measure} {dialect.width}"
        f"{others if tally.count > 1 else ''}; put a value that holds the delimiter "
        f"{dialect.delimiter!r} in double quotes{title}",
        file=mending.file,
        row=tally.rows[0],
    )


def _listed(rows: list[int]) -> str:
    return ", ".join(map(str, rows))


def _explained(error: Exception) -> str:
    if isinstance(error, LineTooLongError):
        return f"a line has more than {MAX_CHARACTERS:,} characters; is this a table?"

    if "unexpected end of data" in str(error):
        return "a quote is opened here and never closed; write quotes inside a cell twice"

    if "field limit" in str(error):
        return (
            f"a cell has more than {MAX_CHARACTERS:,} characters; "
            "perhaps a quote is opened and never closed"
        )

    return (
        "a quote ends in the middle of a cell; write quotes inside a quoted cell twice "
        "(perhaps a quote is opened and never closed)"
    )
