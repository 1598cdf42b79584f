"""What was found in the recipient files and decided about them, for the person who owns them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from jobs.console import paper, printable
from pipeline.estimate import Estimate
from pipeline.model import Finding
from pipeline.preview import Preview
from pipeline.reading.kinds import Kind

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
_MAX_NAMES = 12
#: Kinds of files whose first line may name the columns.
_WITH_HEADER = (Kind.TEXT, Kind.WORKBOOK)


def print_findings(found: Estimate) -> None:
    """Show how the files were read, what was mended and what is not sent, with row numbers."""
    table = Table(title="What was found", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in _decisions(found.file):
        table.add_row(name, escape(printable(value)))

    for finding in found.findings:
        label = "repaired" if finding.is_repair else "noticed"
        table.add_row(label, escape(printable(sentence_of(finding))))

    for reason, count in sorted(found.totals.skipped.items(), key=lambda item: -item[1]):
        rows = found.examples.get(reason, ())
        table.add_row("not sent", f"{reason}: {count:,}{_rows(rows, count)}")

    paper.print(table)


def print_preview(preview: Preview) -> None:
    """Show texts as people will receive them."""
    table = Table(title="Texts", title_justify="left", show_header=False)
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for row, text in preview.first:
        table.add_row(f"row {row:,}", escape(printable(text)))

    if preview.longest:
        row, text = preview.longest
        table.add_row(f"longest (row {row:,})", escape(printable(text)))

    paper.print(table)


def sentence_of(finding: Finding) -> str:
    """Spell a finding on one line."""
    return f"{finding.count:,}: {finding.sentence}{_rows(finding.rows, finding.count)}"


def _decisions(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "files" if len(file["files"]) > 1 else "file", ", ".join(file["files"])
    yield "kind", file["kind"]
    if file["encoding"]:
        yield "encoding", file["encoding"]

    if file["sheet"]:
        yield "sheet", file["sheet"]

    if delimiter := file["delimiter"]:
        yield "delimiter", _DELIMITERS.get(delimiter, delimiter)

    if file["kind"] in _WITH_HEADER:
        yield "header", "the first line" if file["has_header"] else "none"

    yield "columns", _names(file["columns"])
    yield "phone numbers from", _names(file["phone_columns"])
    yield "rows", f"{file['rows']:,}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def _rows(rows: Sequence[int], count: int) -> str:
    if not rows:
        return ""

    more = " ..." if count > len(rows) else ""
    return f" (row {', '.join(map(str, rows))}{more})"
