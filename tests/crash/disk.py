"""A disk below SQLite that remembers, and that can fail: a shim VFS around the system's own.

    SqliteJournal ─> the SQLite of Python's sqlite3 ─> this shim ─> the system's VFS ─> files

While it is entered it is SQLite's default, so the journal that is proved is the journal that runs.
Every write, truncation, fsync, creation and deletion of the database, its write-ahead log and its
rollback journal is kept in order, with marks that the test sets between them. The file of shared
memory (-shm) is left out: it does not outlive the processes that use it.

What a power cut leaves is computed from that (`after_power_loss`), by what POSIX promises and no
more: what was not followed by an fsync of its file may be there or not, each sector of 512 bytes on
its own; a name in the directory may be there or not until the directory was synchronised, which
SQLite does with the first fsync of a new log or journal (UNIXFILE_DIRSYNC).
"""

import _sqlite3
import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
OK, FULL, IO_ERROR_WRITE, IO_ERROR_FSYNC, READ_ONLY = 0, 13, 778, 1034, 8
_IS_DATABASE, _IS_JOURNAL, _IS_LOG = 0x100, 0x800, 0x80000

_library = ctypes.CDLL(_sqlite3.__file__)  # its symbols, or those of the library below it

OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
CLOSE = CFUNCTYPE(c_int, c_void_p)
READ = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class Methods(Structure):
    """sqlite3_io_methods of version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("xClose", CLOSE),
        ("xRead", READ),
        ("xWrite", WRITE),
        ("xTruncate", TRUNCATE),
        ("xSync", SYNC),
        *((name, c_void_p) for name in (
            "xFileSize", "xLock", "xUnlock", "xCheckReservedLock", "xFileControl", "xSectorSize",
            "xDeviceCharacteristics", "xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap",
            "xFetch", "xUnfetch",
        )),
    )  # fmt: skip


class Vfs(Structure):
    """sqlite3_vfs of version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", OPEN),
        ("xDelete", DELETE),
        *((name, c_void_p) for name in (
            "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose", "xRandomness",
            "xSleep", "xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall",
            "xGetSystemCall", "xNextSystemCall",
        )),
    )  # fmt: skip


class OpenFile(Structure):
    """sqlite3_file: the system's VFS keeps its own fields behind the methods."""

    _fields_ = (("methods", POINTER(Methods)),)


_library.sqlite3_vfs_find.restype = POINTER(Vfs)
_library.sqlite3_vfs_find.argtypes = (c_char_p,)
_library.sqlite3_vfs_register.argtypes = (POINTER(Vfs), c_int)
_library.sqlite3_vfs_unregister.argtypes = (POINTER(Vfs),)


class Event(NamedTuple):
    """One thing that happened to the disk, or a mark of the test."""

    #: ``create``, ``write``, ``truncate``, ``sync``, ``delete`` or ``mark``.
    kind: str
    #: The file's name; of a mark, what the test says.
    name: object
    #: Which file it is: a name may be given to several, one after the other.
    file: int = 0
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """Remembers what happens to the files below one folder, and fails when told to."""

    folder: Path
    events: list[Event] = field(default_factory=list)
    #: Which writes, truncations and fsyncs (counted from 0) fail, and how.
    failing: range = range(0)
    error: int = FULL
    #: False for a disk like a network drive, where no write-ahead log is possible.
    shares_memory: bool = True
    #: How many writes, truncations and fsyncs were asked for.
    asked: int = 0
    _names: dict[str, int] = field(default_factory=dict)
    _open: dict[int, tuple[str, int]] = field(default_factory=dict)
    _files: int = 0

    def mark(self, what):
        """Put a mark between what happened before and what happens after."""
        self.events.append(Event("mark", what))

    def __enter__(self):
        self._system = _library.sqlite3_vfs_find(None)
        self._vfs = Vfs.from_buffer_copy(self._system.contents)
        self._vfs.zName, self._vfs.pNext = b"remembering disk", None
        self._vfs.xOpen, self._vfs.xDelete = OPEN(self._on_open), DELETE(self._on_delete)
        self._methods = {}
        assert _library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1) == OK
        return self

    def __exit__(self, *_):
        assert not self._open, "a file is open below this disk"
        _library.sqlite3_vfs_register(self._system, 1)
        _library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))

    # --- Called by SQLite --------------------------------------------------------------------

    def _on_open(self, vfs, name, file, flags, flags_out):
        code = self._system.contents.xOpen(vfs, name, file, flags, flags_out)
        path = Path(ctypes.string_at(name).decode()) if name else None
        kept = flags & (_IS_DATABASE | _IS_JOURNAL | _IS_LOG)
        if code == OK and kept and path is not None and path.parent == self.folder:
            opened = ctypes.cast(file, POINTER(OpenFile)).contents
            opened.methods = ctypes.pointer(self._watching(opened.methods.contents))
            if path.name not in self._names:
                self._files += 1
                self._names[path.name] = self._files
                self.events.append(Event("create", path.name, self._files))

            self._open[file] = (path.name, self._names[path.name])

        return code

    def _on_delete(self, vfs, name, sync_directory):
        code = self._system.contents.xDelete(vfs, name, sync_directory)
        path = Path(name.decode())
        if code == OK and path.parent == self.folder and path.name in self._names:
            self.events.append(Event("delete", path.name, self._names.pop(path.name)))

        return code

    def _watching(self, system):
        """The methods of an open file, three of them ours; `system` are those of the real VFS."""
        address = ctypes.addressof(system)
        if address not in self._methods:
            ours = Methods.from_buffer_copy(system)
            real = {name: getattr(system, name) for name in ("xWrite", "xTruncate", "xSync")}

            def write(file, data, size, offset):
                content = ctypes.string_at(data, size)
                return self._do("write", file, offset, content) or real["xWrite"](
                    file, data, size, offset
                )

            def truncate(file, size):
                return self._do("truncate", file, size) or real["xTruncate"](file, size)

            def sync(file, flags):
                return self._do("sync", file) or real["xSync"](file, flags)

            def close(file):
                self._open.pop(file, None)
                return system.xClose(file)

            ours.iVersion = system.iVersion if self.shares_memory else 1
            ours.xWrite, ours.xTruncate = WRITE(write), TRUNCATE(truncate)
            ours.xSync, ours.xClose = SYNC(sync), CLOSE(close)
            self._methods[address] = ours

        return self._methods[address]

    def _do(self, kind, file, offset=0, data=b""):
        self.asked += 1
        if self.asked - 1 in self.failing:
            return self.error

        name, number = self._open[file]
        self.events.append(Event(kind, name, number, offset, data))
        return OK


# --- What a power cut leaves ---------------------------------------------------------------------


@dataclass
class _File:
    """Bytes that are safe, and what may or may not have reached the disk since."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)
    was_synced: bool = False

    def sync(self):
        for event in self.pending:
            _apply(self.safe, event)

        self.pending.clear()
        self.was_synced = True


def _apply(content, event):
    if event.kind == "truncate":
        del content[event.offset :]
        content.extend(bytes(event.offset - len(content)))
        return

    end = event.offset + len(event.data)
    content.extend(bytes(max(0, end - len(content))))
    content[event.offset : end] = event.data


def sectors(event):
    """A write as the disk knows it: a piece for each sector it touches."""
    if event.kind != "write":
        yield event
        return

    start, end = event.offset, event.offset + len(event.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        piece = event.data[start - event.offset : stop - event.offset]
        yield event._replace(offset=start, data=piece)
        start = stop


class Cut(NamedTuple):
    """The disk at one moment: what is safe, and what is not."""

    files: dict[int, _File]
    names: dict[str, int]
    #: Creations and deletions whose directory was not synchronised since, in order.
    renamed: list[Event]

    def pending(self):
        """Everything a power cut may lose, in order."""
        return [event for file in self.files.values() for event in file.pending]

    def surviving(self, reached, named=None):
        """The files of a disk that `reached` says of each pending sector whether it is there.

        `named` is how many of the changes of the directory are there; all of them by default.
        """
        names = dict(self.names)
        for event in self.renamed[:named]:
            if event.kind == "create":
                names[event.name] = event.file
            else:
                names.pop(event.name, None)

        found = {}
        for name, number in names.items():
            file = self.files[number]
            content = bytearray(file.safe)
            for event in file.pending:
                for piece in sectors(event):
                    if reached(piece):
                        _apply(content, piece)

            found[name] = bytes(content)

        return found


def cuts(events):
    """Yield (how many events were before it, the disk) for a power cut at every moment."""
    files, names, renamed = {}, {}, []
    for index, event in enumerate(events):
        yield index, Cut(files, names, renamed)
        match event.kind:
            case "create":
                files[event.file] = _File()
                renamed.append(event)
            case "delete":
                renamed.append(event)
            case "write" | "truncate":
                files[event.file].pending.append(event)
            case "sync":
                file = files[event.file]
                if not file.was_synced and event.name.endswith(("-wal", "-journal")):
                    _synchronise(names, renamed)

                file.sync()

    yield len(events), Cut(files, names, renamed)


def _synchronise(names, renamed):
    for event in renamed:
        if event.kind == "create":
            names[event.name] = event.file
        else:
            names.pop(event.name, None)

    renamed.clear()


def after_power_loss(cut, dice, *, draws=3):
    """Yield the disks that a power cut may leave, without repeating one.

    Nothing that was not synchronised; all of it; all but the first or the last write; the last
    write torn; and some sectors at random.
    """
    pending = cut.pending()
    places = {id(event): index for index, event in enumerate(pending)}
    last = len(pending) - 1

    def chosen(keep):
        kept = {
            (piece.file, piece.offset, piece.data)
            for event in pending
            for piece in sectors(event)
            if keep(places[id(event)], piece)
        }
        return lambda piece: (piece.file, piece.offset, piece.data) in kept

    choices = [lambda *_: False, lambda *_: True]
    if pending:
        middle = pending[-1].offset + len(pending[-1].data) // 2
        choices += [
            lambda index, _: index != 0,
            lambda index, _: index != last,
            lambda index, piece: index != last or piece.offset < middle,
            *(lambda *_: dice.random() < 0.5 for _ in range(draws)),
        ]

    seen = set()
    for choice in choices:
        for named in {0, len(cut.renamed)}:
            disk = cut.surviving(chosen(choice), named)
            identity = tuple(sorted((name, hash(content)) for name, content in disk.items()))
            if identity not in seen:
                seen.add(identity)
                yield disk
