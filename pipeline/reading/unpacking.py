"""Compressed files are unpacked once into the workspace: every later step then reads plain bytes.

Unpacking once is cheaper than in each pass, and gzip files of several members are read whole.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import zlib
from pathlib import Path
from tempfile import mkstemp
from typing import IO, BinaryIO, cast

from pipeline.errors import InputError
from pipeline.reading.kinds import Packing, packing_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_HEAD_BYTES = 64
_CHUNK_BYTES = 1 << 20


def unpacked(path: Path, workspace: Path, *, file: str) -> Path:
    """Return `path`, or a plain copy of it in `workspace` (mode 0600) where it is compressed.

    Raises:
        InputError: it is damaged, cut short, or packed twice.
    """
    with path.open("rb") as source:
        packing = packing_of(source.read(_HEAD_BYTES))

    if packing is None:
        return path

    copy = new_file(workspace)
    try:
        with _open_packed(path, packing) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
    except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise InputError(
            f"this {packing} file is damaged or cut short; fetch or pack it again", file=file
        ) from error

    with copy.open("rb") as plain:
        if packing_of(plain.read(_HEAD_BYTES)):
            raise InputError("the file is packed twice; unpack it once", file=file)

    return copy


def new_file(workspace: Path) -> Path:
    """Make an empty file that only its owner may read."""
    descriptor, name = mkstemp(dir=workspace)
    with open(descriptor, "wb"):  # noqa: PTH123 - takes over the descriptor
        return Path(name)


def _open_packed(path: Path, packing: Packing) -> IO[bytes]:
    if packing is Packing.GZIP:
        return cast(BinaryIO, gzip.open(path))

    return cast(BinaryIO, zstd.open(path))
