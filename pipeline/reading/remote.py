"""Files at an address (s3, gs, az, https): polars' own readers fetch them, credentials are theirs.

Only clean UTF-8 text and Parquet are read so; what needs mending is to be fetched first.
"""

from __future__ import annotations

import hashlib

import polars as pl
from polars.exceptions import PolarsError

from pipeline.errors import InputError
from pipeline.model import FileFormat
from pipeline.reading.clean import scan_clean, survey
from pipeline.reading.delimited import may_be_clean, understand_header
from pipeline.reading.dialect import sniff_dialect
from pipeline.reading.encodings import UTF8
from pipeline.reading.kinds import Kind
from pipeline.reading.panics import refusing
from pipeline.reading.parquet import read_parquet
from pipeline.reading.reading import Reading

_SCHEMES = ("s3://", "s3a://", "gs://", "gcs://", "az://", "azure://", "abfs://", "abfss://",
            "http://", "https://", "hf://")  # fmt: skip
_SAMPLE_LINES = 1000
_FETCH = "fetch it and give the copy on this machine"


def is_remote(source: str) -> bool:
    """Tell whether a source is an address and no path."""
    return source.lower().startswith(_SCHEMES)


def read_remote(address: str, file_format: FileFormat) -> Reading:
    """Read a Parquet or a clean text file (by the suffix of its address).

    Raises:
        InputError: it cannot be fetched, is of another kind, or needs mending.
    """
    shown = _without_secrets(address)
    if shown.lower().endswith(".parquet"):
        return read_parquet(address, file=shown)

    with refusing(f"this cannot be fetched or read; {_FETCH}", PolarsError, OSError, file=shown):
        return _read_text(address, file_format, shown)


def rows_digest(reading: Reading) -> str:
    """Return the SHA-256 in hex of all rows as CSV, which stands for bytes that are not here."""
    digest = hashlib.sha256()
    for batch in reading.frame.collect_batches(maintain_order=True):
        digest.update(batch.write_csv(include_header=False).encode())

    return digest.hexdigest()


def _without_secrets(address: str) -> str:
    """Return the address without what may sign it: a query, a user and a password."""
    scheme, _, rest = address.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _read_text(address: str, file_format: FileFormat, shown: str) -> Reading:
    sample = pl.scan_lines(address, name="line", glob=False).head(_SAMPLE_LINES).collect()
    text = "\n".join(sample["line"]).removeprefix("\ufeff") + "\n"
    dialect = sniff_dialect(text, file_format, is_whole=True, file=shown)
    header = understand_header(dialect, file=shown)
    found = survey(address, dialect) if may_be_clean(UTF8, dialect) else None
    frame = scan_clean(address, dialect, header.names, found) if found else None
    if found is None or not found.is_clean or frame is None:
        raise InputError(f"this file needs mending; {_FETCH}", file=shown)

    if not found.rows:
        raise InputError("the file has no rows below its header: nobody is in it", file=shown)

    return Reading(
        frame=frame,
        kind=Kind.TEXT,
        encoding=UTF8,
        delimiter=dialect.delimiter if dialect.width > 1 else None,
        has_header=dialect.has_header,
        files=(shown,),
        rows=found.rows,
        findings=header.findings,
    )
