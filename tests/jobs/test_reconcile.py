"""Doubt and its end, in processes: send settles its own, reconcile the rest, with no webhook."""

import signal
import socket
import time
from collections import Counter

import polars as pl
import pytest

from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, finish, ledger, number, run, start, wait_until, write_campaign

SEND = ("send", "campaign.toml", "--yes")
RECONCILE = ("reconcile", "campaign.toml")


def settling(folder, *seconds, people=20, more="", rate=500):
    said = f"{CAMPAIGN.replace('2000', str(rate))}[settling]\nseconds = {list(seconds)}\n{more}"
    write_campaign(folder, people=people, text=said)


def results(folder):
    return pl.read_parquet(folder / "out" / "spring" / "results.parquet")


def messages(folder):
    return results(folder).filter(pl.col("state") != "skipped")


def test_send_settles_its_own_doubt_before_it_exits(folder):
    settling(folder, 0.5, 1, people=60)
    with simulating("--faults", "lost=0.1,cut=0.1,garbage=0.1") as url:
        done = run(folder, *SEND, "--json", env=account(url))
        book = ledger(url)

    assert sum(book["faults"].values()) > 5
    assert (done.code, done.json["in_doubt"], done.json["doubts"]) == (0, 0, [])
    assert done.json["states"].keys() <= {"accepted", "delivered", "skipped"}
    table = messages(folder)
    sent = {text["to"][0]: text["message_id"] for text in book["texts"]}
    assert dict(table.select("to", "message_id").iter_rows()) == sent
    assert table["error"].null_count() == table["segments_billed"].drop_nulls().len() == 60
    assert book["duplicate_handsets"] == []


def test_what_is_listed_late_is_left_to_reconcile(folder):
    settling(folder, 0.2)
    with simulating("--faults", "lost=1,visible=2000") as url:
        env = account(url)
        sent = run(folder, *SEND, "--json", env=env)
        assert (sent.code, sent.json["in_doubt"]) == (6, 20)
        assert "bandcast reconcile" in sent.err
        time.sleep(2)
        done = run(folder, *RECONCILE, "--json", env=env)
        assert ledger(url)["messages"] == 20

    assert (done.code, done.json["settled"], done.json["in_doubt"]) == (0, 20, 0)
    assert Counter(results(folder)["state"]) == {"delivered": 20, "skipped": 2}


def test_what_was_written_off_and_is_listed_after_all_gets_its_result(folder):
    settling(folder, 0.2, people=2)
    with simulating("--faults", "lost=1,visible=1000") as url:
        env = account(url)
        assert run(folder, *SEND, env=env).code == 6
        off = ("--write-off", "--by", "ana", "--because", "enough", "--yes")
        assert run(folder, "release", "campaign.toml", "--rows", "all", *off, env=env).code == 0
        time.sleep(1)
        done = run(folder, *RECONCILE, "--json", env=env)

    assert (done.code, done.json["settled"]) == (0, 2)
    table = messages(folder)
    assert set(table["state"]) == {"delivered"}
    assert set(table["decision"]) == {"written off by ana: enough"}
    assert table["cost"].null_count() == 0


def test_what_was_never_taken_stays_in_doubt_and_the_table_says_what_was_listed(folder):
    settling(folder, 0.2, 0.5)
    with simulating("--faults", "refused=0.3,lost=0.3") as url:
        env = account(url)
        done = run(folder, *SEND, "--json", env=env)
        taken = {text["to"][0] for text in ledger(url)["texts"]}
        again = run(folder, *RECONCILE, env=env)

    table = messages(folder)
    doubtful = table.filter(pl.col("state") == "in_doubt")
    assert (done.code, again.code) == (6, 6)
    assert set(doubtful["to"]) == set(table["to"]) - taken
    assert 0 < doubtful.height == done.json["in_doubt"] == len(done.json["doubts"])
    assert all("had no text that may be it, which proves nothing" in said
               for said in doubtful["error"])  # fmt: skip
    assert "never sent again by themselves" in " ".join(again.out.split())


def test_two_texts_alike_to_one_number_stay_in_doubt_with_both_named(folder):
    settling(folder, 0.2)
    rows = [f"Ann,{number(1)},{order}" for order in "ab"]
    (folder / "people.csv").write_text("\n".join(["name,phone,key", *rows]) + "\n")
    with simulating("--faults", "lost=1") as url:
        done = run(folder, *SEND, "--json", env=account(url))
        ids = {text["message_id"] for text in ledger(url)["texts"]}

    assert (done.code, done.json["states"], len(ids)) == (6, {"in_doubt": 2}, 2)
    for doubt, said in zip(done.json["doubts"], messages(folder)["error"], strict=True):
        assert {each["message_id"] for each in doubt["candidates"]} == ids
        assert doubt["other_messages"] == 1
        assert all(each in said for each in ids)


def test_a_signal_while_it_waits_ends_it_with_the_doubt_left(folder):
    settling(folder, 600, people=12)
    with simulating("--faults", "lost=1") as url:
        with start(folder, *SEND, "--json", env=account(url)) as process:
            for line in process.stderr:
                if "listing is asked in" in line:
                    break

            process.send_signal(signal.SIGINT)
            done = finish(process)

        assert (done.code, done.json["in_doubt"]) == (6, 12)
        assert done.json["stopped"] is None
        assert results(folder)["state"].eq("in_doubt").sum() == 12


def test_a_listing_that_does_not_answer_leaves_the_doubt_and_says_so(folder):
    settling(folder, 0.2)
    with simulating("--faults", "lost=1,visible=60000") as url:
        env = account(url)
        assert run(folder, *SEND, "--quiet", env=env).code == 6

    before = results(folder)
    done = run(folder, *RECONCILE, "--json", env=env)
    assert (done.code, done.json["exit_code"]) == (1, 1)
    (sentence,) = done.sentences()
    assert "messages cannot be listed" in sentence
    assert results(folder).equals(before)
    told = run(folder, "status", "campaign.toml", "--json", env=env).json
    assert told["campaigns"][0]["states"] == {"in_doubt": 20}


def test_a_whole_campaign_is_reconciled_by_the_listing_alone(folder):
    settling(folder, 0.2, people=60)
    with simulating("--faults", "failed=0.2,swallowed=0.1,lost=0.1") as url:
        env = account(url)
        run(folder, *SEND, "--quiet", env=env)
        done = run(folder, *RECONCILE, "--all", "--json", env=env)
        book = ledger(url)
        again = run(folder, *RECONCILE, "--all", "--json", env=env)
        assert ledger(url)["messages"] == book["messages"] == 60

    failed, silent = book["missed"]["4720"], book["missed"]["swallowed"]
    expected = {"accepted": silent, "delivered": 60 - failed - silent, "failed": failed}
    assert (done.code, done.json["states"]) == (3, expected | {"skipped": 2})
    assert done.json["listed"] == 60
    assert done.json["news"] > 0
    assert again.json["news"] == 0
    table = messages(folder)
    assert table.filter(pl.col("state") == "failed")["error_code"].unique().to_list() == ["4720"]


def test_reconcile_may_run_beside_a_send_and_changes_nothing_of_it(folder):
    settling(folder, 0.2, people=100, rate=40)
    with simulating("--faults", "lost=0.1,latency=50") as url:
        env = account(url)
        with start(folder, *SEND, "--json", env=env) as process:
            wait_until(lambda: ledger(url)["messages"], process)

            beside = run(folder, *RECONCILE, "--all", "--json", env=env)
            done = finish(process)

        book = ledger(url)

    assert beside.code in {5, 6}
    assert (done.code, done.json["in_doubt"]) == (0, 0)
    assert (book["messages"], book["duplicate_handsets"]) == (100, [])


@pytest.mark.parametrize("words", [RECONCILE, (*RECONCILE, "--all")], ids=["doubt", "all"])
def test_the_list_of_another_account_is_not_asked(folder, words):
    settling(folder, 0.2)
    with simulating() as url:
        assert run(folder, *SEND, "--quiet", env=account(url)).code == 0
        done = run(folder, *words, env=account(url, BW_ACCOUNT_ID="9911111"))

    assert (done.code, done.out) == (2, "")
    assert "was sent by another account" in done.sentences()[0]


def test_a_campaign_that_was_never_sent_has_nothing_to_reconcile(bandcast):
    done = bandcast(*RECONCILE)
    assert (done.code, len(done.sentences())) == (2, 1)
    assert "nothing was ever sent from here" in done.err


def test_who_stays_silent_too_long_is_unconfirmed_until_news_come_all_the_same(folder):
    """A thousandth of an hour and no callback: the same as 97 hours."""
    settling(folder, 0.2, more="receipt_hours = 0.0005\ncallback_hours = 0\n")
    with simulating() as url:
        env = account(url)
        sent = run(folder, *SEND, "--json", env=env)
        assert sent.json["states"] == {"accepted": 20, "skipped": 2}
        time.sleep(2)
        silent = run(folder, "results", "campaign.toml", "--json", env=env)
        told = run(folder, "status", "campaign.toml", "--json", env=env).json
        unaware = run(folder, "status", "spring", "--json", env=env).json
        again = run(folder, *SEND, "--json", env=env)
        news = run(folder, *RECONCILE, "--all", "--json", env=env)

    assert silent.json["states"] == {"unconfirmed": 20, "skipped": 2}
    assert silent.json["cost_of_results"] == sent.json["cost_of_results"] > 0
    assert told["campaigns"][0]["states"] == {"unconfirmed": 20}
    assert unaware["campaigns"][0]["states"] == {"accepted": 20}, "by the usual 97 hours"
    assert (again.code, again.json["in_doubt"]) == (0, 0), "no failure and no doubt"
    assert (news.code, news.json["states"]) == (0, {"delivered": 20, "skipped": 2})


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_whole_list_is_read_leaves_no_numbers_behind(folder, ending):
    write_campaign(folder, people=6)
    with simulating() as url:
        env = account(url)
        assert run(folder, *SEND, env=env).code == 0

    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    with (
        socket.create_server(address) as silent,
        start(folder, *RECONCILE, "--all", env=env) as process,
    ):
        connection, _ = silent.accept()
        with connection:
            process.send_signal(ending)
            assert finish(process, timeout=20).code == 5

    assert list((folder / "out").rglob("*.passing")) == []


def test_under_nohup_a_closed_terminal_does_not_end_the_wait_for_the_listing(folder):
    settling(folder, 7, people=6)  # a wait that is told of
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with (
        simulating("--faults", "lost=1") as url,
        start(folder, *SEND, "--json", env=account(url), **ignoring) as process,
    ):
        assert any("listing is asked in" in line for line in process.stderr)
        process.send_signal(signal.SIGHUP)
        done = finish(process)

    assert (done.code, done.json["in_doubt"]) == (0, 0)
