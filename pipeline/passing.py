"""Files and folders that only pass: gone at the end of their block, or before the process ends.

They hold people's numbers, and a process that ends at once does not leave its blocks. What a killed
one left is known by its name, and removed by the next that makes something in the same folder, on
the same machine and in the same container: of another's processes, which may share the folder,
nobody here knows.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path


def _processes() -> str:
    """Name the machine, and on it whose process numbers are ours: each container has its own."""
    with suppress(OSError):
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"

    return platform.node()


_MACHINE = blake2b(_processes().encode(), digest_size=4).hexdigest()
#: What `own_name` makes.
_OWN = re.compile(rf"\..+\.{_MACHINE}-(?P<process>[1-9][0-9]{{0,8}})-[0-9a-f]{{8}}\.passing")

#: Held while something passing is made or removed; at the end of the process for good.
_lock = threading.Lock()
#: What is there now, in the order it was made -> how it is removed.
_present: dict[Path, Callable[[Path], None]] = {}


def own_name(name: str) -> str:
    """Return a name that only this process uses, and only once, for what is to pass."""
    return f".{name}.{_MACHINE}-{os.getpid()}-{secrets.token_hex(4)}.passing"


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; there may be none."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def passing(
    make: Callable[[], Path], *, removing: Callable[[Path], None] = remove
) -> Iterator[Path]:
    """Make a file or folder, or only its name, and remove it at the end of the block.

    What killed processes left beside it is removed as well.

    Args:
        make: Makes it under an `own_name`, and returns where it is.
        removing: Removes it; raises nothing, whatever is there.

    Raises:
        OSError: it cannot be made.
    """
    with _lock:
        path = make()
        _present[path] = removing
        _remove_stale(path.parent)

    try:
        yield path
    finally:
        with _lock:
            del _present[path]
            removing(path)


def remove_all() -> None:
    """Remove all that is there, the last first, so that nothing can be made any more.

    For the end of the process, from any thread: another one that would make something passing, or
    leave its block, waits for ever.
    """
    _lock.acquire()
    for path, removing in [*reversed(_present.items())] * 2:  # polars may be about to open a file
        removing(path)


def _remove_stale(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.glob(".*.passing"):
            own = _OWN.fullmatch(path.name)
            if own is not None and _is_stale(path, int(own["process"])):
                remove(path)


def _is_stale(path: Path, process: int) -> bool:
    if process == os.getpid():  # or another process had this number, before it was killed
        return all(path.name != each.name for each in _present)  # a folder may have two names

    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # alive, and somebody else's
        return False

    return False
