"""Files of rows: recipient files are scanned lazily, plans and results written whole or not at all.

What is scanned has been read once from end to end: a frame that `scan_recipients` returned has no
surprises left. Written files hold people's numbers: only their owner may read them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import polars as pl
from polars.exceptions import NoDataError, PolarsError

from pipeline.errors import InputError

_SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_PARQUET = ".parquet"
_READABLE = ", ".join([*_SEPARATORS, _PARQUET])

_PHONE_NUMBER = re.compile(r"\s*(?:\+|\(|[0-9])(?:[\s().\-]*[0-9]){9,14}\s*")
_REPEATED_HEADER = re.compile(r"(.+)_duplicated_[0-9]+")  # how polars renames a repeated column
_PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)  # what polars takes for many columns, not for a name
_UNREADABLE = "\ufffd"  # what polars makes of a byte of the header that is not UTF-8
_SURROGATE = re.compile(
    "[\udc80-\udcff]"
)  # a byte that is not UTF-8, by the surrogateescape handler

#: What a spreadsheet may run as a formula, and what of it is a plain number or a phone number.
_FORMULA = r"^[=+\-@]"
_HARMLESS = r"^[+\-]?[0-9][0-9., ]*(?:[eE][+\-]?[0-9]+)?%?$|^\+[0-9 ().\-]{7,24}$"

_SYSTEM_ERROR = re.compile(r"(?P<sentence>[^:\n]+) \(os error (?P<number>[0-9]+)\)")


def scan_recipients(path: Path) -> pl.LazyFrame:
    """Open a recipient file: CSV (UTF-8, also gzipped or tab-separated) or Parquet, by its suffix.

    Returns:
        The columns of the file, untouched: all String from CSV, where a blank line is a row of
        nulls and a row that ends early has nulls at its end; of their own types from Parquet.

    Raises:
        InputError: the file cannot be read, or has nothing to send to.
    """
    _check_kind(path)
    suffix = _suffix(path)
    if suffix == _PARQUET:
        return _scan_parquet(path)

    if suffix in _SEPARATORS:
        return _scan_csv(path, _SEPARATORS[suffix])

    raise InputError(
        f"files of this kind cannot be read; give one that ends in {_READABLE}", file=str(path)
    )


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content in hex, without holding it in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_parquet(lf: pl.LazyFrame, path: Path) -> None:
    """Write the rows, in order and in streaming mode; `path` is whole or as it was before."""
    _write_atomically(path, lf.sink_parquet)


def write_csv(lf: pl.LazyFrame, path: Path) -> None:
    """Write the rows as CSV, in order and in streaming mode; `path` is whole or as it was before.

    A cell or a column name that a spreadsheet would run as a formula gets an apostrophe in front.
    Lists and structs become JSON, bytes Base64.
    """
    schema = lf.collect_schema()
    headers = pl.Series("header", schema.names(), pl.String).to_frame().select(_guarded("header"))
    safe_names = dict(zip(schema.names(), headers["header"], strict=True))
    cells = lf.select(_csv_cell(name, dtype) for name, dtype in schema.items()).rename(safe_names)
    _write_atomically(path, cells.sink_csv)


def _check_kind(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InputError("there is no such file", file=str(path)) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", file=str(path)) from None

    if stat.S_ISDIR(mode):
        raise InputError("this is a directory; name a file in it", file=str(path))

    if not stat.S_ISREG(mode):  # a pipe can be read once, and we read twice
        raise InputError("this is a pipe or a device; save it to a file first", file=str(path))


def _suffix(path: Path) -> str:
    name = path.name.lower()
    known = (suffix for suffix in (*_SEPARATORS, _PARQUET) if name.endswith(suffix))
    return max(known, key=len, default=path.suffix)


def _scan_parquet(path: Path) -> pl.LazyFrame:
    try:
        lf = pl.scan_parquet(path, glob=False)
        _check_names(lf.collect_schema().names(), path)
        _require_rows(lf, path)
    except (PolarsError, OSError) as error:
        raise InputError(
            "this is not a Parquet file, or a damaged one; write it again", file=str(path)
        ) from error

    return lf


def _scan_csv(path: Path, separator: str) -> pl.LazyFrame:
    try:
        lf = pl.scan_csv(path, separator=separator, infer_schema=False, glob=False)
        names = lf.collect_schema().names()
        _check_names(names, path)
        _check_header(names, path)
        _require_rows(lf, path)
    except NoDataError as error:
        raise InputError(
            "the file is empty; the first line must name the columns", file=str(path)
        ) from error
    except (PolarsError, OSError) as error:
        raise _explain_csv(path, separator) from error

    return lf


def _require_rows(lf: pl.LazyFrame, path: Path) -> None:
    """Read every cell once, so that whatever is wrong with the file is found now."""
    filled = lf.select(pl.len(), pl.all().is_not_null().sum().name.prefix("filled "))
    if filled.collect(engine="streaming")["len"].item() == 0:
        raise InputError("the file has no rows below its header: nothing to send", file=str(path))


def _check_names(names: list[str], path: Path) -> None:
    for name in names:
        if _PATTERN.fullmatch(name):
            raise InputError("no column can have this name; rename it", file=str(path), column=name)


def _check_header(names: list[str], path: Path) -> None:
    for name in names:
        if _UNREADABLE in name:
            raise _not_utf8(path)

        if _PHONE_NUMBER.fullmatch(name):
            raise InputError(
                "the first line holds a phone number where it should name the columns; "
                "put a line such as 'phone' above it",
                file=str(path),
            )

        repeated = _REPEATED_HEADER.fullmatch(name)
        if repeated and repeated[1] in names:
            raise InputError(
                "two columns have this name; rename one of them", file=str(path), column=repeated[1]
            )


def _explain_csv(path: Path, separator: str) -> InputError:
    """Read the file again, slowly, to name the place that polars stumbled over."""
    broken = InputError(
        "this cannot be read as CSV; perhaps a quote is opened and never closed", file=str(path)
    )
    try:
        with _open_text(path) as file:
            return next(_csv_faults(csv.reader(file, delimiter=separator), path), broken)
    except csv.Error:
        return broken
    except (OSError, EOFError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
        )
        return InputError(f"the file cannot be read: {reason}", file=str(path))


def _open_text(path: Path) -> TextIO:
    opener: Callable[..., TextIO] = gzip.open if path.name.lower().endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


def _csv_faults(lines: Iterator[list[str]], path: Path) -> Iterator[InputError]:
    header = next(lines, [])
    for row, cells in enumerate(lines, start=1):
        for column, cell in zip(header, cells, strict=False):
            if _SURROGATE.search(cell):
                yield _not_utf8(path, row, column)

        if len(cells) > len(header):
            yield InputError(
                f"the row has {len(cells)} cells, the header {len(header)}; put a value that holds "
                "the separator in double quotes",
                file=str(path),
                row=row,
            )


def _not_utf8(path: Path, row: int | None = None, column: str | None = None) -> InputError:
    return InputError(
        "the text is not UTF-8; save the file as 'CSV UTF-8'",
        file=str(path),
        row=row,
        column=column,
    )


def _csv_cell(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_nested():
        return pl.struct(name).struct.json_encode().alias(name)

    if dtype == pl.Binary:
        return pl.col(name).bin.encode("base64")

    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return _guarded(name)

    return pl.col(name)


def _guarded(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    runs = text.str.contains(_FORMULA) & ~text.str.contains(_HARMLESS)
    return pl.when(runs).then(pl.lit("'") + text).otherwise(text).alias(name)


def _write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside `path`, then put it in place; both the file and its name survive a power cut.

    Raises:
        OSError: it cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    temporary = Path(name)
    try:
        write(temporary)
        os.fsync(descriptor)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, PolarsError) and (system := _SYSTEM_ERROR.search(str(error))):
            raise OSError(int(system["number"]), system["sentence"].strip(), str(path)) from error

        raise
    finally:
        os.close(descriptor)

    _fsync_directory(path.parent)


def _fsync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
