"""What both sides say: the provider's ledger, and the journal as the dead left it.

The journal is read from a copy of its files, so that nobody but the next bandcast mends what a
death left in them, and by SQL of its own, not by the code that is on trial.
"""

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from pipeline.model import AttemptId
from pipeline.simulator.behaviour import NOT_TAKEN, Behaviour, Dice, Fault

#: Behind these answers stands a provider that took the message, and says so in time.
ANSWERED = (None, Fault.SLOW)


class Record(NamedTuple):
    """A message's row in the journal."""

    state: str
    attempts: int
    owner: str


@dataclass(frozen=True)
class Journal:
    """A journal at one moment; without a run where the campaign is not in it."""

    run: str | None
    messages: int
    shard_rows: int
    rows: dict[int, Record]

    def in_state(self, *states):
        return {row for row, record in self.rows.items() if record.state in states}

    @property
    def open(self):
        """Row -> attempts, where one is open."""
        return {row: each.attempts for row, each in self.rows.items() if each.state == "sending"}


NO_JOURNAL = Journal(None, 0, 0, {})


def read_journal(story, *, is_in_use=False):
    """Read the campaign of a story; a journal that somebody writes now is no use to copy."""
    path = story.journal
    if not path.exists():
        return NO_JOURNAL

    with closing(sqlite3.connect(path if is_in_use else _copied(path))) as connection:
        return _read(connection, story.name)


def _copied(path):
    copy = path.with_name("copy.db")
    for suffix in ("", "-wal"):
        source, target = (file.with_name(file.name + suffix) for file in (path, copy))
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copy(source, target)

    return copy


def _read(connection, name):
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'message'").fetchone():
        return NO_JOURNAL

    found = "SELECT id, run, messages FROM campaign WHERE name = ?"
    plan = connection.execute(found, (name,)).fetchone()
    if plan is None:
        return NO_JOURNAL

    campaign, *more = plan
    total = "SELECT sum(rows) FROM shard WHERE campaign = ?"
    (shard_rows,) = connection.execute(total, (campaign,)).fetchone()
    tried = "SELECT row, state, attempts, owner FROM message WHERE campaign = ?"
    rows = connection.execute(tried, (campaign,)).fetchall()
    return Journal(*more, shard_rows, {row: Record(*rest) for row, *rest in rows})


def is_writable(path):
    """Tell whether a transaction could begin now."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False

        connection.execute("ROLLBACK")
        return True


class Received(NamedTuple):
    """A text that the provider took."""

    attempt: AttemptId | None
    to: tuple[str, ...]
    arrival_seconds: float
    segments: int


def received(story):
    """Every text of the campaign that the provider has taken: from its own number."""
    return [
        Received(
            AttemptId.from_tag(text["tag"]),
            tuple(text["to"]),
            text["arrival_seconds"],
            text["segments"],
        )
        for text in story.ledger(texts=True)["texts"]
        if text["sender"] == story.sender
    ]


def burst(texts, rate):
    """The most segments by which any window had more than the rate: 1 for exact slots."""
    level = most = 0.0
    last = 0.0
    for text in sorted(texts, key=lambda text: text.arrival_seconds):
        level = max(0.0, level - rate * (text.arrival_seconds - last)) + text.segments
        most, last = max(most, level), text.arrival_seconds

    return most


def longest_gap(texts):
    """The longest time between two texts, in seconds."""
    moments = sorted(text.arrival_seconds for text in texts)
    return max((after - before for before, after in pairwise(moments)), default=0.0)


@dataclass(frozen=True)
class Fortune:
    """Tells beforehand which answers the simulator will go wrong with: its dice are seeded."""

    faults: str
    seed: int

    def fault(self, number, request):
        """The fault of a handset's nth request, 1 the first; None where there is none."""
        dice = Dice(self.seed)
        return Behaviour.parse(self.faults).fault(dice.roll("answer", f"{number}#{request}"))

    def takes(self, number, request):
        """Tell whether the provider has the message of that request."""
        fault = self.fault(number, request)
        if fault is Fault.GATEWAY:
            behaviour = Behaviour.parse(self.faults)
            return Dice(self.seed).hits("gateway", behaviour.gateway_taken, f"{number}#{request}")

        return fault not in NOT_TAKEN


def read_note(path):
    """What a process said last; None where it said nothing."""
    return json.loads(path.read_text()) if path.exists() else None


def count(things):
    return dict(sorted(Counter(things).items()))
