"""Workbooks (Excel, and what else calamine reads): one sheet, its cells as text.

A sheet ends at 1,048,576 rows, so it is held in memory.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import fastexcel
import polars as pl

from pipeline.errors import InputError
from pipeline.model import FileFormat, Finding
from pipeline.reading.delimited import without_phantoms
from pipeline.reading.headers import Header, has_phone_number, numbered_header, read_header
from pipeline.reading.kinds import Kind
from pipeline.reading.panics import refusing
from pipeline.reading.reading import Reading, Tally

_MAX_UNPACKED_BYTES = 4 << 30
#: How a date or a time of day alone comes out of calamine.
_MIDNIGHT = r"^(\d{4}-\d\d-\d\d) 00:00:00$"
_TIME_OF_DAY = r"^(?:1899-12-3[01]|1904-01-01) (\d\d:\d\d:\d\d)$"

_DAMAGED = (
    "this workbook cannot be read: it is damaged, has a password, or is no workbook; "
    "open it and save it again as .xlsx"
)
#: Holds for lists, which have no [file] section, too.
_OTHER_SHEET = 'put it first, save it as CSV or, for recipients, write sheet = "..." in [file]'


def read_workbook(path: Path, file_format: FileFormat, *, file: str) -> Reading:
    """Read the named sheet, or the first visible one that has anything in it.

    Raises:
        InputError: it cannot be read, has no such sheet, or no rows.
    """
    _refuse_bombs(path, file)
    with refusing(_DAMAGED, fastexcel.FastExcelError, OSError, ValueError, file=file):
        reader = fastexcel.read_excel(path)
        names = _wanted(reader, file_format, file)
        sheets = {name: _load(reader, name) for name in names}

    filled = [name for name, frame in sheets.items() if frame.height]
    if not filled:
        raise InputError("the workbook is empty; the first row must name the columns", file=file)

    reading = _read_sheet(sheets[filled[0]], file_format, file, filled)
    return _with_choice(reading, filled)


def _refuse_bombs(path: Path, file: str) -> None:
    if not zipfile.is_zipfile(path):
        return

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(_DAMAGED, file=file) from error

    if size > _MAX_UNPACKED_BYTES:
        raise InputError("unpacked, this workbook is larger than 4 GiB; save it as CSV", file=file)


def _wanted(reader: fastexcel.ExcelReader, file_format: FileFormat, file: str) -> list[str]:
    names = reader.sheet_names
    if file_format.sheet is None:
        return names

    if file_format.sheet in names:
        return [file_format.sheet]

    listed = ", ".join(f"'{name}'" for name in names)
    raise InputError(f"there is no sheet '{file_format.sheet}'; there are {listed}", file=file)


def _load(reader: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    """Return the cells of a sheet from its first row that has any."""
    sheet = reader.load_sheet(name, header_row=None, dtypes="string")
    if sheet.visible != "visible" or not sheet.width:
        return pl.DataFrame()

    frame = sheet.to_polars()
    filled = frame.select(pl.any_horizontal(pl.all().fill_null("").str.strip_chars() != ""))
    places = filled.to_series().arg_true()
    return frame.slice(places[0], places[-1] - places[0] + 1) if len(places) else frame.clear()


def _no_rows(filled: list[str]) -> str:
    name, *others = filled
    sentence = f"the sheet '{name}' has no rows below its header: nobody is in it"
    if not others:
        return sentence

    listed = ", ".join(f"'{other}'" for other in others)
    return f"{sentence}; to read another one ({listed}), {_OTHER_SHEET}"


def _read_sheet(
    frame: pl.DataFrame, file_format: FileFormat, file: str, filled: list[str]
) -> Reading:
    first = [cell or "" for cell in frame.row(0)]
    has_header = file_format.header
    if has_header is None:
        has_header = not has_phone_number(first)

    header = read_header(first, file=file) if has_header else numbered_header(frame.width)
    rows = frame.slice(int(has_header)).rename(dict(zip(frame.columns, header.names, strict=True)))
    if not rows.height:
        raise InputError(_no_rows(filled), file=file)

    text = rows.with_columns(pl.all().str.replace(_MIDNIGHT, "$1").str.replace(_TIME_OF_DAY, "$1"))
    lf, phantoms = without_phantoms(text.lazy(), header, _empty_columns(text, header))
    return Reading(
        frame=lf,
        kind=Kind.WORKBOOK,
        sheet=filled[0],
        has_header=has_header,
        files=(file,),
        rows=rows.height,
        findings=(*header.findings, *phantoms, *_blank_rows(text)),
    )


def _empty_columns(frame: pl.DataFrame, header: Header) -> list[int]:
    names = header.names
    return [
        position
        for position in header.unnamed
        if frame[names[position]].fill_null("").str.strip_chars().eq("").all()
    ]


def _blank_rows(frame: pl.DataFrame) -> tuple[Finding, ...]:
    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().arg_true()
    tally = Tally(count=len(blank), rows=[place + 1 for place in blank.head(5)])
    return tally.finding(
        "blank_lines",
        "blank rows between the rows count as rows without a number",
        is_repair=False,
    )


def _with_choice(reading: Reading, filled: list[str]) -> Reading:
    if len(filled) == 1:
        return reading

    others = ", ".join(f"'{name}'" for name in filled[1:])
    finding = Finding(
        code="sheets",
        sentence=f"sheets are not read: {others}; the one that is read is '{filled[0]}' "
        f"(to read another, {_OTHER_SHEET})",
        count=len(filled) - 1,
    )
    return replace(reading, findings=(finding, *reading.findings))
