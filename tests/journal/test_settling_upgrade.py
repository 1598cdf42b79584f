"""A journal from before doubts could be settled: what it did not note is unknown, and stays so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pipeline.journal import open_journal
from pipeline.lifecycle import MessageState

DATA = Path(__file__).parents[1] / "data" / "journal_2.sql"


def test_an_older_journal_opens_with_its_doubts_of_an_unknown_time(tmp_path):
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DATA.read_text())
        connection.execute("INSERT INTO earlier_attempt VALUES (1, 3, 1, 'host:1:a')")
        connection.execute("INSERT INTO earlier_attempt VALUES (1, 1, 1, 'host:1:a')")
        connection.execute("INSERT INTO event VALUES (1, 1, 3, 'release', 'ana', 'asked', 0)")
        connection.commit()

    with closing(open_journal(f"sqlite:///{path}")) as journal:
        doubts = {each.row: (each.state, each.begun_at) for each in journal.doubts()}

    assert doubts[3][1] == (None,), "released, and attempted again"
    assert (MessageState.IN_DOUBT, (None,)) in doubts.values()
    assert len(doubts) == 2
