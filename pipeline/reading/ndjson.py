"""NDJSON: an object a line. Values become text as the file spells them; nested ones stay JSON.

Two passes: the first learns the columns, which any line may add to, the second writes plain CSV.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import InputError
from pipeline.model import FileFormat, Finding
from pipeline.reading.encodings import UNDECODABLE, UTF8, sniff_encoding
from pipeline.reading.headers import read_header
from pipeline.reading.kinds import Kind
from pipeline.reading.lines import LineTooLongError, open_lines
from pipeline.reading.reading import MAX_CHARACTERS, Reading, Tally
from pipeline.reading.unpacking import new_file

_HEAD_BYTES = 1 << 16
_MAX_COLUMNS = 10_000

_Row = dict[str, str | None]


def read_ndjson(path: Path, workspace: Path, file_format: FileFormat, *, file: str) -> Reading:
    """Read a file of JSON objects, one a line.

    Raises:
        InputError: a line is not an object, or there are none.
    """
    with path.open("rb") as source:
        encoding = file_format.encoding or sniff_encoding(
            source.read(_HEAD_BYTES), is_whole=path.stat().st_size <= _HEAD_BYTES
        )

    encoding = encoding or UTF8
    keys, rows, blank = _survey(path, encoding, file)
    if not keys:
        raise InputError("the file has no objects with keys: nobody is in it", file=file)

    header = read_header(keys, file=file)
    copy = new_file(workspace)
    _write(path, encoding, copy, keys, rows, file)
    lf = pl.scan_csv(copy, infer_schema=False, glob=False)
    frame = lf.rename(dict(zip(lf.collect_schema().names(), header.names, strict=True)))
    return Reading(
        frame=frame,
        kind=Kind.NDJSON,
        encoding=encoding,
        files=(file,),
        rows=rows,
        findings=(*header.findings, *blank),
    )


def _survey(path: Path, encoding: str, file: str) -> tuple[list[str], int, tuple[Finding, ...]]:
    """Return the keys in order of appearance, the number of rows, and what was met."""
    keys: dict[str, None] = {}
    count, blank, pending = 0, Tally(), []
    for number, row in enumerate(_objects(path, encoding, file), start=1):
        if row is None:
            pending.append(number)
            continue

        keys |= dict.fromkeys(row)
        count = number
        while pending:
            blank.add(pending.pop(0))

        if len(keys) > _MAX_COLUMNS:
            raise InputError(
                f"the objects have more than {_MAX_COLUMNS:,} different keys; is this a table?",
                file=file,
                row=number,
            )

    sentence = "blank lines between the objects count as rows without a number"
    return list(keys), count, blank.finding("blank_lines", sentence, is_repair=False)


def _write(
    source: Path, encoding: str, target: Path, keys: list[str], rows: int, file: str
) -> None:
    with target.open("w", encoding=UTF8, newline="") as copy:
        writer = csv.writer(copy, lineterminator="\r\n")
        writer.writerow([f"c{position}" for position in range(len(keys))])
        for _, row in zip(range(rows), _objects(source, encoding, file), strict=False):
            writer.writerow([(row or {}).get(key) for key in keys])


def _objects(path: Path, encoding: str, file: str) -> Iterator[_Row | None]:
    """Yield a row a line, None for a blank one."""
    number = 1
    with open_lines(path, encoding, has_double_ends=False) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                yield _row(line, file, number) if line.strip() else None
        except LineTooLongError:
            raise InputError(
                f"a line has more than {MAX_CHARACTERS:,} characters; write an object a line",
                file=file,
                row=number + 1,
            ) from None


def _row(line: str, file: str, number: int) -> _Row:
    if UNDECODABLE in line:
        raise InputError("this is not UTF-8, as NDJSON must be", file=file, row=number)

    try:
        pairs = _DECODER.decode(line.strip())
    except (ValueError, RecursionError):
        raise InputError(
            "this is not a JSON object on one line; write NDJSON, an object a line",
            file=file,
            row=number,
        ) from None

    if not isinstance(pairs, _Pairs):
        raise InputError("this is JSON but not an object; write {...}", file=file, row=number)

    row = {name: _as_text(value) for name, value in pairs}
    if len(row) < len(pairs):
        raise InputError("a key is there twice in one object", file=file, row=number)

    return row


class _Pairs(list[tuple[str, Any]]):
    """An object with its keys in order, repeated ones too."""


class _Number(str):
    """A number as the file spells it."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_Number
)


def _as_text(value: object) -> str | None:
    match value:
        case None:
            return None
        case str():
            return _printable(value)
        case bool():
            return "true" if value else "false"
        case _:
            return _printable(json.dumps(_plain(value), ensure_ascii=False))


def _plain(value: object) -> object:
    if isinstance(value, _Pairs):
        return {name: _plain(inner) for name, inner in value}

    if isinstance(value, list):
        return [_plain(inner) for inner in value]

    if isinstance(value, _Number):
        return int(value) if value.lstrip("-").isdigit() and len(value) < 300 else float(value)

    return value


def _printable(text: str) -> str:
    """Replace lone surrogates, which JSON can spell and UTF-8 cannot hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
