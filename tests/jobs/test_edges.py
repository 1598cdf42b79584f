"""Where promises fray: what is around a run changes while it runs."""

import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from pipeline import tables
from pipeline.passing import own_name
from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, finish, ledger, number, run, start, write_campaign

SEND = ("send", "campaign.toml", "--yes", "--json")
SLOW = CAMPAIGN.replace("rate = 2000", "rate = 40")


@pytest.fixture
def provider():
    with simulating("--faults", "latency=300") as url:
        yield url


def until_texts(url, count):
    deadline = time.monotonic() + 20
    while ledger(url)["messages"] < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_reports_its_own_plan_whatever_is_estimated_beside_it(folder, provider):
    write_campaign(folder, people=100, text=SLOW)
    with start(folder, *SEND, env=account(provider)) as sending:
        until_texts(provider, 10)
        write_campaign(folder, people=7, text=SLOW)
        assert run(folder, "estimate", "campaign.toml").code == 0
        done = finish(sending)

    assert done.code == 0, done.err
    assert done.json["states"] == {"accepted": 100, "skipped": 2}
    results = pl.read_parquet(folder / "out" / "spring" / "results.parquet")
    assert set(results.filter(state="accepted")["to"]) == {
        number for text in ledger(provider)["texts"] for number in text["to"]
    }


def test_a_terminal_that_goes_away_is_a_clean_stop(folder, provider):
    write_campaign(folder, people=100, text=SLOW)
    with start(folder, *SEND, env=account(provider)) as sending:
        until_texts(provider, 10)
        sending.send_signal(signal.SIGHUP)
        done = finish(sending)

    assert done.code == 5, done.err
    assert set(done.json["states"]) == {"accepted", "ready", "skipped"}
    assert done.json["states"]["accepted"] == ledger(provider)["messages"]


def test_a_file_that_changes_while_it_is_read_is_refused(folder, monkeypatch):
    """Its columns are read in two passes: names of one file must not meet numbers of another."""
    from datetime import date

    from pipeline.drafts import drafted
    from pipeline.errors import InputError
    from pipeline.settings import Options, load_settings

    settings = load_settings(folder / "campaign.toml", Options())
    write_parquet = tables.write_parquet

    def write_while_a_new_export_arrives(frame, path):
        write_parquet(frame, path)
        write_campaign(folder, people=21)

    monkeypatch.setattr(tables, "write_parquet", write_while_a_new_export_arrives)
    before = {path.name for path in folder.iterdir()}
    with (
        pytest.raises(InputError, match="changed while it was read"),
        drafted(settings, folder / "out", on=date(2026, 11, 21)),
    ):
        pass

    assert {path.name for path in folder.iterdir()} == before


def test_another_name_for_a_changed_campaign_is_said_to_text_everybody_again(folder, provider):
    env = account(provider)
    assert run(folder, *SEND, env=env).code == 0
    write_campaign(folder, people=21)
    refused = run(folder, *SEND, env=env)
    assert refused.code == 2
    assert "different recipients" in refused.err
    assert "texts everybody in the file" in refused.err


def test_results_are_not_written_over_the_recipients(folder):
    people = (folder / "people.csv").read_text()
    (folder / "results.csv").write_text(people)
    text = CAMPAIGN.replace("people.csv", "results.csv")
    (folder / "campaign.toml").write_text(text)
    refused = run(folder, "estimate", "campaign.toml", "--out", ".")
    assert refused.code == 2
    assert "written over" in refused.err
    assert (folder / "results.csv").read_text() == people


#: What names of this machine's passing files have before the process.
HOST = own_name("").removeprefix("..").partition(f"-{os.getpid()}-")[0]


@pytest.mark.parametrize("name", ["plan.parquet", "results.parquet", "results.csv"])
def test_what_a_killed_run_left_in_its_folder_is_removed_by_the_next(folder, name):
    out = folder / "out" / "spring"
    out.mkdir(parents=True)
    with start(folder, "--version") as ended:
        ended.communicate()

    stale = [out / f".{name}.{HOST}-{ended.pid}-0123abcd.passing"]
    stale += [
        out / f".{stale[0].name}.{HOST}-{ended.pid}-4567cdef.passing"
    ]  # one that was being written
    kept = [
        out / f".{name}.{HOST}-1-0123abcd.passing",  # of a process that is alive
        out / f".{name}.{HOST}-{ended.pid}-0123abcd.passing.bak",
        out / f".{name}.{HOST}-{ended.pid}-0123abc.passing",
        out / f".{name}.{ended.pid}.parquet",
        out / f".{name}.00000000-{ended.pid}-0123abcd.passing",  # another machine's, alive or not
        out / f".plan-{ended.pid}.parquet-of-mine",
    ]
    for path in (*stale, *kept):
        path.touch()

    assert run(folder, "estimate", "campaign.toml").code == 0
    assert [path for path in (*stale, *kept) if path.exists()] == kept


@pytest.mark.parametrize("rest", [(), ("spring",)])
def test_the_status_of_a_folder_without_a_journal_is_one_sentence(tmp_path, rest):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "simulation-.db").touch()  # nothing is asked about a campaign of no name
    asked = run(tmp_path, "status", *rest)
    assert asked.code == 2
    (sentence,) = asked.sentences()
    assert "there is no journal at" in sentence
    assert "bandcast.db yet" in sentence


def test_results_written_again_leave_out_whom_the_send_left_out(folder, provider):
    env = account(provider)
    barred = number(3)
    assert run(folder, "suppress", "add", barred, "--because", "asked", env=env).code == 0
    sent = run(folder, *SEND, env=env)
    assert sent.json["states"] == {"accepted": 19, "skipped": 3}
    assert barred not in {to for text in ledger(provider)["texts"] for to in text["to"]}
    again = run(folder, "results", "campaign.toml", "--json", env=env)
    assert again.json["states"] == sent.json["states"]


def test_letters_that_the_terminal_lacks_are_question_marks_and_end_nothing(folder):
    write_campaign(folder)
    (folder / "people.csv").write_text(f"name,phone,imi\u0119\nAda,{number(0)},Ada\n")
    asked = finish(start(folder, "estimate", "campaign.toml", env={"PYTHONIOENCODING": "ascii"}))
    assert asked.code == 0, asked.err
    assert "name, phone, imi?" in asked.out
    assert "####" in asked.out


@pytest.mark.parametrize("style", [(), ("--json",)])
def test_output_that_has_no_room_is_a_sentence(folder, style):
    write_campaign(folder)
    with Path("/dev/full").open("w") as full:
        ended = finish(start(folder, "estimate", "campaign.toml", *style, stdout=full))

    assert ended.code == 1
    (sentence,) = ended.sentences()
    assert "No space left" in sentence
    assert "defect" not in sentence
