"""The local files among a campaign's pictures: checked before anything is sent, named by content.

    entry as written ─> Picture ─> reference in the plan ─> address in the POST
    flyer.png           bytes      media:9f86d081...png     https://.../media/bandcast-9f86...

A reference is a digest of what the file holds: the same picture is uploaded once, whatever it is
called, and a changed file is another plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from pipeline.bandwidth.media_types import content_type_of
from pipeline.errors import InputError, UsageError
from pipeline.model import MEDIA_SCHEME, Channel
from pipeline.prepare import columns
from pipeline.prepare.rate_card import SenderType, sender_type
from pipeline.shrinking import SHRINKABLE, shrunk
from pipeline.spelling import counted

#: All pictures of one message from a toll-free number (support article 360034303574).
TOLL_FREE_BYTES = 525_000
#: How many problems are told at once.
_TOLD = 5
_DIGEST_CHARACTERS = 32
_ENTRY, _ROW, _COUNT, _BYTES = "entry", "row", "count", "bytes"
_TOLL_FREE = r"^\+1(?:800|833|844|855|866|877|888)[0-9]{7}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A local file, as it will be uploaded."""

    path: Path
    #: SHA-256 of the file, in hex.
    digest: str
    #: As uploaded.
    size_bytes: int
    content_type: str
    #: It is made to have at most so many bytes before it is uploaded; None leaves it as it is.
    shrink_to: int | None = None

    @property
    def reference(self) -> str:
        """Name what is uploaded, in plans and journals: opaque, the same for the same content."""
        made = f"{self.digest} in {self.shrink_to}" if self.shrink_to else self.digest
        digest = hashlib.sha256(made.encode()).hexdigest()[:_DIGEST_CHARACTERS]
        return f"{MEDIA_SCHEME}{digest}{self.path.suffix.lower()}"

    def content(self) -> bytes:
        """Read what is to be uploaded.

        Raises:
            UsageError: the file is gone, or is another one than when the plan was made.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read any more: {error.strerror}") from None

        if hashlib.sha256(content).hexdigest() != self.digest:
            raise UsageError(f"{self.path}: was changed since the plan was made: put it back")

        if self.shrink_to is None:
            return content

        made = shrunk(self.path, self.content_type, self.shrink_to)
        assert made is not None  # it could be when the plan was made
        return made


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The local files of a campaign; empty where all its pictures are addresses."""

    #: Entry of the list or of a cell, as written -> the file.
    of: Mapping[str, Picture] = field(default_factory=dict)

    @cached_property
    def references(self) -> Mapping[str, str]:
        """Entry as written -> reference."""
        return {entry: picture.reference for entry, picture in self.of.items()}

    @cached_property
    def by_reference(self) -> Mapping[str, Picture]:
        """Each file that is uploaded, once."""
        return {picture.reference: picture for picture in self.of.values()}

    @property
    def size_bytes(self) -> int:
        """Of all that is uploaded."""
        return sum(picture.size_bytes for picture in self.by_reference.values())

    def named(self, media: Sequence[str]) -> tuple[str, ...]:
        """Return the entries with references in place of local files."""
        return tuple(self.references.get(entry, entry) for entry in media)


def find_pictures(
    media: Sequence[str],
    *,
    folder: Path,
    most_bytes: int,
    shrink: bool,
    senders: Sequence[str] | None,
    cells: pl.LazyFrame | None = None,
    column: str = "",
    file: str = "recipients",
) -> Pictures:
    """Check every local file that a campaign names.

    Args:
        media: The campaign's list; what holds no ``://`` is a file.
        folder: What relative paths are relative to.
        most_bytes: Of one file.
        shrink: Make JPEG and PNG files that are too big fit.
        senders: Who sends; None where rows may say it.
        cells: One String column, each row's own pictures with blanks between them.
        column: The user's name of it.
        file: Names the recipients in an error.

    Raises:
        UsageError: a file is missing, empty, of a type that the provider does not take, or too big;
            names file, row and column of the first ones.
    """
    found = {entry: "" for entry in media if _is_local(entry)}
    most = len(media)
    if cells is not None:
        own, longest = _entries_of(cells)
        places = {
            entry: f"{InputError('', file=file, row=row, column=column)}" for entry, row in own
        }
        found, most = places | found, max(most, longest)

    room = most_bytes
    if shrink and (senders is None or _any_toll_free(senders)):
        room = min(room, TOLL_FREE_BYTES // max(most, 1))

    pictures, problems = {}, []
    for entry, place in found.items():
        try:
            pictures[entry] = _checked(folder / entry, most_bytes, room if shrink else None)
        except ValueError as problem:
            problems.append(f"{place or '[campaign] media: '}'{entry}' {problem}")

    _refuse(problems)
    return Pictures(of=pictures)


def refuse_heavy(
    plan: pl.LazyFrame, pictures: Pictures, *, media: Sequence[str], column: str | None, file: str
) -> None:
    """Refuse messages from toll-free numbers whose local files are too big together.

    Args:
        plan: The plan's frame.
        pictures: Of this campaign.
        media: The campaign's list.
        column: The plan's column of a row's own pictures; None where rows have none.
        file: Names the recipients in an error.

    Raises:
        InputError: there is such a message; names its row.
    """
    if not pictures.of:
        return

    sizes = {entry: picture.size_bytes for entry, picture in pictures.of.items()}
    total: pl.Expr = pl.lit(sum(sizes.get(entry, 0) for entry in media), pl.Int64)
    if column is not None:
        own = _split(pl.col(column).cast(pl.String))
        weights = pl.element().replace_strict(sizes, default=0, return_dtype=pl.Int64)
        total = pl.when(own.list.len() > 0).then(own.list.eval(weights).list.sum()).otherwise(total)

    heavy = (
        plan.filter(
            pl.col(columns.CHANNEL) == Channel.MMS.value,
            pl.col(columns.FROM).str.contains(_TOLL_FREE),
        )
        .select(columns.ROW, total.alias(_BYTES))
        .filter(pl.col(_BYTES) > TOLL_FREE_BYTES)
        .head(1)
        .collect(engine="streaming")
    )
    for row, size in heavy.iter_rows():
        raise InputError(
            f"its pictures have {size:,} bytes together, and a message from a toll-free number "
            f"takes {TOLL_FREE_BYTES:,}: use smaller ones, or [media] shrink = true",
            file=file,
            row=row,
        )


def _is_local(entry: str) -> bool:
    return "://" not in entry


def _any_toll_free(senders: Sequence[str]) -> bool:
    return any(sender_type(sender) is SenderType.TOLL_FREE for sender in senders)


def _split(cell: pl.Expr) -> pl.Expr:
    return cell.str.extract_all(r"\S+")


def _entries_of(cells: pl.LazyFrame) -> tuple[list[tuple[str, int]], int]:
    """Return the local entries of a column with the first row of each, and the longest cell."""
    (name,) = cells.collect_schema().names()
    entries = (
        cells.select(_split(pl.col(name)).alias(_ENTRY))
        .with_row_index(_ROW, offset=1)
        .with_columns(pl.col(_ENTRY).list.len().alias(_COUNT))
        .explode(_ENTRY)
        .filter(pl.col(_ENTRY).is_not_null())
        .group_by(_ENTRY)
        .agg(pl.col(_ROW).min(), pl.col(_COUNT).max())
        .sort(_ROW, _ENTRY)
        .collect(engine="streaming")
    )
    longest = entries[_COUNT].max()
    local = [(entry, row) for entry, row, _ in entries.iter_rows() if _is_local(entry)]
    return local, longest if isinstance(longest, int) else 0


def _checked(path: Path, most_bytes: int, room: int | None) -> Picture:
    """Look at one file.

    Raises:
        ValueError: it cannot be sent; says why.
    """
    content_type = content_type_of(path.name)
    if content_type is None:
        raise ValueError(
            "is of a type that the provider does not take; write an address that begins with "
            "https://, or the path of a file such as logo.png"
        )

    digest, size = _read(path)
    if size == 0:
        raise ValueError("is an empty file")

    if room is not None and size > room and content_type in SHRINKABLE:
        made = shrunk(path, content_type, room)
        if made is None:
            raise ValueError(f"cannot be shrunk to {room:,} bytes: use a smaller picture")

        return Picture(
            path=path,
            digest=digest,
            size_bytes=len(made),
            content_type=content_type,
            shrink_to=room,
        )

    if size > most_bytes:
        hint = ", or [media] shrink = true" if content_type in SHRINKABLE else ""
        raise ValueError(
            f"has {size:,} bytes, and {most_bytes:,} are allowed: use a smaller one{hint}"
        )

    return Picture(path=path, digest=digest, size_bytes=size, content_type=content_type)


def _read(path: Path) -> tuple[str, int]:
    try:
        if not path.is_file():
            raise ValueError("is not there: no such file")

        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def _refuse(problems: Sequence[str]) -> None:
    def told() -> Iterator[str]:
        yield from problems[:_TOLD]
        if len(problems) > _TOLD:
            yield f"and {counted(len(problems) - _TOLD, 'picture')} more"

    if problems:
        raise UsageError("\n".join(told()))
