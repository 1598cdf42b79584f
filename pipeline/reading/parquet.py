"""Parquet files: polars scans them; whatever is damaged is found before anything is planned."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from pipeline.errors import InputError
from pipeline.reading.headers import read_header
from pipeline.reading.kinds import Kind
from pipeline.reading.panics import refusing
from pipeline.reading.reading import Reading

_DAMAGED = "this is not a Parquet file, or a damaged one; write it again"


def read_parquet(source: str | Path, *, file: str) -> Reading:
    """Scan a Parquet file and read every cell once.

    Args:
        source: a path, or an address that polars can read.
        file: names it for people.

    Raises:
        InputError: it is damaged, or has no rows.
    """
    with refusing(_DAMAGED, PolarsError, OSError, file=file):
        lf = pl.scan_parquet(source, glob=False)
        names = lf.collect_schema().names()
        rows = _read_every_cell(lf)

    if rows == 0:
        raise InputError("the file has no rows: nobody is in it", file=file)

    header = read_header(names, file=file)
    if list(header.names) != names:
        lf = lf.rename(dict(zip(names, header.names, strict=True)))

    return Reading(frame=lf, kind=Kind.PARQUET, files=(file,), rows=rows, findings=header.findings)


def _read_every_cell(lf: pl.LazyFrame) -> int:
    filled = lf.select(pl.len(), pl.all().is_not_null().sum().name.prefix("filled "))
    return int(filled.collect(engine="streaming")["len"].item())
