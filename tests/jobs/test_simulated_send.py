"""Send without a provider: the result table adds up, and the exit code says how it ended."""

import json
import signal
import time
from collections import Counter

import polars as pl
import pytest

from pipeline.prepare.columns import PLAN_COLUMNS, RESULT_COLUMNS
from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, finish, listing, run, start, tried, wait_until, write_campaign

SEND = ("send", "campaign.toml", "--simulate", "--yes")

ESTIMATED = ["campaign", "rows", "messages", "skipped", "encodings", "segments", "cost",
             "budget", "seconds_at_rate", "breakdown", "dearest", "advice", "fingerprint",
             "file"]  # fmt: skip
SENT = ["states", "in_doubt", "doubts", "duration_seconds", "achieved_segments_per_second"]
#: Beyond the contract.
MORE = ["cost_of_results", "drift", "simulated", "stopped", "messages_left",
        "spending", "results"]  # fmt: skip


def results(folder):
    return pl.read_parquet(folder / "out" / "spring" / "results.parquet")


def test_a_real_process_ends_with_one_document_that_adds_up(folder):
    done = run(folder, *SEND, "--json")
    assert done.code == 0
    assert list(done.json) == [*ESTIMATED, *SENT, *MORE]
    assert done.json["states"] == {"delivered": 20, "skipped": 2}
    assert sum(done.json["states"].values()) == done.json["rows"] == 22
    assert done.json["in_doubt"] == 0
    assert 0 < done.json["duration_seconds"] < 20
    assert done.json["cost_of_results"] == done.json["cost"]["total"] == 0.08
    assert done.json["simulated"] is True


def test_results_have_every_row_in_order_and_the_columns_of_the_contract(bandcast, folder):
    assert bandcast(*SEND, "--quiet").code == 0
    table, given = results(folder), pl.read_csv(folder / "people.csv")
    assert tuple(table.columns) == (*PLAN_COLUMNS, *RESULT_COLUMNS, "name", "phone")
    assert table["row"].to_list() == list(range(1, 23))
    assert table["phone"].to_list() == given["phone"].to_list()
    assert Counter(table["state"]) == {"delivered": 20, "skipped": 2}
    assert not (table["state"].eq("skipped") ^ table["reason"].is_not_null()).any()
    as_csv = pl.read_csv(folder / "out" / "spring" / "results.csv", infer_schema=False)
    assert as_csv.columns == table.columns
    assert as_csv["to"].to_list() == table["to"].to_list()


def test_a_person_reads_what_it_will_cost_how_it_went_and_what_to_do_next(bandcast):
    done = bandcast(*SEND)
    assert done.code == 0
    for said in ("0.08 USD", "delivered", "simulated", "results.parquet", "Next", "--simulate"):
        assert said in done.out


def test_quiet_says_nothing_at_all(bandcast):
    done = bandcast(*SEND, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_finished_simulation_starts_over(bandcast, folder):
    first = bandcast(*SEND, "--json")
    then = results(folder)["accepted_at"].max()
    second = bandcast(*SEND, "--json")
    assert (first.code, second.code) == (0, 0)
    assert second.json["states"] == first.json["states"]
    assert results(folder)["accepted_at"].min() > then, "the second one sent nothing"


def test_a_run_too_short_to_have_a_rate_says_none(bandcast, folder):
    write_campaign(folder, people=5)
    shown, document = bandcast(*SEND), bandcast(*SEND, "--json").json
    assert "Results of" in shown.out
    assert "segments/s achieved" not in shown.out
    assert document["achieved_segments_per_second"] is None


def test_a_changed_campaign_is_simulated_anew(bandcast, folder):
    assert bandcast(*SEND, "--quiet").code == 0
    (folder / "campaign.toml").write_text(CAMPAIGN.replace("Sunday", "Monday"))
    assert bandcast(*SEND, "--quiet").code == 0
    assert results(folder)["text"][0].endswith("Monday.")


def test_nobody_to_text_is_no_error(bandcast, folder):
    (folder / "people.csv").write_text("name,phone\nAda,nothing\n")
    done = bandcast(*SEND, "--json")
    assert (done.code, done.json["states"]) == (0, {"skipped": 1})


def test_a_simulation_needs_no_account_and_leaves_the_real_journal_alone(bandcast, folder):
    before = listing(folder)
    assert bandcast(*SEND, "--quiet").code == 0
    assert {name.split("/")[0] for name in listing(folder).keys() - before.keys()} == {"out"}


TROUBLE = {
    "carriers that fail": ("failed=0.3", 3, {"failed", "delivered", "skipped"}),
    "errors that pass": ("error=0.1", 0, {"delivered", "skipped"}),
    "lost answers that receipts explain": ("lost=0.2", 0, {"delivered", "skipped"}),
    "lost answers that the listing explains": (
        "lost=0.2,unreceipted=0.3",
        0,
        {"accepted", "delivered", "skipped"},
    ),
    "nothing but lost answers": (
        "lost=1,unreceipted=1,unlisted=1",
        6,
        {"in_doubt", "ready", "skipped"},
    ),
}


@pytest.mark.parametrize(("faults", "code", "states"), TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_shows_in_the_exit_code(bandcast, folder, faults, code, states):
    slow = CAMPAIGN.replace("rate = 2000", "rate = 100")  # not everybody in flight at once
    write_campaign(folder, people=60, text=slow)
    done = bandcast(*SEND, "--json", "--faults", faults)
    assert done.code == code
    assert done.json["states"].keys() == states
    assert sum(done.json["states"].values()) == 62
    assert done.json["in_doubt"] == done.json["states"].get("in_doubt", 0)


def test_a_process_that_leaves_doubts_says_so_and_explains_each_row(folder):
    write_campaign(folder, people=12)
    done = run(folder, *SEND, "--faults", "lost=1,unreceipted=1,unlisted=1")
    assert done.code == 6
    assert "in doubt" in done.out
    assert "never sent again by themselves" in done.out
    doubts = results(folder).filter(pl.col("state") == "in_doubt")
    assert doubts.height == 12
    assert doubts["error"].null_count() == 0
    assert doubts["cost"].null_count() == doubts.height


def slow(folder, *, rate=50):
    """A campaign of two seconds, or more."""
    write_campaign(folder, people=100, text=CAMPAIGN.replace("2000", str(rate)))


def wait_until_it_has_sent(folder, process, *, more_than=0):
    journal = folder / "out" / "spring" / "simulation-spring.db"
    wait_until(lambda: tried(journal, "state <> 'ready' AND message_id > ''") > more_than, process)


def test_an_interrupted_run_ends_with_5_and_the_same_command_goes_on_to_the_end(folder):
    slow(folder)
    sent = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        stopped = interrupted(folder, number, len(sent))
        assert stopped.code == 5
        assert stopped.json["states"].keys() <= {"ready", "accepted", "delivered", "skipped"}
        assert stopped.json["states"]["ready"] > 0
        assert number.name in stopped.json["stopped"]
        assert "run the same command again" in stopped.sentences()[-1]
        sent = sent_beyond(folder, sent)

    rest = run(folder, *SEND, "--json", "--rate", "2000")
    assert rest.code == 0
    assert "ready" not in rest.json["states"]
    assert len(sent_beyond(folder, sent)) == 100


def interrupted(folder, number, before):
    """A run that gets a signal as soon as it has sent something of its own."""
    with start(folder, *SEND, "--json") as process:
        wait_until_it_has_sent(folder, process, more_than=before)
        process.send_signal(number)
        return finish(process)


def sent_beyond(folder, earlier):
    """Row -> message id after one run more: what was sent stays as it was."""
    sent = dict(results(folder).select("row", "message_id").drop_nulls().iter_rows())
    assert {row: sent[row] for row in earlier} == earlier, "somebody was texted twice"
    assert len(sent) > len(earlier)
    return sent


def test_a_second_signal_ends_at_once_with_what_was_in_flight_in_doubt(folder):
    slow(folder)
    with start(folder, *SEND, "--json", "--faults", "latency=20000,unreceipted=1") as process:
        wait_until(lambda: tried(folder / "out" / "spring" / "simulation-spring.db"), process)
        time.sleep(0.3)  # the first requests are out
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        done = finish(process, timeout=10)

    assert done.code == 6
    assert done.json["in_doubt"] > 0
    assert done.json["states"]["ready"] > 0


def test_two_simulations_of_one_campaign_do_not_meet(folder):
    slow(folder, rate=5)
    with start(folder, *SEND, "--json") as first:
        wait_until_it_has_sent(folder, first)
        second = run(folder, *SEND, "--json")
        assert first.poll() is None, "it waited for the first"
        first.send_signal(signal.SIGINT)
        done = finish(first)

    assert (second.code, second.json["exit_code"]) == (7, 7)
    assert len(second.err.splitlines()) == 1
    assert "spring" in second.err
    assert done.code == 5
    assert sum(json.loads(done.out)["states"].values()) == 102


@pytest.mark.parametrize(
    "command",
    [
        ("results", "campaign.toml"),
        ("reconcile", "campaign.toml"),
        ("status", "campaign.toml"),
        ("status", "spring"),
        ("pause", "campaign.toml"),
        ("release", "spring", "--rows", "all", "--by", "ana", "--because", "x", "--yes"),
    ],
    ids=" ".join,
)
def test_whoever_asks_about_a_campaign_that_was_simulated_only_is_told_so(folder, command):
    env = account("http://127.0.0.1:9")
    assert run(folder, "send", "campaign.toml", "--simulate", "--yes", env=env).code == 0
    done = run(folder, *command, env=env)
    assert (done.code, done.out) == (2, "")
    (sentence,) = done.sentences()
    assert "campaign 'spring' was simulated only, and texted nobody" in sentence
    assert "out/spring/results.csv" in sentence


def test_a_simulation_does_not_write_over_the_results_of_what_was_really_sent(folder):
    with simulating() as url:
        assert run(folder, "send", "campaign.toml", "--yes", env=account(url)).code == 0
        before = listing(folder)
        done = run(folder, *SEND, env=account(url))
        assert listing(folder) == before
        assert (done.code, done.out) == (2, "")
        (sentence,) = done.sentences()
        assert "campaign 'spring' was really sent" in sentence
        assert "--out" in sentence
        assert run(folder, *SEND, "--out", "trial", env=account(url)).code == 0
