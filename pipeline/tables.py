"""Tables out: plans and results are written whole or not at all.

Written files hold people's numbers: only their owner may read them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from pipeline.passing import own_name, passing

#: What a spreadsheet may run as a formula, and what of it is a plain number or a phone number.
_FORMULA = r"^[=+\-@]"
_HARMLESS = r"^[+\-]?[0-9][0-9., ]*(?:[eE][+\-]?[0-9]+)?%?$|^\+[0-9 ().\-]{7,24}$"

#: Of a Parquet file: a group this large is still in the caches when its columns are compressed.
_ROW_GROUP_ROWS = 1 << 16

_SYSTEM_ERROR = re.compile(r"(?P<sentence>[^:\n]+) \(os error (?P<number>[0-9]+)\)")


def write_parquet(lf: pl.LazyFrame, path: Path) -> None:
    """Write the rows, in order and in streaming mode; `path` is whole or as it was before."""
    write = partial(
        lf.sink_parquet,
        compression="zstd",
        compression_level=1,
        statistics=False,
        row_group_size=_ROW_GROUP_ROWS,
    )
    _write_atomically(path, write)


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
    with replacing(path) as temporary:
        try:
            write(temporary)
        except PolarsError as error:
            if system := _SYSTEM_ERROR.search(str(error)):
                number, sentence = int(system["number"]), system["sentence"].strip()
                raise OSError(number, sentence, str(path)) from error

            raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside `path`, then put it in place; it and its name survive a power cut.

    Yields:
        The file to write: empty, mode 0600, gone where the block raises.

    Raises:
        OSError: it cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with passing(partial(_new_file, path)) as temporary:
        yield temporary
        _fsync(temporary)
        temporary.replace(path)

    _fsync(path.parent)


def _new_file(path: Path) -> Path:
    new = path.with_name(own_name(path.name))
    new.touch(mode=0o600, exist_ok=False)
    return new


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
