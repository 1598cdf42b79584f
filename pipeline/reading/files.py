"""The recipients of a campaign: one file or several, by path, pattern or address, as one frame."""

from __future__ import annotations

import glob
import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import polars as pl

from pipeline.errors import InputError, UsageError
from pipeline.model import FileFormat, Finding
from pipeline.passing import own_name, passing
from pipeline.reading.delimited import read_delimited
from pipeline.reading.kinds import Kind, kind_of
from pipeline.reading.ndjson import read_ndjson
from pipeline.reading.parquet import read_parquet
from pipeline.reading.reading import Reading
from pipeline.reading.remote import is_remote, read_remote, rows_digest
from pipeline.reading.unpacking import unpacked
from pipeline.reading.workbook import read_workbook

_HEAD_BYTES = 4096


@contextmanager
def read_recipients(
    sources: Sequence[str | Path], file_format: FileFormat | None = None
) -> Iterator[Reading]:
    """Read the files of a campaign, in the order given; files of a pattern by their names.

    Args:
        sources: paths, patterns with ``*``, ``?`` and ``[...]``, or addresses.
        file_format: what the user says about the files.

    Yields:
        The reading; its frame can be collected until the block ends, which removes mended copies
        (mode 0600, in the system's folder for temporary files).

    Raises:
        InputError: a file cannot be understood for certain, or several do not fit together.
    """
    with _workspace() as workspace:
        readings = [
            _read(source, workspace, file_format or FileFormat()) for source in find_files(sources)
        ]
        yield _together(readings)


def find_files(sources: Sequence[str | Path]) -> list[str]:
    """Return the paths and addresses that the sources name.

    Raises:
        InputError: a source names no file.
    """
    return [file for source in sources for file in _matching(str(source))]


def files_digest(reading: Reading, file_format: FileFormat | None = None) -> str:
    """Return a digest of what was read, in hex: of the bytes, and of what the user said of them.

    For a single file without a format it is the SHA-256 of the file.
    """
    parts = [
        rows_digest(reading) if is_remote(file) else _file_digest(Path(file))
        for file in reading.files
    ]
    if file_format and file_format != FileFormat():
        parts.append(repr(file_format))

    if len(parts) == 1:
        return parts[0]

    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _workspace() -> AbstractContextManager[Path]:
    return passing(_new_folder)


def _new_folder() -> Path:
    try:
        folder = Path(tempfile.gettempdir()) / own_name("bandcast")
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(
            f"no temporary folder can be written ({error.strerror}): make room, or set TMPDIR"
        ) from error

    return folder


def _matching(source: str) -> list[str]:
    if is_remote(source):
        return [source]

    path = Path(source)
    if path.is_dir():
        raise InputError(
            "this is a directory; name a file in it, or in a campaign.toml all with recipients = "
            f'"{path}/*.csv"',
            file=source,
        )

    if path.is_file():
        return [source]

    if path.exists():  # it can be read once, and we read twice
        raise InputError("this is a pipe or a device; save it to a file first", file=source)

    if not glob.has_magic(source):
        raise InputError("there is no such file", file=source)

    names = glob.iglob(source, recursive=True)  # noqa: PTH207 - a pattern may be absolute
    found = sorted(name for name in names if Path(name).is_file())
    if not found:
        raise InputError("no file has a name like this", file=source)

    return found


def _read(file: str, workspace: Path, file_format: FileFormat) -> Reading:
    if is_remote(file):
        return read_remote(file, file_format)

    try:
        return _read_local(file, workspace, file_format)
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror or error}", file=file
        ) from error


def _read_local(file: str, workspace: Path, file_format: FileFormat) -> Reading:
    path = unpacked(Path(file), workspace, file=file)
    with path.open("rb") as source:
        head = source.read(_HEAD_BYTES)

    match kind_of(head, file=file):
        case Kind.PARQUET:
            return read_parquet(path, file=file)
        case Kind.WORKBOOK:
            return read_workbook(path, file_format, file=file)
        case Kind.NDJSON:
            return read_ndjson(path, workspace, file_format, file=file)
        case Kind.TEXT:
            return read_delimited(path, workspace, file_format, file=file)


def _together(readings: list[Reading]) -> Reading:
    """Put the rows of several files below each other; columns meet by their names."""
    first = readings[0]
    if len(readings) == 1:
        return first

    starts = list(accumulate((reading.rows for reading in readings), initial=0))[:-1]
    findings = [
        finding
        for reading, start in zip(readings, starts, strict=True)
        for finding in _placed(reading, start)
    ]
    return replace(
        first,
        frame=pl.concat(_aligned(readings)),
        files=tuple(file for reading in readings for file in reading.files),
        rows=sum(reading.rows for reading in readings),
        findings=tuple(findings),
    )


def _placed(reading: Reading, start: int) -> Iterator[Finding]:
    """Yield the findings of one of several files, by the row numbers of the campaign."""
    name = Path(reading.files[0]).name
    yield Finding(
        code="file",
        sentence=f"'{name}' begins at row {start + 1:,} ({reading.kind})",
        count=reading.rows,
        rows=(start + 1,),
    )
    for finding in reading.findings:
        yield replace(
            finding,
            sentence=f"'{name}': {finding.sentence}",
            rows=tuple(row + start for row in finding.rows),
        )


def _aligned(readings: list[Reading]) -> list[pl.LazyFrame]:
    """Return the frames with the columns, order and spelling of the first file.

    A column that is not of the same type in all files becomes text.
    """
    first = readings[0]
    schemas = [reading.frame.collect_schema() for reading in readings]
    wanted = _folded(first, schemas[0])
    frames = []
    for reading, schema in zip(readings, schemas, strict=True):
        own = _folded(reading, schema)
        if own.keys() != wanted.keys():
            name = Path(first.files[0]).name
            raise InputError(_difference(own, wanted, name), file=reading.files[0])

        frames.append(reading.frame.select(pl.col(own[key]).alias(wanted[key]) for key in wanted))

    mixed = [
        name for name in schemas[0] if len({frame.collect_schema()[name] for frame in frames}) > 1
    ]
    return [frame.with_columns(pl.col(mixed).cast(pl.String)) for frame in frames]


def _folded(reading: Reading, schema: pl.Schema) -> dict[str, str]:
    folded = {_fold(name): name for name in schema}
    if len(folded) < len(schema):
        raise InputError(
            "two columns have the same name but for case and spaces, so that files cannot be put "
            "together; rename one of them",
            file=reading.files[0],
        )

    return folded


def _difference(own: dict[str, str], wanted: dict[str, str], first: str) -> str:
    missing = ", ".join(f"'{name}'" for key, name in wanted.items() if key not in own)
    extra = ", ".join(f"'{name}'" for key, name in own.items() if key not in wanted)
    parts = [f"lacks {missing}"] if missing else []
    parts += [f"has {extra} besides"] if extra else []
    return (
        f"its columns differ from those of '{first}': it {' and '.join(parts)}; "
        "give all files the same columns, or make several campaigns"
    )


def _fold(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).casefold()
