"""The power fails: whatever the disk then holds, the journal knows all that it had acknowledged.

The journal that runs, on a disk that remembers (`disk.py`). At every write and every fsync the
power is cut, and the files are put together again as a disk may leave them: each of them opens, and
is exactly what it was after the last call that had returned, or after the one that was running.
"""

import random
from contextlib import closing, contextmanager
from itertools import count

import anyio
import pytest

from pipeline.errors import JournalError
from pipeline.journal import Permit
from pipeline.journal.sqlite import SqliteJournal
from pipeline.journal.sqlite_file import SqliteFile
from pipeline.model import Accepted, InDoubt, NotSent, ReceiptKind, Rejected
from tests.crash.disk import Disk, after_power_loss, cuts
from tests.dispatch import stage
from tests.journal import builders
from tests.journal.builders import begin, begin_one, enlist, finish, intent, later, shard, take

#: The log is copied into the database that often, so that a short life sees it many times.
PAGES_OF_LOG = 12


def opened(folder):
    journal = SqliteJournal(folder / "journal.db")
    journal._file._execute(f"PRAGMA wal_autocheckpoint = {PAGES_OF_LOG}")
    return journal


def content(journal):
    """Every row of every table."""
    (*names,) = journal._file._execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    )
    return {name: journal._file._execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def live(folder, disk):
    """A journal's whole life; after each call a mark says what the journal then holds."""
    journal = opened(folder)
    disk.mark(content(journal))

    def said(_=None):
        disk.mark(content(journal))

    said(enlist(journal, shard(0, rows=30), shard(1, rows=30)))
    journal.hold(builders.CAMPAIGN)
    said(grant := take(journal))
    for start in range(1, 25, 6):
        answers = begin(journal, grant, *(intent(row) for row in range(start, start + 6)))
        said()
        outcomes = (
            Accepted(message_id=f"id-{start}", segments_billed=1),
            Rejected(http_status=400, error="x" * 3_000),
            NotSent(reason="connect refused"),
            InDoubt(reason="read timeout"),
        )
        for answer, outcome in zip(answers, outcomes, strict=False):
            said(finish(journal, answer.attempt, outcome))

    said(begin_one(journal, grant, 3))
    receipt = builders.receipt(ReceiptKind.DELIVERED, message_id="id-1")
    said(builders.receive(journal, receipt))
    said(journal.suppress(["+19195550123"], source="operator", because="b", now=later(3)))
    said(journal.release(builders.CAMPAIGN, [4, 10], by="ana", because="b", now=later(4)))
    journal.close()  # the log goes into the database, and away
    journal = opened(folder)
    said(grant := take(journal, owner=builders.OTHER, now=later(90)))
    said(begin(journal, grant, *(intent(row, to=("+19195550124",)) for row in range(31, 45))))
    said(journal.lift(["+19195550123"], by="ana", because="b", now=later(95)))
    said(journal.leave(grant))
    journal.close()


@contextmanager
def found(folder, files):
    """The journal that somebody opens after the power has come back."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)

    with closing(opened(folder)) as journal:
        journal._file._execute("PRAGMA synchronous = OFF")  # this one may be lost
        yield journal


def lost(folder, events, dice):
    """Cut the power everywhere; yield (where, what was found) wherever something was lost."""
    numbers = count()
    known = [(index, event.name) for index, event in enumerate(events) if event.kind == "mark"]
    for index, cut in cuts(events):
        before = [what for place, what in known if place < index]
        after = [what for place, what in known if place >= index]
        if not before:
            continue  # no call has returned yet

        for files in after_power_loss(cut, dice):
            with found(folder / str(next(numbers)), files) as journal:
                (sound,) = journal._file._execute("PRAGMA integrity_check").fetchone()
                if sound != "ok" or content(journal) not in (before[-1], *after[:1]):
                    yield index, sound

    assert next(numbers) > 500, "the power was hardly ever cut"


def remembered(folder, life):
    folder.mkdir()
    with Disk(folder) as disk:
        life(folder, disk)

    return disk.events


def test_nothing_that_was_acknowledged_is_lost_when_the_power_is_cut(tmp_path):
    events = remembered(tmp_path / "disk", live)
    kinds = {(event.kind, str(event.name).rpartition("-")[2]) for event in events}
    assert {("sync", "wal"), ("sync", "journal.db"), ("delete", "wal")} <= kinds

    assert list(lost(tmp_path, events, random.Random(1))) == []


def test_a_disk_that_cannot_keep_a_log_is_refused(tmp_path):
    """A rollback journal whose deletion is lost in a power cut takes back what was committed."""
    with (
        Disk(tmp_path, shares_memory=False),
        pytest.raises(JournalError, match="keep it on a local disk"),
    ):
        SqliteJournal(tmp_path / "journal.db")


def test_the_proof_can_fail_a_journal_that_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    """The mutant `normal`: synchronous=NORMAL leaves a commit to the operating system."""
    execute = SqliteFile._execute

    def mutated(self, statement, *values):
        return execute(
            self, statement.replace("synchronous = FULL", "synchronous = NORMAL"), *values
        )

    monkeypatch.setattr(SqliteFile, "_execute", mutated)
    events = remembered(tmp_path / "disk", live)

    assert next(lost(tmp_path, events, random.Random(1)), None) is not None


def test_the_proof_can_fail_a_disk_whose_fsync_of_the_database_does_nothing(tmp_path):
    """Then the log is thrown away before what it says is safe."""
    events = remembered(tmp_path / "disk", live)
    lied = [event for event in events if (event.kind, event.name) != ("sync", "journal.db")]

    assert next(lost(tmp_path, lied, random.Random(1)), None) is not None


# --- A run ---------------------------------------------------------------------------------------

MESSAGES = 40
ANSWERS = {
    stage.number_of(row): [answer]
    for row in range(1, MESSAGES + 1)
    if (answer := {0: InDoubt(reason="reset"), 1: Rejected(http_status=400)}.get(row % 7))
}


class Provider(stage.ScriptedProvider):
    """Marks on the disk when a message reached it."""

    def __init__(self, disk):
        super().__init__(ANSWERS)
        self._disk = disk

    async def send(self, message, *, tag):
        self._disk.mark(message.row)
        return await super().send(message, tag=tag)


def run(folder, disk):
    """A worker sends a campaign; a mark says which message was POSTed when."""
    journal = opened(folder)
    stage.enlist(journal, MESSAGES)

    async def send():
        async with stage.working(journal, Provider(disk), rate=400.0) as working:
            await working.worker.run()

    anyio.run(send)
    journal.close()


def permitted(journal):
    """Send the whole campaign again: the rows that get a permit."""
    journal.hold(stage.CAMPAIGN)
    rows, now = set(), later(3_600 * 24 * 365)
    while grant := journal.take(stage.CAMPAIGN, owner="next", lease_seconds=60, now=now):
        every = [intent(row, key=f"key-{row}") for row in range(1, MESSAGES + 1)]
        rows |= {
            answer.attempt.row
            for answer in begin(journal, grant, *every, now=now)
            if isinstance(answer, Permit)
        }

    return rows


def test_what_was_posted_before_a_power_cut_is_never_posted_again(tmp_path):
    events, dice, numbers = remembered(tmp_path / "disk", run), random.Random(2), count()
    for index, cut in cuts(events):
        posted = {event.name for event in events[:index] if event.kind == "mark"}
        if not posted:
            continue

        for files in after_power_loss(cut, dice, draws=1):
            with found(tmp_path / str(next(numbers)), files) as journal:
                assert posted.isdisjoint(permitted(journal)), f"power cut after event {index}"

    assert posted == set(range(1, MESSAGES + 1))
    assert next(numbers) > 200, "the power was hardly ever cut"
