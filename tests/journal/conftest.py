"""Every store there is: a contract test runs on each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from pipeline.journal import Journal, open_journal
from pipeline.journal.memory import MemoryJournal


class Store(Protocol):
    """One journal's data, which several journal objects may open at once."""

    def open(self) -> Journal: ...

    def events(self) -> list[tuple[int, str, str, str]]:
        """What people decided: row, kind, by whom, because."""

    def receipts(self) -> list[bytes]:
        """The raw receipts that are kept."""

    def suppressions(self) -> dict[str, tuple[str, str]]:
        """Number -> source, because."""

    def lifted(self) -> list[tuple[str, str, str, str, str]]:
        """Number, source and reason of what was lifted; by whom, because."""

    def inbound(self) -> list[tuple[str, str, bytes]]:
        """Id, our number and raw JSON of what people said."""

    def close(self) -> None: ...


class MemoryStore:
    def __init__(self) -> None:
        self._first = MemoryJournal()

    def open(self) -> Journal:
        return MemoryJournal(beside=self._first)

    def events(self) -> list[tuple[int, str, str, str]]:
        decided = self._first.tables.events.values()
        return [tuple(decision[:4]) for _, decision in decided]

    def receipts(self) -> list[bytes]:
        return [kept.raw for kept in self._first.tables.receipts.values()]

    def suppressions(self) -> dict[str, tuple[str, str]]:
        suppressed = self._first.tables.suppressed.items()
        return {number: (each.source, each.because) for number, each in suppressed}

    def lifted(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (*each.suppression[:3], each.by, each.because)
            for each in self._first.tables.lifted.values()
        ]

    def inbound(self) -> list[tuple[str, str, bytes]]:
        return [(*key, each.raw) for key, each in self._first.tables.inbound.items()]

    def close(self) -> None:
        """Nothing lies outside the objects."""


class SqliteStore:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: list[Journal] = []

    def open(self) -> Journal:
        journal = open_journal(f"sqlite:///{self._path}")
        self._opened.append(journal)
        return journal

    def events(self) -> list[tuple[int, str, str, str]]:
        return self._select('SELECT row, kind, "by", because FROM event ORDER BY id')

    def receipts(self) -> list[bytes]:
        return [raw for (raw,) in self._select("SELECT raw FROM receipt ORDER BY id")]

    def suppressions(self) -> dict[str, tuple[str, str]]:
        rows = self._select("SELECT number, source, because FROM suppression")
        return {number: (source, because) for number, source, because in rows}

    def lifted(self) -> list[tuple[str, str, str, str, str]]:
        return self._select(
            "SELECT number, source, because, lifted_by, lifted_because FROM lifted ORDER BY id"
        )

    def inbound(self) -> list[tuple[str, str, bytes]]:
        return self._select("SELECT message_id, recipient, raw FROM inbound ORDER BY id")

    def close(self) -> None:
        for journal in self._opened:
            journal.close()

    def _select(self, statement: str) -> list[tuple]:
        connection = sqlite3.connect(self._path)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "journal.db")
    yield store
    store.close()


@pytest.fixture
def journal(store: Store) -> Journal:
    return store.open()
