"""What only a file can promise: it is on the disk, it is private, and it says what is wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import pipeline.journal
from pipeline.errors import CampaignHeld, JournalError
from pipeline.journal import Budget, OverBudget, Permit, Spending, Sums, open_journal
from pipeline.journal.sqlite import STATEMENTS
from pipeline.journal.sqlite_file import APPLICATION_ID, SCHEMA_VERSION
from pipeline.model import AttemptId, InDoubt, NotSent
from tests.journal.builders import (
    CAMPAIGN,
    FAST,
    NOW,
    OTHER,
    accepted,
    begin,
    begin_one,
    enlist,
    enlistment,
    finish,
    intent,
    later,
    records,
    shard,
    states,
    take,
)

ROOT = Path(pipeline.journal.__file__).parents[2]
SENDER = """
import sys
from pipeline.journal import Budget, OverBudget, Permit, Spending, Sums, open_journal
from tests.journal.builders import begin_one, enlist, take
journal = open_journal(sys.argv[1])
enlist(journal)
begin_one(journal, take(journal), 1)
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path):
    journal = open_journal(f"sqlite:///{path}")
    yield journal
    journal.close()


def pragma(journal, name):
    return journal._file._execute(f"PRAGMA {name}").fetchone()[0]


# --- Durable -------------------------------------------------------------------------------------


def test_a_commit_waits_for_the_disk(journal):
    assert pragma(journal, "journal_mode") == "wal"
    assert pragma(journal, "synchronous") == 2  # FULL
    assert pragma(journal, "fullfsync") == 1


def test_a_connection_to_a_file_that_exists_waits_for_the_disk_too(journal, path):
    again = open_journal(f"sqlite:///{path}")

    assert pragma(again, "synchronous") == 2
    again.close()


def test_an_intent_survives_the_kill_of_its_process(path):
    command = [sys.executable, "-c", SENDER, f"sqlite:///{path}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT) as process:
        assert process.stdout.readline() == b"begun\n"
        os.kill(process.pid, signal.SIGKILL)

    journal = open_journal(f"sqlite:///{path}")
    assert states(journal) == {"sending": 1, "ready": 2}
    journal.hold(CAMPAIGN)
    assert take(journal, owner=OTHER).settled == {1}
    assert states(journal) == {"in_doubt": 1, "ready": 2}
    journal.close()


def test_everything_is_there_after_closing_and_opening(journal, path):
    enlist(journal)
    finish(journal, begin_one(journal, take(journal), 1), accepted())
    before = records(journal), journal.tally(CAMPAIGN), journal.enlistment(CAMPAIGN)
    journal.close()

    again = open_journal(f"sqlite:///{path}")
    assert (records(again), again.tally(CAMPAIGN), again.enlistment(CAMPAIGN)) == before
    again.close()


def test_many_processes_may_make_the_same_file_at_once(path):
    code = "from pipeline.journal import open_journal; open_journal('sqlite:///journal.db')"
    command, environment = [sys.executable, "-c", code], {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen(command, cwd=path.parent, env=environment) for _ in range(4)]

    assert [process.wait() for process in processes] == [0, 0, 0, 0]


def test_who_waits_to_write_is_not_passed_by_who_comes_back_at_once(journal, path):
    """SQLite's own waiting would let a busy receiver write hundreds of times before a sender."""
    busy, turns = open_journal(f"sqlite:///{path}"), []
    is_over = threading.Event()

    def come_back():
        while not is_over.is_set():
            with busy.transaction():
                busy.suppress([f"+1919555{len(turns):04}"], source="test", because="", now=NOW)
                turns.append("busy")
                time.sleep(0.01)

    thread = threading.Thread(target=come_back)
    thread.start()
    passed = []
    try:
        while len(turns) < 3:
            time.sleep(0.001)

        for _ in range(10):
            before = len(turns)
            with journal.transaction():
                passed.append(len(turns) - before)
    finally:
        is_over.set()
        thread.join()
        busy.close()

    assert max(passed) <= 2, passed


def test_a_renewed_lease_does_not_write_the_shard_again(journal, path):
    enlist(journal, shard(rows=3))
    journal._file.run("add_payload", 1, 99, os.urandom(1_000_000))
    grant = take(journal)
    journal._file._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    for row in (1, 2, 3):
        begin_one(journal, grant, row)

    assert path.with_name("journal.db-wal").stat().st_size < 200_000


# --- Private -------------------------------------------------------------------------------------


def test_nobody_but_the_owner_may_read_any_of_the_files(journal, path):
    enlist(journal)
    journal.hold(CAMPAIGN)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert {"journal.db", "journal.db-wal", "journal.db-shm"} < set(modes)
    assert sum(name.endswith(".lock") for name in modes) == 2  # the campaign's, and the turn's
    assert set(modes.values()) == {0o600}


def test_the_name_of_a_lock_does_not_tell_the_campaign(journal, path):
    journal.hold("secret launch/../x")

    assert [each.name for each in path.parent.glob("*.lock")] != []
    assert not [each for each in path.parent.rglob("*") if "launch" in each.name]


def test_two_names_of_one_file_share_its_locks(journal, path, tmp_path):
    journal.hold(CAMPAIGN)
    (tmp_path / "link.db").symlink_to(path)
    other = open_journal(f"sqlite:///{tmp_path}/link.db")

    with pytest.raises(CampaignHeld):
        other.hold(CAMPAIGN)

    other.close()


# --- Broken --------------------------------------------------------------------------------------


def refusal(url_path: Path) -> str:
    with pytest.raises(JournalError) as caught:
        open_journal(f"sqlite:///{url_path}")

    sentence = str(caught.value)
    assert str(url_path) in sentence
    assert "\n" not in sentence
    return sentence


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"to,name\n+19195550123,Ana\n" * 100)

    assert "no journal of bandcast" in refusal(path)


def test_the_database_of_another_program_is_refused_and_left_alone(path):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmark (id INTEGER)")
    other.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    other.close()
    before = path.read_bytes()

    assert "another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_bandcast_is_refused(journal, path):
    journal._file._execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    assert f"schema {SCHEMA_VERSION + 1}" in refusal(path)
    assert pragma(journal, "application_id") == APPLICATION_ID


def tally_of(path):
    with closing(open_journal(f"sqlite:///{path}")) as again:
        return again.tally(CAMPAIGN)


def test_a_damaged_journal_says_so(journal, path):
    enlist(journal, shard(rows=3))
    journal._file._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    journal.close()
    pages = bytearray(path.read_bytes())
    pages[4096:] = os.urandom(len(pages) - 4096)
    path.write_bytes(pages)

    with pytest.raises(JournalError, match="damaged"):
        tally_of(path)


def test_a_directory_that_does_not_exist_says_so(tmp_path):
    assert "No such file or directory" in refusal(tmp_path / "missing" / "journal.db")


def test_a_directory_instead_of_a_file_says_so(tmp_path):
    assert "Is a directory" in refusal(tmp_path)


@pytest.fixture
def ordinary_user():
    """Permissions do not bind root: the test goes on as nobody."""
    if os.geteuid() == 0:
        os.seteuid(65_534)
        yield
        os.seteuid(0)
    else:
        yield


@pytest.fixture
def read_only_directory():
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o555)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


def test_a_read_only_directory_says_so(read_only_directory, ordinary_user):
    assert "Permission denied" in refusal(read_only_directory / "journal.db")


def test_a_full_disk_says_so_and_keeps_what_was_recorded(journal):
    enlist(journal, shard(rows=3))
    grant = take(journal)
    begin_one(journal, grant, 1)
    pages = pragma(journal, "page_count")
    journal._file._execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(JournalError, match="disk is full"):
        begin(journal, grant, *(intent(row, key=f"{row:0200}") for row in range(2, 500)))

    assert states(journal) == {"sending": 1, "ready": 2}
    assert begin_one(journal, grant, 2).number == 1


def test_a_journal_locked_by_another_program_says_so(journal, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal._file._execute("PRAGMA busy_timeout = 50")

    with pytest.raises(JournalError, match="locked by another program"):
        enlist(journal)

    other.execute("ROLLBACK")
    other.close()
    enlist(journal)


GONE = {
    "removed": lambda path: path.unlink(),
    "moved away": lambda path: path.rename(path.with_name("elsewhere.db")),
    "replaced": lambda path: (
        shutil.copy(path, new := path.with_name("new.db")) and new.replace(path)
    ),
    "its log removed": lambda path: path.with_name(f"{path.name}-wal").unlink(),
}


@pytest.mark.parametrize("go", GONE.values(), ids=GONE)
def test_a_journal_that_was_taken_away_records_nothing_more(journal, path, go):
    """What went into a file without a name would be texted again by the next run."""
    enlist(journal)
    grant = take(journal)
    go(path)

    with pytest.raises(
        JournalError, match="removed or replaced while it was in use: put them back"
    ):
        begin(journal, grant, intent(1))


def test_a_closed_journal_says_so(journal):
    journal.close()

    with pytest.raises(JournalError, match="closed"):
        journal.campaigns()


# --- Earlier layouts -----------------------------------------------------------------------------


@pytest.fixture
def earlier(path):
    """The file of a bandcast that knew no budget."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((ROOT / "tests" / "data" / "journal_2.sql").read_text())

    return path


def test_a_journal_from_before_budgets_opens_with_all_it_knew_and_counts_its_money(earlier):
    journal = open_journal(f"sqlite:///{earlier}")
    assert states(journal) == {"delivered": 1, "in_doubt": 1, "rejected": 1, "ready": 1}
    spent = journal.spending(CAMPAIGN, account=FAST.account, now=NOW)
    assert spent == Spending(Sums(in_doubt=8_300, spent=8_300), Sums())

    grant = take(journal, owner=OTHER)
    assert grant.settled == {1, 2, 3}
    budget = Budget(campaign_micros=20_000)
    (over,) = begin(journal, grant, intent(4, cost_micros=8_300), budget=budget)
    assert over == OverBudget(row=4, budget="campaign")
    finish(journal, AttemptId(run="r7k2", row=2, number=1), NotSent(reason="late"))
    (permit,) = begin(journal, grant, intent(4, cost_micros=8_300), budget=budget)
    assert isinstance(permit, Permit)
    journal.close()
    open_journal(f"sqlite:///{earlier}").close()


def test_an_earlier_layout_becomes_the_one_that_a_new_file_has(earlier, tmp_path):
    def layout(path):
        open_journal(f"sqlite:///{path}").close()
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
            return [
                (table, connection.execute(f"PRAGMA table_info('{table}')").fetchall())
                for (table,) in tables
            ]

    assert layout(earlier) == layout(tmp_path / "new.db")


# --- The statements ------------------------------------------------------------------------------


def test_every_statement_has_a_sentence_and_is_used():
    sources = Path(pipeline.journal.__file__).parent.glob("sqlite*.py")
    used = set(re.findall(r"\"(\w+)\"", "\n".join(each.read_text() for each in sources)))

    assert set(STATEMENTS) - used == set()
    assert [name for name, text in STATEMENTS.items() if not re.match(r"-- [A-Z]", text)] == []


def test_a_journal_from_before_left_out_people_were_kept_keeps_them_from_now_on(earlier):
    with closing(open_journal(f"sqlite:///{earlier}")) as journal:
        assert journal.left_out(CAMPAIGN) is None
        journal.enlist(enlistment(campaign="summer", run="r2"), [shard()], left_out=b"ann")
        assert pragma(journal, "user_version") == SCHEMA_VERSION

    with closing(open_journal(f"sqlite:///{earlier}")) as again:
        assert again.left_out("summer") == b"ann"


@pytest.mark.parametrize("moment", [0, 1, 2])
def test_an_attempt_that_is_begun_while_the_doubts_are_read_is_there_whole_or_not(
    journal, path, moment
):
    """Between any two statements of the reading; the attempt is another process's."""
    enlist(journal)
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), InDoubt(reason="no answer"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=NOW)
    statements = []

    def act(statement):
        if len(statements) == moment:
            with closing(open_journal(f"sqlite:///{path}")) as other:
                begin_one(other, grant, 1, now=later(9))

        statements.append(statement)

    journal._file._connection.set_trace_callback(act)
    (doubt,) = journal.doubts()
    journal._file._connection.set_trace_callback(None)
    assert (doubt.attempts, doubt.begun_at) in {(1, (NOW,)), (2, (NOW, later(9)))}
