"""Files and folders that only pass: gone at the end of their block, or before the process ends.

They hold people's numbers, and a process that ends at once does not leave its blocks.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Held while something passing is made or removed; at the end of the process for good.
_lock = threading.Lock()
#: What is there now, in the order it was made -> how it is removed.
_present: dict[Path, Callable[[Path], None]] = {}


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

    Args:
        make: Makes it, and returns where it is.
        removing: Removes it; raises nothing, whatever is there.

    Raises:
        OSError: it cannot be made.
    """
    with _lock:
        path = make()
        _present[path] = removing

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
