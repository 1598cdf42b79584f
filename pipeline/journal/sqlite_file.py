"""One SQLite file, opened so that a commit is on the disk when it returns.

WAL with synchronous=FULL, mode 0600, and no bare sqlite3 error: each becomes a JournalError that
names the file and says what to do. Knows statements by name, and nothing about messages.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.errors import JournalError, NotAJournal
from pipeline.journal.transactional import Transactional
from pipeline.journal.turns import Turns

#: The layout that `schema` in sqlite.sql makes.
SCHEMA_VERSION = 8
#: Layout -> the script that brings a file of an earlier layout one layout further.
_UPGRADES = {
    2: "upgrade_2",
    3: "upgrade_3",
    4: "upgrade_4",
    5: "upgrade_5",
    6: "upgrade_6",
    7: "upgrade_7",
}
#: Marks a file as ours (SQLite's application_id): "bcst" in ASCII.
APPLICATION_ID = 0x62637374
#: How long a transaction waits to begin: another process may be enlisting millions, and nothing is
#: sent meanwhile.
BUSY_SECONDS = 300.0
CACHE_KIB = 65_536

_ADVICE = {
    sqlite3.SQLITE_FULL: "cannot grow, because its disk is full: make room, then run again",
    sqlite3.SQLITE_READONLY: "may not be written: check its permissions and its directory's",
    sqlite3.SQLITE_PERM: "may not be written: check its permissions and its directory's",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check its directory and the permissions there",
    sqlite3.SQLITE_CORRUPT: "is damaged: an older copy forgets who was texted, never send from one",
    sqlite3.SQLITE_NOTADB: "is no journal of bandcast, or its beginning is damaged: name the right "
    "file (a new one forgets who was texted)",
    sqlite3.SQLITE_BUSY: f"was locked by another program for {BUSY_SECONDS:.0f} s: stop that first",
    sqlite3.SQLITE_IOERR: "cannot be read or written: its disk reports an error",
}

Row = tuple[Any, ...]


def load_statements(path: Path) -> dict[str, str]:
    """Read a file of statements, each below a line ``-- name --``; return them by name."""
    _, *parts = re.split(r"^-- (\w+) --$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


class SqliteFile(Transactional):
    """An open journal file.

    Raises:
        JournalError: it cannot be opened, is not ours, or was written by a newer bandcast.
    """

    def __init__(self, path: Path, statements: Mapping[str, str]) -> None:
        super().__init__()
        self.path = path.resolve()  # one file, one name: the locks lie beside it
        self._log = self.path.with_name(f"{self.path.name}-wal")
        self._statements = statements
        self._locks: dict[str, FileLock] = {}
        self._turns = Turns(self.path.with_name(f"{self.path.name}.turn.lock"))
        self._connection = self._open()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def run(self, name: str, *values: object) -> int:
        """Run a statement that changes rows; return how many."""
        return self._execute(self._statements[name], values).rowcount

    def one(self, name: str, *values: object) -> Row | None:
        """Run a statement; return its first row, or None."""
        rows = self.all(name, *values)
        return rows[0] if rows else None

    def all(self, name: str, *values: object) -> list[Row]:
        """Run a statement; return all its rows."""
        cursor = self._execute(self._statements[name], values)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def holds(self, word: str) -> bool:
        """Tell whether this object has locked a word."""
        return word in self._locks

    def lock(self, word: str) -> bool:
        """Lock a word beside this file until `close`, or until the kernel sees this process die.

        Returns:
            False where somebody else has it.
        """
        digest = hashlib.blake2b(word.encode(), digest_size=6).hexdigest()
        lock = FileLock(f"{self.path}.{digest}.lock", mode=0o600, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as error:
            raise self._unusable(error) from error

        self._locks[word] = lock
        return True

    def close(self) -> None:
        """Free the locks and close the file."""
        for lock in self._locks.values():
            lock.release()

        self._locks.clear()
        self._connection.close()
        self._turns.close()

    # --- Opening -------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite copies the mode
            self._inode = self.path.stat().st_ino
            return sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except OSError as error:
            raise self._unusable(error) from error
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _prepare(self) -> None:
        version = self._version()
        (mode,) = self._execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":  # with a rollback journal a power cut can take a commit back
            raise JournalError(
                f"the journal {self.path} is on a disk that cannot share memory between programs "
                "(a network drive?): keep it on a local disk"
            )

        self._execute("PRAGMA synchronous = FULL")
        self._execute("PRAGMA fullfsync = ON")
        self._execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if version != SCHEMA_VERSION:
            self._bring_up_to_date()

    def _version(self) -> int | None:
        """Return the layout of a journal, None for an empty file; refuse everything else.

        The tables are counted first: another process that makes them now makes the rest with them.
        """
        (tables,) = self._execute("SELECT count(*) FROM sqlite_master").fetchone()
        application, version = self._pragma("application_id"), self._pragma("user_version")
        if application == APPLICATION_ID and version in {*_UPGRADES, SCHEMA_VERSION}:
            return version

        if application == APPLICATION_ID:
            raise JournalError(
                f"the journal {self.path} has schema {version}, and this bandcast knows "
                f"{SCHEMA_VERSION}: use the bandcast that wrote it, or a newer one"
            )

        if tables or application:
            raise NotAJournal(
                f"the file {self.path} is no journal of bandcast, it belongs to another program: "
                "name the right file"
            )

        return None

    def _bring_up_to_date(self) -> None:
        """Make the tables, or change those of an earlier layout, all of it or nothing."""
        with self.transaction():
            version = self._version()  # another process may have done it meanwhile
            if version is None:
                self._run_script("schema")
                self._execute(f"PRAGMA application_id = {APPLICATION_ID}")
            else:
                for layout in range(version, SCHEMA_VERSION):
                    self._run_script(_UPGRADES[layout])

            self._execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _run_script(self, name: str) -> None:
        for statement in self._statements[name].split(";"):
            self._execute(statement)

    def _pragma(self, name: str) -> int:
        (value,) = self._execute(f"PRAGMA {name}").fetchone()
        return int(value)

    # --- Transactions and errors -----------------------------------------------------------------

    def _start(self) -> None:
        try:
            with self._turns.next(longest_seconds=BUSY_SECONDS):
                self._execute("BEGIN IMMEDIATE")
        except TimeoutError:
            raise JournalError(self._advice(sqlite3.SQLITE_BUSY)) from None
        except OSError as error:
            raise self._unusable(error) from error

    def _commit(self) -> None:
        try:
            self._expect_in_place()
            self._execute("COMMIT")
        except JournalError:
            self._undo()
            raise

    def _expect_in_place(self) -> None:
        """Refuse to record where nobody will find it: the next run would text everybody again."""
        try:
            in_place = self.path.stat().st_ino == self._inode
            self._log.stat()
        except FileNotFoundError:
            in_place = False
        except OSError as error:
            raise self._unusable(error) from error

        if not in_place:
            raise JournalError(
                f"the journal {self.path} or the file {self._log.name} beside it was removed or "
                "replaced while it was in use: put them back before anything is sent again"
            )

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> JournalError:
        code = (
            getattr(error, "sqlite_errorcode", 0) & 0xFF
        )  # the rest of an extended code is detail
        kind = NotAJournal if code == sqlite3.SQLITE_NOTADB else JournalError
        return kind(self._advice(code, otherwise=f"failed: {error}"))

    def _advice(self, code: int, *, otherwise: str = "") -> str:
        return f"the journal {self.path} {_ADVICE.get(code, otherwise)}"

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(f"the journal {self.path} cannot be opened: {error.strerror}")
