"""What came out of reading: a frame, and how the files were understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipeline.model import EXAMPLE_ROWS, Finding

#: Nobody writes a longer line or cell into a list of recipients; a text has at most 2048.
MAX_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Recipient files, understood."""

    #: The user's columns, a row per data row in order. String from text files and workbooks.
    frame: pl.LazyFrame
    #: ``text``, ``parquet``, ``workbook``, ``ndjson``; what the first file is.
    kind: str
    #: The text encoding by Python's name; None where there is none.
    encoding: str | None = None
    #: What stands between the cells; None where nothing does.
    delimiter: str | None = None
    #: The sheet of a workbook that is read; None where there are no sheets.
    sheet: str | None = None
    #: Whether the names of the columns are the file's own.
    has_header: bool = True
    #: Paths or addresses, in the order of the rows.
    files: tuple[str, ...]
    #: Rows of `frame`.
    rows: int
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the reading as ``estimate --json`` prints it, without the findings."""
        return {
            "kind": self.kind,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "has_header": self.has_header,
            "files": list(self.files),
            "rows": self.rows,
            "columns": self.frame.collect_schema().names(),
        }


@dataclass(slots=True)
class Tally:
    """Counts rows of one sort and remembers the first few."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Count a row."""
        self.count += 1
        if len(self.rows) < EXAMPLE_ROWS:
            self.rows.append(row)

    def finding(self, code: str, sentence: str, *, is_repair: bool = True) -> tuple[Finding, ...]:
        """Return the finding, or none where nothing was counted."""
        if not self.count:
            return ()

        return (
            Finding(
                code=code,
                sentence=sentence,
                count=self.count,
                rows=tuple(self.rows),
                is_repair=is_repair,
            ),
        )
