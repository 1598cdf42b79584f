"""One run at a time: a campaign is held until its holder closes or dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline.journal
from pipeline.errors import CampaignHeld
from pipeline.journal import open_journal
from tests.journal.builders import CAMPAIGN, NOW, OTHER, begin_one, enlist, shard, states, take

HOLDER = """
import sys, time
from pipeline.journal import open_journal
journal = open_journal(sys.argv[1])
journal.hold(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_journal_object_may_not_hold_the_campaign(store):
    first, second = store.open(), store.open()
    first.hold(CAMPAIGN)

    with pytest.raises(CampaignHeld, match=CAMPAIGN) as caught:
        second.hold(CAMPAIGN)

    assert caught.value.exit_code == 7
    second.hold("another")


def test_closing_frees_the_campaign(store):
    first, second = store.open(), store.open()
    first.hold(CAMPAIGN)
    first.close()

    second.hold(CAMPAIGN)


def test_holding_lapses_the_leases_of_this_campaign_only(store):
    journal = store.open()
    enlist(journal, shard(0, rows=1))
    begin_one(journal, take(journal), 1)
    second = store.open()

    second.hold("another")
    assert second.take(CAMPAIGN, owner=OTHER, lease_seconds=1, now=NOW) is None

    second.hold(CAMPAIGN)
    assert take(second, owner=OTHER).settled == {1}
    assert states(second) == {"in_doubt": 1}


def test_the_holder_may_ask_again_without_losing_its_leases(journal):
    enlist(journal)
    journal.hold(CAMPAIGN)
    take(journal)

    journal.hold(CAMPAIGN)

    assert journal.take(CAMPAIGN, owner=OTHER, lease_seconds=1, now=NOW) is None


def test_a_campaign_may_be_held_before_it_is_enlisted(journal):
    journal.hold(CAMPAIGN)
    enlist(journal)

    assert take(journal).shard == 0


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the campaign."""
    url = f"sqlite:///{tmp_path}/journal.db"
    command = [sys.executable, "-c", HOLDER, url, CAMPAIGN]
    pipe, root = subprocess.PIPE, Path(pipeline.journal.__file__).parents[2]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=root) as process:
        assert process.stdout.readline() == b"held\n"
        yield process, url
        process.kill()


def test_a_campaign_held_by_another_process_is_refused(holder):
    _, url = holder
    journal = open_journal(url)

    with pytest.raises(CampaignHeld):
        journal.hold(CAMPAIGN)

    journal.close()


def test_the_kernel_frees_the_campaign_when_its_holder_is_killed(holder):
    process, url = holder
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    journal = open_journal(url)
    journal.hold(CAMPAIGN)
    journal.close()
