"""From an address to a journal. A store is imported only where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.journal import Journal


def open_journal(url: str) -> Journal:
    """Open the journal at an address, and make the file where there is none.

    Raises:
        SettingsError: no such form of address. It is not repeated: it may hold a password.
        JournalError: the file cannot be opened or is no journal.
    """
    if url == "memory:":
        from pipeline.journal.memory import MemoryJournal  # noqa: PLC0415 - only the store in use

        return MemoryJournal()

    path = find_path(url)
    from pipeline.journal.sqlite import SqliteJournal  # noqa: PLC0415 - only the store in use

    return SqliteJournal(path)


def find_journal(url: str) -> Journal | None:
    """Open the journal at an address; None where there is none yet, and none is made.

    Raises:
        SettingsError: no such form of address.
        JournalError: the file cannot be opened or is no journal.
    """
    return open_journal(url) if url != "memory:" and find_path(url).exists() else None


def simulation_url(folder: Path, campaign: str) -> str:
    """Return the address of the journal of a campaign's simulated runs: never a real one."""
    return f"sqlite:///{folder.absolute() / f'simulation-{campaign}.db'}"


def remove_simulation(folder: Path, campaign: str) -> None:
    """Delete the journal at `simulation_url`, with all it knows."""
    path = find_path(simulation_url(folder, campaign))
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def find_path(url: str) -> Path:
    """Return the file of a journal on disk.

    Raises:
        SettingsError: no such form of address.
    """
    path = url.removeprefix("sqlite:///")
    if path in ("", url):
        forms = "sqlite:///relative.db, sqlite:////absolute/path.db or memory:"
        raise SettingsError([f"the journal's address must be {forms}"])

    return Path(path)
