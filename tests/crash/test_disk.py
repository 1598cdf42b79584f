"""The disk fails during a run, at every single write: what cannot be recorded is not POSTed.

First in process, below the real journal, committer and worker (`disk.py`), at each write in turn;
then `bandcast send` itself on a real file system that is too small.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from itertools import takewhile

import anyio
import pytest

from pipeline.errors import JournalError
from pipeline.journal.sqlite import SqliteJournal
from pipeline.lifecycle import MessageState
from tests.crash.disk import FULL, IO_ERROR_FSYNC, IO_ERROR_WRITE, READ_ONLY, Disk
from tests.crash.launch import simulating
from tests.dispatch import stage
from tests.jobs.shell import CAMPAIGN, account, finish, ledger, listing, run, start, write_campaign

MESSAGES = 12
ERRORS = {
    "full": (FULL, "disk is full"),
    "broken": (IO_ERROR_WRITE, "disk reports an error"),
    "without fsync": (IO_ERROR_FSYNC, "disk reports an error"),
    "read-only": (READ_ONLY, "may not be written"),
}


def send(journal, provider, owner):
    """Send the campaign; returns what the journal complained about."""

    async def run():
        async with stage.working(journal, provider, rate=500.0, owner=owner) as working:
            await working.worker.run()

    complaints = []
    try:
        anyio.run(run)
    except* JournalError as group:
        complaints += map(str, group.exceptions)

    return complaints


def fail_at(place, error, sentence, folder, *, lasting):
    """Let the disk fail at a write of a run, then run again; True where the run came so far."""
    folder.mkdir()
    provider = stage.ScriptedProvider(seconds=0.005)
    with Disk(folder, error=error) as disk:
        with closing(SqliteJournal(folder / "journal.db")) as journal:
            stage.enlist(journal, MESSAGES, shard_rows=5)
            place += disk.asked
            disk.failing = range(place, sys.maxsize if lasting else place + 1)
            complaints = send(journal, provider, "first")
            disk.failing = range(0)

        assert all(sentence in complaint for complaint in complaints)
        posted = list(provider.posts)
        with closing(SqliteJournal(folder / "journal.db")) as journal:
            journal.hold(stage.CAMPAIGN)
            assert set(posted) <= tried(journal), "a message was POSTed that nobody wrote down"
            assert send(journal, provider, "second") == []
            states = journal.tally(stage.CAMPAIGN).states

    assert max(Counter(provider.posts).values()) == 1, "somebody got two"
    assert set(states) <= {MessageState.ACCEPTED, MessageState.IN_DOUBT}
    assert sum(states.values()) == MESSAGES
    assert states.get(MessageState.ACCEPTED, 0) >= len(provider.posts) - len(posted)
    return bool(complaints)


def tried(journal):
    return {
        stage.number_of(record.row)
        for page in journal.rows(stage.CAMPAIGN)
        for record in page
        if record.state != MessageState.READY
    }


def fail_everywhere(folder, name, *, lasting, step=1):
    error, sentence = ERRORS[name]
    places = range(0, 1_000, step)
    failed = (fail_at(at, error, sentence, folder / str(at), lasting=lasting) for at in places)
    failures = sum(1 for _ in takewhile(bool, failed))
    assert failures > 3, "the disk hardly ever failed"


@pytest.mark.parametrize(
    ("name", "lasting"),
    [("full", True), ("broken", False), ("without fsync", False), ("read-only", True)],
)
def test_a_disk_that_fails_never_lets_a_message_go_unrecorded(tmp_path, name, lasting):
    fail_everywhere(tmp_path, name, lasting=lasting, step=7)


@pytest.mark.long
@pytest.mark.parametrize("lasting", [True, False], ids=["for good", "once"])
@pytest.mark.parametrize("name", ERRORS)
def test_a_disk_that_fails_at_any_write_never_lets_a_message_go_unrecorded(tmp_path, name, lasting):
    fail_everywhere(tmp_path, name, lasting=lasting)


# --- A real file system --------------------------------------------------------------------------

PEOPLE = 150
#: The end of a send asks no listing: these tests look at its doubts.
UNSETTLED = CAMPAIGN + "[settling]\nseconds = []\n"
NO_ROOM = "cannot grow, because its disk is full: make room, then run again"


class SmallDisk:
    """A file system of its own, of a few MB."""

    def __init__(self, folder):
        self.folder, self._filler = folder, folder / "filler"

    def fill(self):
        """Take all the room that is left, byte for byte."""
        with (
            self._filler.open("ab", buffering=0) as filler,
            pytest.raises(OSError, match="No space left"),
        ):
            write_for_ever(filler)

    def make_room(self):
        self._filler.unlink()

    def mount(self, *options):
        mount(*options, str(self.folder))


def write_for_ever(file):
    while True:
        file.write(bytes(256))


def mount(*arguments):
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    done = subprocess.run([*sudo, "mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    owner = f"uid={os.getuid()},gid={os.getgid()},mode=0700"
    mount("-t", "tmpfs", "-o", f"size=3m,{owner}", "bandcast", str(folder))
    yield SmallDisk(folder)
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*sudo, "umount", str(folder)], check=True)


def wait_for_texts(url, count):
    deadline = time.monotonic() + 30
    while ledger(url)["messages"] < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_send_whose_disk_is_full_stops_and_goes_on_when_there_is_room(tmp_path, small_disk):
    write_campaign(tmp_path, people=PEOPLE, text=UNSETTLED)
    with simulating("--faults", "latency=30") as url:
        env = account(url, BANDCAST_JOURNAL=f"sqlite:///{small_disk.folder / 'journal.db'}")
        arguments = ("send", "campaign.toml", "--yes", "--json")
        sending = start(tmp_path, *arguments, "--rate", "40", env=env)
        wait_for_texts(url, 5)
        small_disk.fill()
        stopped = finish(sending)
        texts = ledger(url)["messages"]
        assert texts < PEOPLE, "it went on without a journal"
        again = run(tmp_path, *arguments, env=env)
        assert ledger(url)["messages"] == texts

        small_disk.make_room()
        resumed = run(tmp_path, *arguments, env=env)
        told = ledger(url)

    for end in (stopped, again):
        assert (end.code, end.json["exit_code"]) == (1, 1)
        assert end.sentences()[-1].endswith(NO_ROOM)
        assert len(end.sentences()) == 1

    assert told["duplicate_handsets"] == []
    states = resumed.json["states"]
    assert resumed.code == (6 if states.get("in_doubt") else 0)
    assert (
        states.get("accepted", 0) + states.get("delivered", 0) + states.get("in_doubt", 0) == PEOPLE
    )
    assert states.get("in_doubt", 0) <= 8  # what the lanes had in flight
    assert told["messages"] >= PEOPLE - states.get("in_doubt", 0)


def test_a_send_whose_journal_is_moved_away_stops_and_goes_on_when_it_is_back(tmp_path):
    """Else it would go on into a file that the next run does not find, and text everybody again."""
    write_campaign(tmp_path, people=PEOPLE, text=UNSETTLED)
    journal, elsewhere = tmp_path / "journal.db", tmp_path / "elsewhere.db"
    with simulating("--faults", "latency=30") as url:
        arguments = ("send", "campaign.toml", "--yes", "--json")
        sending = start(tmp_path, *arguments, "--rate", "40", env=account(url))
        wait_for_texts(url, 5)
        journal.rename(elsewhere)
        stopped = finish(sending)
        assert ledger(url)["messages"] < PEOPLE, "it went on without a journal"

        elsewhere.rename(journal)
        resumed = run(tmp_path, *arguments, env=account(url))
        told = ledger(url)

    assert (stopped.code, stopped.json["exit_code"]) == (1, 1)
    assert "was removed or replaced while it was in use" in stopped.sentences()[-1]
    assert resumed.code in (0, 6)
    assert resumed.json["states"].get("ready", 0) == 0
    assert told["duplicate_handsets"] == []


def test_two_runs_whose_lock_was_deleted_text_nobody_twice(tmp_path):
    """The lock keeps two runs apart; without it the tokens of the shards do."""
    write_campaign(tmp_path, people=PEOPLE, text=UNSETTLED)
    with simulating("--faults", "latency=30") as url:
        arguments = ("send", "campaign.toml", "--yes", "--json")
        first = start(tmp_path, *arguments, "--rate", "60", env=account(url))
        wait_for_texts(url, 5)
        locks = [path for path in tmp_path.glob("journal.db.*.lock") if "turn" not in path.name]
        assert len(locks) == 1
        locks[0].unlink()
        second = run(tmp_path, *arguments, "--rate", "60", env=account(url))
        ended = finish(first)
        third = run(tmp_path, *arguments, env=account(url))
        told = ledger(url)

    assert told["duplicate_handsets"] == []
    assert {first.returncode, second.code, third.code} <= {0, 5, 6}
    assert ended.code == first.returncode
    assert told["messages"] >= PEOPLE - third.json["states"].get("in_doubt", 0)


def test_a_disk_that_may_not_be_written_sends_nothing_and_says_so(tmp_path, small_disk):
    write_campaign(tmp_path, people=PEOPLE, text=UNSETTLED)
    with simulating() as url:
        env = account(url, BANDCAST_JOURNAL=f"sqlite:///{small_disk.folder / 'journal.db'}")
        small_disk.mount("-o", "remount,ro")
        ended = run(tmp_path, "send", "campaign.toml", "--yes", "--json", env=env)
        assert ledger(url)["messages"] == 0

    assert (ended.code, ended.json["exit_code"]) == (1, 1)
    (sentence,) = ended.sentences()
    assert "journal.db" in sentence


@pytest.mark.parametrize("command", ["estimate", "send", "results"])
def test_files_that_do_not_fit_leave_the_earlier_ones_whole(tmp_path, small_disk, command):
    write_campaign(tmp_path, people=PEOPLE, text=UNSETTLED)
    out = small_disk.folder / "out"
    with simulating() as url:
        env = account(url, BANDCAST_JOURNAL=f"sqlite:///{tmp_path / 'journal.db'}")
        campaign = ("campaign.toml", "--out", out)
        assert run(tmp_path, "send", *campaign, "--yes", env=env).code == 0
        before = listing(out)
        small_disk.fill()
        options = ("--yes",) if command == "send" else ()
        ended = run(tmp_path, command, *campaign, *options, env=env)
        told = ledger(url)

    assert ended.code == 2
    assert "No space left on device" in ended.sentences()[-1]
    assert listing(out) == before
    assert told["messages"] == PEOPLE
    assert told["duplicate_handsets"] == []
