"""Text files: encoding, dialect and header are decided, then polars reads it, or a mended copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipeline.errors import InputError
from pipeline.model import FileFormat, Finding
from pipeline.reading.clean import Survey, scan_clean, survey
from pipeline.reading.dialect import Dialect, sniff_dialect
from pipeline.reading.encodings import (
    UNDECODABLE,
    UTF8,
    decode,
    legacy_encoding,
    sniff_encoding,
    transcode,
)
from pipeline.reading.headers import Header, numbered_header, read_header
from pipeline.reading.kinds import Kind
from pipeline.reading.mending import Mending, mend
from pipeline.reading.reading import MAX_CHARACTERS, Reading, Tally
from pipeline.reading.unpacking import new_file

_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_EXACT = (UTF8, "utf-16", "utf-16-le", "utf-16-be", "utf-32")  # told by the bytes, not guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Understanding:
    encoding: str
    dialect: Dialect
    header: Header


def read_delimited(path: Path, workspace: Path, file_format: FileFormat, *, file: str) -> Reading:
    """Read a text file of rows.

    Args:
        path: of the plain bytes.
        workspace: a folder for a mended copy.
        file_format: what the user says about the file.
        file: names it for people.

    Raises:
        InputError: it cannot be understood for certain, or has no rows.
    """
    with path.open("rb") as source:
        head = source.read(MAX_CHARACTERS)
        is_whole = not source.read(1)

    encoding = file_format.encoding or sniff_encoding(head, is_whole=is_whole)
    if encoding is None:
        encoding = legacy_encoding(path) or UTF8

    found = _understand(head, encoding, file_format, is_whole=is_whole, file=file)
    if may_be_clean(found.encoding, found.dialect):
        surveyed = survey(path, found.dialect)
        if surveyed is None and file_format.encoding is None and (older := legacy_encoding(path)):
            found = _understand(head, older, file_format, is_whole=is_whole, file=file)
        elif surveyed is not None and surveyed.is_clean:
            lf = scan_clean(path, found.dialect, found.header.names, surveyed)
            if lf is not None:
                return _clean_reading(lf, surveyed, found, file)

    if reading := _transcoded_reading(path, workspace, found, file_format, file=file):
        return reading

    return _mended_reading(path, workspace, found, file_format, file=file)


def may_be_clean(encoding: str, dialect: Dialect) -> bool:
    """Tell whether it is worth looking at every line: polars could read such a file as it is."""
    return (
        encoding == UTF8
        and dialect.starts_plainly
        and dialect.delimiter.isascii()
        and UNDECODABLE not in "".join(dialect.first)
    )


def understand_header(dialect: Dialect, *, file: str) -> Header:
    """Return the names of the columns."""
    if dialect.has_header:
        return read_header(dialect.first, file=file)

    return numbered_header(dialect.width)


def without_phantoms(
    lf: pl.LazyFrame, header: Header, empty: list[int]
) -> tuple[pl.LazyFrame, tuple[Finding, ...]]:
    """Drop the columns that have neither a name nor a cell; name the other nameless ones."""
    findings, phantoms = [], set(empty)
    if empty:
        kept = [name for place, name in enumerate(header.names) if place not in phantoms]
        lf = lf.select(kept)
        findings.append(
            Finding(
                code="empty_columns",
                sentence="columns have neither a name nor a cell with anything in it; "
                "they are left out",
                count=len(empty),
                is_repair=True,
            )
        )

    if nameless := [
        header.names[position] for position in header.unnamed if position not in phantoms
    ]:
        findings.append(
            Finding(
                code="unnamed_columns",
                sentence="columns have no name; they are called " + ", ".join(nameless[:5]),
                count=len(nameless),
            )
        )

    return lf, tuple(findings)


def _understand(
    head: bytes, encoding: str, file_format: FileFormat, *, is_whole: bool, file: str
) -> _Understanding:
    try:
        text = decode(head, encoding, is_whole=is_whole)
    except UnicodeError as error:
        raise InputError(f"this cannot be read as {encoding.upper()}", file=file) from error

    dialect = sniff_dialect(text, file_format, is_whole=is_whole, file=file)
    return _Understanding(
        encoding=encoding, dialect=dialect, header=understand_header(dialect, file=file)
    )


def _clean_reading(lf: pl.LazyFrame, found: Survey, known: _Understanding, file: str) -> Reading:
    empty = _empty_columns(lf, known.header)
    blank = _blank_lines(found.blank)
    return _reading(lf, known, found.rows, empty, blank, file)


def _transcoded_reading(
    path: Path, workspace: Path, known: _Understanding, file_format: FileFormat, *, file: str
) -> Reading | None:
    """Return the reading of a UTF-8 copy, where the encoding is all that is unusual."""
    if known.encoding == UTF8 or not may_be_clean(UTF8, known.dialect):
        return None

    copy = new_file(workspace)
    surveyed = survey(copy, known.dialect) if transcode(path, known.encoding, copy) else None
    if surveyed is None or not surveyed.is_clean:
        copy.unlink()
        return None

    lf = scan_clean(copy, known.dialect, known.header.names, surveyed)
    if lf is None:
        return None

    findings = (*_guessed(known.encoding, file_format), *_blank_lines(surveyed.blank))
    return _reading(lf, known, surveyed.rows, _empty_columns(lf, known.header), findings, file)


def _mended_reading(
    path: Path, workspace: Path, known: _Understanding, file_format: FileFormat, *, file: str
) -> Reading:
    copy = new_file(workspace)
    mending = Mending(
        file=file, dialect=known.dialect, header=known.header, encoding=known.encoding
    )
    mend(path, copy, mending)
    plain = replace(known.dialect, delimiter=",", has_header=True)
    as_found = Survey(rows=mending.rows, blank=Tally(), trailing=0, is_clean=True)
    lf = scan_clean(copy, plain, known.header.names, as_found)
    assert lf is not None, "a mended copy has plain names"
    findings = (
        *_guessed(known.encoding, file_format),
        *_line_ends(mending),
        *_blank_lines(mending.blank),
        *mending.findings(),
    )
    return _reading(lf, known, mending.rows, mending.empty, findings, file)


def _reading(
    lf: pl.LazyFrame,
    known: _Understanding,
    rows: int,
    empty: list[int],
    findings: tuple[Finding, ...],
    file: str,
) -> Reading:
    if rows == 0:
        raise InputError("the file has no rows below its header: nobody is in it", file=file)

    frame, phantoms = without_phantoms(lf, known.header, empty)
    return Reading(
        frame=frame,
        kind=Kind.TEXT,
        encoding=known.encoding,
        delimiter=known.dialect.delimiter if known.dialect.width > 1 else None,
        has_header=known.dialect.has_header,
        files=(file,),
        rows=rows,
        findings=(*known.header.findings, *phantoms, *findings),
    )


def _empty_columns(lf: pl.LazyFrame, header: Header) -> list[int]:
    names = {header.names[position]: position for position in header.unnamed}
    if not names:
        return []

    filled = lf.select((pl.col(list(names)).fill_null("") != "").any())
    answers = filled.collect(engine="streaming").row(0, named=True)
    return [position for name, position in names.items() if not answers[name]]


def _blank_lines(blank: Tally) -> tuple[Finding, ...]:
    sentence = "blank lines between the rows count as rows without a number"
    return blank.finding("blank_lines", sentence, is_repair=False)


def _guessed(encoding: str, file_format: FileFormat) -> Iterator[Finding]:
    if encoding not in _EXACT and file_format.encoding is None:
        yield Finding(
            code="encoding",
            sentence=f"not UTF-8: read as {encoding} by what its letters look like; if they come "
            "out wrong, name the encoding in the campaign's [file] section",
            count=1,
            is_repair=True,
        )


def _line_ends(mending: Mending) -> Iterator[Finding]:
    if mending.dialect.has_double_ends:
        yield Finding(
            code="line_ends",
            sentence="lines end in CR CR LF; read as one line end",
            count=mending.rows,
            is_repair=True,
        )
    elif mending.lone_returns:
        yield Finding(
            code="line_ends",
            sentence="lines end in CR alone; read as line ends",
            count=mending.lone_returns,
        )
