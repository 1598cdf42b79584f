"""From an address to a journal. A store is imported only where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.journal import Journal


_SIMULATION = "simulation.db"


def open_journal(url: str) -> Journal:
    """Open the journal at an address, and make the file where there is none.

    Raises:
        SettingsError: no such form of address. It is not repeated: it may hold a password.
        JournalError: the file cannot be opened or is no journal.
    """
    if url == "memory:":
        from pipeline.journal.memory import MemoryJournal  # noqa: PLC0415 - only the store in use

        return MemoryJournal()

    path = _sqlite_path(url)
    from pipeline.journal.sqlite import SqliteJournal  # noqa: PLC0415 - only the store in use

    return SqliteJournal(path)


def find_journal(url: str) -> Journal | None:
    """Open the journal at an address; None where there is none yet, and none is made.

    Raises:
        SettingsError: no such form of address.
        JournalError: the file cannot be opened or is no journal.
    """
    return open_journal(url) if url != "memory:" and _sqlite_path(url).exists() else None


def simulation_url(folder: Path) -> str:
    """Return the address of the journal that simulated runs keep in a folder: never a real one."""
    return f"sqlite:///{folder.absolute() / _SIMULATION}"


def remove_simulation(folder: Path) -> None:
    """Delete the journal at `simulation_url`, with all it knows."""
    for suffix in ("-wal", "-shm", ""):
        (folder / f"{_SIMULATION}{suffix}").unlink(missing_ok=True)


def _sqlite_path(url: str) -> Path:
    path = url.removeprefix("sqlite:///")
    if path in ("", url):
        forms = "sqlite:///relative.db, sqlite:////absolute/path.db or memory:"
        raise SettingsError([f"the journal's address must be {forms}"])

    return Path(path)
