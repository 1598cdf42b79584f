"""Where promises fray: what is around a run changes while it runs."""

import os
import re
import signal
from pathlib import Path

import polars as pl
import pytest

from pipeline import tables
from pipeline.passing import own_name
from tests.crash.launch import simulating

from .shell import (
    CAMPAIGN,
    account,
    finish,
    ledger,
    listing,
    number,
    run,
    start,
    wait_until,
    write_campaign,
)

SEND = ("send", "campaign.toml", "--yes", "--json")
SLOW = CAMPAIGN.replace("rate = 2000", "rate = 40")


@pytest.fixture
def provider():
    with simulating("--faults", "latency=300") as url:
        yield url


def until_texts(url, count):
    wait_until(lambda: ledger(url)["messages"] >= count)


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


def test_rows_that_are_added_to_a_begun_campaign_are_pointed_to_another_name(folder, provider):
    """Both the run and its results say what to do, and doing it texts nobody again."""
    env = account(provider)
    assert run(folder, *SEND, env=env).code == 0
    write_campaign(folder, people=21)
    for command in (SEND, ("results", "campaign.toml"), ("reconcile", "campaign.toml")):
        refused = run(folder, *command, env=env)
        assert refused.code == 2
        said = refused.err + refused.out
        assert "its recipients (people.csv) have changed since: put them back as they were" in said
        assert "resume" not in said
        assert "texts everybody in the file" in said

    (exclude,) = re.findall(r"exclude = \[[^]]*\]", refused.err)
    more = CAMPAIGN.replace('"spring"', f'"spring-2"\n{exclude}')
    (folder / "more.toml").write_text(more)
    done = run(folder, "send", "more.toml", "--yes", "--json", env=env)
    assert done.json["states"] == {"accepted": 1, "skipped": 22}
    assert ledger(provider)["duplicate_handsets"] == []


def plan_of(folder):
    return pl.read_parquet(folder / "plan.parquet")


def test_an_estimate_of_another_plan_leaves_that_of_the_begun_campaign_alone(folder, provider):
    env, out = account(provider), folder / "out" / "spring"
    assert run(folder, *SEND, env=env).code == 0
    sent, before = plan_of(out), listing(out)
    write_campaign(folder, people=21)
    for style in ((), ("--json",), ("--quiet",)):
        dry = run(folder, "estimate", "campaign.toml", *style, env=env)
        assert dry.code == 0
        (said,) = [line for line in dry.sentences() if "has begun" in line]
        assert "its recipients (people.csv) have changed since" in said
        assert 'exclude = ["spring"]' in said
        assert "`bandcast send` will refuse this plan" in said
        assert "out/spring is for the one that was sent: not written" in said
        assert listing(out) == before

    assert dry.out == ""
    dry = run(folder, "estimate", "campaign.toml", "--json", "--texts", env=env)
    assert dry.json["messages"] == 21
    assert dry.json["begun_otherwise"] == {"changed": ["recipients"], "plan": None}
    assert len(dry.json["texts"]["first"]) == 10

    elsewhere = run(folder, "estimate", "campaign.toml", "--out", "new", "--json", env=env)
    assert plan_of(folder / "new").height == 23
    assert elsewhere.json["begun_otherwise"]["plan"] == "new/plan.parquet"
    assert "has begun" in elsewhere.err
    write_campaign(folder, people=20)
    same = run(folder, "estimate", "campaign.toml", "--json", env=env)
    assert (same.err, "begun_otherwise" in same.json) == ("", False)
    assert plan_of(out).equals(sent)


def test_a_folder_with_the_results_of_a_begun_campaign_keeps_its_plan(folder, provider):
    env = account(provider)
    assert run(folder, *SEND, "--out", "mine", env=env).code == 0
    before = listing(folder / "mine")
    write_campaign(folder, people=21)
    dry = run(folder, "estimate", "campaign.toml", "--out", "mine", env=env)
    assert "mine is for the one that was sent: not written" in dry.err
    assert listing(folder / "mine") == before
    assert not (folder / "out").exists()


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


def test_a_campaign_whose_files_are_gone_still_has_a_status_and_can_be_paused(folder, provider):
    env = account(provider)
    assert run(folder, *SEND, env=env).code == 0
    before = run(folder, "status", "campaign.toml", "--json", env=env).json
    (folder / "people.csv").unlink()
    (folder / "card.toml").unlink()
    after = run(folder, "status", "campaign.toml", "--json", env=env)
    assert (after.code, after.json) == (0, before)
    assert run(folder, "pause", "campaign.toml", "--because", "lost", env=env).code == 0
    assert "there is no file 'people.csv'" in run(folder, *SEND, env=env).err


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
