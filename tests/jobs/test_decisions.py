"""Release, pause, resume, retry and the ends of a run: real processes and a provider's own book."""

import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from starlette.responses import Response

from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.server import EmbeddedSimulator
from tests.crash.launch import simulating

from .shell import (
    CAMPAIGN,
    account,
    finish,
    ledger,
    number,
    run,
    start,
    tried,
    wait_until,
    write_campaign,
)
from .test_terminal import at_a_terminal

SEND = ("send", "campaign.toml", "--yes", "--json")
RELEASE = ("release", "campaign.toml", "--by", "ana", "--because", "customer asked")


def results(folder):
    return pl.read_parquet(folder / "out" / "spring" / "results.parquet")


@contextmanager
def doubts(folder):
    """A campaign whose answers were all lost, of a provider that answers from now on."""
    write_campaign(folder, people=6, text=CAMPAIGN + "[settling]\nseconds = []\n")
    with simulating("--faults", "lost=1") as url:
        port = url.rpartition(":")[2]
        assert run(folder, *SEND, env=account(url)).code == 6

    with simulating("--port", port) as url:
        yield url, account(url)


# --- Release -------------------------------------------------------------------------------------


def test_a_released_message_is_sent_again_and_the_others_are_not(folder):
    with doubts(folder) as (url, env):
        done = run(folder, *RELEASE, "--rows", "4-5", "--yes", "--json", env=env)
        assert (done.code, done.err) == (0, "")
        assert done.json == {
            "campaign": "spring", "released": 2, "rows": [4, 5], "by": "ana",
            "because": "customer asked",
        }  # fmt: skip
        sent = run(folder, *SEND, env=env)
        assert ledger(url)["messages"] == 2

        status = run(folder, "status", "--json", env=env).json["campaigns"][0]
        assert status["states"] == {"accepted": 2, "in_doubt": 4}
        (decision,) = status["decisions"]
        assert decision.pop("at")
        assert decision == {
            "kind": "release", "by": "ana", "because": "customer asked", "messages": 2,
        }  # fmt: skip
        assert "release by ana" in run(folder, "status", env=env).out

    assert sent.code == 6
    table = results(folder).select("row", "state", "attempts", "decision").rows()
    said = "released by ana: customer asked"
    assert [each for each in table if each[3]] == [
        (4, "accepted", 2, said),
        (5, "accepted", 2, said),
    ]


@contextmanager
def listed_late(folder):
    """A campaign whose answers were all lost, listed by its provider only since a moment ago."""
    write_campaign(folder, people=6, text=CAMPAIGN + "[settling]\nseconds = []\n")
    with simulating("--faults", "lost=1,visible=1500") as url:
        assert run(folder, *SEND, env=account(url)).code == 6
        time.sleep(1.5)
        yield url, account(url)


def test_a_released_message_that_the_listing_has_by_now_is_not_sent_again(folder):
    with listed_late(folder) as (url, env):
        assert run(folder, *RELEASE, "--rows", "1,4", "--yes", env=env).code == 0
        done = run(folder, "send", "campaign.toml", "--yes", env=env)
        book = ledger(url)

    assert (book["messages"], book["duplicate_handsets"]) == (6, [])
    assert done.code == 0, "whoever asks about two asks about all"
    assert "the listing settled 6 messages" in done.err


class Secretive:
    """A provider that takes texts, loses its answers at first, and has no list to show."""

    def __init__(self, app):
        self.app, self.answers = app, False

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not scope["path"].endswith("/messages"):
            await self.app(scope, receive, send)
        elif scope["method"] == "GET":
            await Response(status_code=403)(scope, receive, send)
        elif self.answers:
            await self.app(scope, receive, send)
        else:
            await Response(status_code=502)(scope, receive, send)


def test_where_the_listing_does_not_answer_a_release_is_obeyed_and_that_is_said(folder):
    write_campaign(folder, people=3, text=CAMPAIGN + "[settling]\nseconds = []\n")
    app = make_app(Behaviour())
    secretive = Secretive(app)
    secretive.state = app.state
    with EmbeddedSimulator(secretive) as simulator:
        env = account(simulator.origin)
        assert run(folder, *SEND, env=env).code == 6
        run(folder, *RELEASE, "--rows", "1,4", "--yes", env=env)
        secretive.answers = True
        done = run(folder, *SEND, env=env)
        assert simulator.ledger.summary().messages == 2

    assert done.json["states"] == {"accepted": 2, "in_doubt": 1, "skipped": 2}
    assert "403" in done.err
    assert "what was released is sent again" in done.err


def test_a_message_that_is_written_off_is_final_and_the_campaign_is_done(folder):
    with doubts(folder) as (url, env):
        done = run(folder, *RELEASE, "--rows", "all", "--write-off", "--yes", "--json", env=env)
        assert (done.code, done.json["written_off"]) == (0, 6)
        sent = run(folder, *SEND, env=env)
        assert ledger(url)["requests"] == 0

    assert (sent.code, sent.json["states"]) == (0, {"written_off": 6, "skipped": 2})
    rows = results(folder).filter(pl.col("state") == "written_off")
    assert set(rows["decision"]) == {"written off by ana: customer asked"}
    assert rows["cost"].null_count() == 6, "nobody knows whether it was sent"
    again = run(folder, *RELEASE, "--rows", "1", "--yes", env=env)
    assert "row 1 is written off" in again.err


def test_where_one_row_is_not_in_doubt_nothing_is_changed_and_it_is_named(folder):
    with doubts(folder) as (_, env):
        run(folder, *RELEASE, "--rows", "1", "--yes", env=env)
        done = run(folder, *RELEASE, "--rows", "4,1,2,99", "--yes", env=env)
        status = run(folder, "status", "--json", env=env).json["campaigns"][0]

    assert (done.code, done.out) == (2, "")
    (sentence,) = done.sentences()
    assert sentence == (
        "error: nothing was changed, not all rows are in doubt: row 1 is ready; "
        "row 2 is no message of this campaign; row 99 is no message of this campaign"
    )
    assert status["states"] == {"ready": 1, "in_doubt": 5}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rows", "3,x"), "'x' is no row"),
        (("--rows", "0"), "'0' is no row"),
        (("--rows", "5-3"), "'5-3' is no row"),
        (("--rows", ""), "'' is no row"),
        (("--rows", "1-99999999"), "more than 1,000,000 rows"),
        (("--rows", "3", "--by", " "), "say who decides"),
        (("--rows", "3", "--because", ""), "say who decides"),
        (("--rows", "3"), "no journal at"),
    ],
    ids=str,
)
def test_bad_usage_is_one_sentence(bandcast, arguments, words):
    done = bandcast(*RELEASE, "--yes", *arguments)
    assert (done.code, done.out) == (2, "")
    (sentence,) = done.sentences()
    assert words in sentence


def test_without_a_terminal_a_release_needs_yes_and_at_one_it_says_the_danger(folder):
    with doubts(folder) as (_, env):
        assert "add --yes" in run(folder, *RELEASE, "--rows", "all", env=env).err
        journal = {"BANDCAST_JOURNAL": "sqlite:///journal.db"}
        for keys, code in (("n\n", 5), ("y\n", 0)):
            with at_a_terminal(folder, *RELEASE, "--rows", "all", more=journal) as (seat, process):
                seat.wait_for("Send 6 messages in doubt of 'spring' again, for at most 0.024 USD?")
                assert "gets it twice" in seat.seen
                seat.type(keys)
                seat.read_to_the_end()
                assert process.wait(10) == code

            assert ("nothing was changed" in seat.seen) is (code == 5)


def test_while_a_run_holds_the_campaign_nothing_is_released(folder):
    write_campaign(folder, people=60, text=CAMPAIGN.replace("2000", "20"))
    with simulating() as url, sending(folder, url) as process:
        done = run(folder, *RELEASE, "--rows", "all", "--yes", env=account(url))
        process.send_signal(signal.SIGINT)
        finish(process)

    assert (done.code, done.out) == (7, "")


# --- Pause and the other ends --------------------------------------------------------------------


@contextmanager
def sending(folder, url, *options, **more):
    """A send whose first messages are out."""
    before = ledger(url)["messages"]
    with start(folder, *SEND, *options, env=account(url), **more) as process:
        try:
            wait_until(lambda: ledger(url)["messages"] > before, process)
            yield process
        finally:
            process.kill()


def slow(folder, people=100):
    write_campaign(folder, people=people, text=CAMPAIGN.replace("2000", "20"))


def test_a_pause_from_another_process_stops_a_run_and_the_next_ones_until_it_is_ended(folder):
    slow(folder)
    with simulating("--faults", "latency=100") as url:
        env = account(url)
        with sending(folder, url) as process:
            told = run(
                folder, "pause", "campaign.toml", "--by", "ana", "--because", "typo", env=env
            )
            assert told.code == 0, told.err
            stopped = finish(process)

        sent = ledger(url)["messages"]
        assert stopped.code == 5
        assert "paused by ana" in stopped.json["stopped"]
        assert stopped.json["states"].keys() == {"accepted", "ready", "skipped"}
        assert stopped.json["states"]["accepted"] == sent, "nothing in flight is lost"
        assert "`bandcast resume`" in stopped.sentences()[-1]

        refused = run(folder, *SEND, env=env)
        assert (refused.code, refused.json["exit_code"]) == (5, 5)
        (sentence,) = refused.sentences()
        for word in ("paused by ana since", "typo", "nobody was texted", "bandcast resume"):
            assert word in sentence

        assert "paused by ana" in run(folder, "status", env=env).out
        again = run(folder, "pause", "spring", "--by", "ben", "--json", env=env).json
        assert (again["paused"]["by"], again["new"]) == ("ana", False)
        assert ledger(url)["messages"] == sent

        assert run(folder, "resume", "spring", "--json", env=env).json["resumed"] is True
        assert run(folder, "resume", "spring", "--json", env=env).json["resumed"] is False
        done = run(folder, *SEND, "--rate", "2000", env=env)
        assert (done.code, done.json["states"]["accepted"]) == (0, 100)
        assert ledger(url)["duplicate_handsets"] == []


def test_what_was_never_sent_cannot_be_paused(folder, bandcast):
    (sentence,) = bandcast("pause", "campaign.toml").sentences()
    assert "no journal" in sentence
    bandcast("suppress", "add", "+19195550123", env={"BANDCAST_JOURNAL": "sqlite:///journal.db"})
    done = bandcast("pause", "campaign.toml")
    assert (done.code, done.sentences()) == (
        2,
        ["error: the journal at sqlite:///journal.db has no campaign 'spring'"],
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_what_is_in_flight_finish(folder, number):
    slow(folder)
    with simulating("--faults", "latency=200") as url, sending(folder, url) as process:
        process.send_signal(number)
        done = finish(process)
        sent = ledger(url)["messages"]

    assert done.code == 5
    assert number.name in done.json["stopped"]
    assert done.json["states"]["accepted"] == sent
    assert done.json["states"].keys() == {"accepted", "ready", "skipped"}


def test_a_second_signal_leaves_the_rest_in_doubt_and_says_how_many(folder):
    slow(folder)
    faults = ("--faults", "latency=20000")
    with simulating(*faults) as url, start(folder, *SEND, env=account(url)) as process:
        wait_until(lambda: tried(folder / "journal.db"), process)

        for number in (signal.SIGTERM, signal.SIGINT):
            time.sleep(0.4)
            process.send_signal(number)

        done = finish(process, timeout=10)

    assert done.code == 6
    doubts, left = done.json["in_doubt"], done.json["states"]["ready"]
    assert doubts > 0
    said = f"a second signal: {doubts:,} messages are in doubt, and {left:,} others are left"
    assert said in done.json["stopped"]
    assert said in done.sentences()[-1]


def test_one_signal_after_a_pause_still_lets_what_is_in_flight_finish(folder):
    slow(folder)
    with simulating("--faults", "latency=3000") as url:
        env = account(url)
        with start(folder, *SEND, env=env) as process:
            wait_until(lambda: tried(folder / "journal.db"), process)

            assert run(folder, "pause", "campaign.toml", "--by", "ana", env=env).code == 0
            time.sleep(0.7)
            process.send_signal(signal.SIGTERM)
            done = finish(process, timeout=20)

        sent = ledger(url)["messages"]

    assert done.code == 5, done.err
    assert done.json["states"].keys() == {"accepted", "ready", "skipped"}
    assert done.json["states"]["accepted"] == sent


def test_a_run_under_nohup_does_not_end_with_its_terminal(folder):
    slow(folder, people=30)
    with simulating() as url:
        ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
        with sending(folder, url, **ignoring) as process:
            process.send_signal(signal.SIGHUP)
            done = finish(process)

    assert (done.code, done.json["states"]["accepted"]) == (0, 30)


def test_a_signal_before_the_first_message_leaves_nothing_behind(folder):
    with at_a_terminal(folder, "send", "campaign.toml", "--simulate") as (terminal, process):
        terminal.wait_for("[y/N]")
        process.send_signal(signal.SIGTERM)
        terminal.read_to_the_end()
        assert process.wait(10) == 5

    assert not (folder / "out").exists()


def test_a_run_ends_at_its_time_and_goes_on_later(folder):
    slow(folder)
    with simulating() as url:
        until = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
        done = run(folder, *SEND, "--until", until, env=account(url))
        assert (done.code, done.json["states"].keys()) == (5, {"accepted", "ready", "skipped"})
        assert "it was to end by then" in done.json["stopped"]
        rest = run(folder, *SEND, "--rate", "2000", env=account(url))
        assert (rest.code, ledger(url)["duplicate_handsets"]) == (0, [])


def test_a_journal_that_was_locked_when_the_time_came_lets_nobody_be_texted_after_it(folder):
    """What the lanes had asked for before is answered when the lock is gone, and is too late."""
    slow(folder)
    with simulating() as url:
        until = datetime.now(UTC) + timedelta(seconds=6)
        with sending(folder, url, "--until", until.isoformat()) as process:
            with closing(sqlite3.connect(folder / "journal.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                while datetime.now(UTC) < until:
                    time.sleep(0.05)

                time.sleep(0.5)
                in_time = ledger(url)["messages"]
                other.execute("ROLLBACK")

            done = finish(process)
            assert ledger(url)["messages"] == in_time

    assert (done.code, done.json["states"]["accepted"]) == (5, in_time)
    assert "it was to end by then" in done.json["stopped"]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("00:00", 5, "has passed, so nobody was texted"),
        ("2026-01-01T00:00", 5, "has passed"),
        ("tonight", 2, "'tonight' is no time"),
        ("25:00", 2, "'25:00' is no time"),
    ],
)
def test_a_time_that_cannot_be_meant_is_one_sentence(bandcast, folder, text, code, words):
    done = bandcast("send", "campaign.toml", "--simulate", "--yes", "--until", text)
    assert (done.code, done.out) == (code, "")
    (sentence,) = done.sentences()
    assert words in sentence
    assert not (folder / "out").exists()


# --- Retry ---------------------------------------------------------------------------------------

PASSES, FREE, PERMANENT, NO_RECEIPT = "4701", "5106", "4720", "9902"


def magic(code):
    """A number whose texts always fail so."""
    return f"+1212555{code}"


@contextmanager
def receiving(folder, env):
    with start(folder, "receive", "campaign.toml", "--port", "0", env=env) as process:
        try:
            line = process.stderr.readline()
            yield line.split(" at ")[1].split(" into ")[0]
        finally:
            process.terminate()
            process.communicate()


@contextmanager
def failures(folder):
    """A campaign with messages that failed in several ways; receipts come to its journal."""
    codes = (PASSES, FREE, PERMANENT, NO_RECEIPT)
    people = [f"P{code},{magic(code)}" for code in codes] + [f"Well,{number(1)}"]
    write_campaign(folder)
    (folder / "people.csv").write_text("name,phone\n" + "\n".join(people) + "\n")
    journal = {"BANDCAST_JOURNAL": "sqlite:///journal.db"}
    with receiving(folder, journal) as callback:
        wait = "--faults", "delivery=50,receipt_wait=50"
        with simulating(*wait, "--callback-url", callback) as url:
            assert run(folder, *SEND, env=account(url)).code in {0, 3}
            settled(folder, account(url))
            yield url, account(url)


def settled(folder, env, *, failed=4, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        (campaign,) = run(folder, "status", "--json", env=env).json["campaigns"]
        if campaign["states"] == {"failed": failed, "delivered": 1}:
            return

        assert time.monotonic() < deadline, campaign["states"]
        time.sleep(0.1)


def test_what_failed_by_an_error_that_passes_is_sent_again_and_its_price_is_said_before(folder):
    with failures(folder) as (url, env):
        done = run(folder, *SEND, "--retry", "failed", env=env)
        assert done.code == 3, done.err
        assert done.json["retry"] == {
            "messages": 2, "segments": 2, "cost": {"at_most": 0.008, "currency": "USD"}, "ready": 2,
        }  # fmt: skip
        assert done.sentences()[0] == (
            "2 failed messages are to be sent again, for at most 0.008 USD"
        )
        settled(folder, env)
        book = ledger(url)
        assert book["messages"] == 5 + 2

        third = run(folder, *SEND, "--retry", "failed", env=env)
        assert third.json["retry"]["messages"] == 1, "the carrier's failure is sent again once only"
        settled(folder, env)
        assert run(folder, "results", "campaign.toml", "--json", env=env).code == 0

    table = results(folder).select("state", "attempts", "error_code", "cost").rows()
    assert [(state, attempts, code, float(cost)) for state, attempts, code, cost in table] == [
        ("failed", 2, PASSES, 0.008),
        ("failed", 3, FREE, 0.0),
        ("failed", 1, PERMANENT, 0.004),
        ("failed", 1, NO_RECEIPT, 0.004),
        ("delivered", 1, None, 0.004),
    ]


def test_who_is_suppressed_is_not_counted_and_not_sent_again(folder):
    with failures(folder) as (_, env):
        run(folder, "suppress", "add", magic(PASSES), "--because", "asked", env=env)
        done = run(folder, *SEND, "--retry", "failed", env=env)
        assert done.json["retry"]["messages"] == 1
        assert done.json["states"].get("cancelled", 0) == 0


def test_the_question_names_the_failed_messages_and_no_sends_none(folder):
    with failures(folder) as (url, env):
        before = ledger(url)["messages"]
        command = ("send", "campaign.toml", "--retry", "failed")
        with at_a_terminal(folder, *command, more=env) as (terminal, process):
            terminal.wait_for("Send 2 failed messages again for at most 0.008 USD? [y/N]")
            terminal.type("n\n")
            terminal.read_to_the_end()
            assert process.wait(10) == 5

        assert ledger(url)["messages"] == before
        status = run(folder, "status", "--json", env=env).json["campaigns"][0]
        assert status["states"] == {"failed": 4, "delivered": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--simulate",), "a simulation starts over"), ((), "campaign 'spring' was never sent")],
    ids=["simulated", "never sent"],
)
def test_what_cannot_have_failed_is_not_sent_again(folder, bandcast, options, words):
    env = account("http://127.0.0.1:9")
    done = bandcast("send", "campaign.toml", "--yes", "--retry", "failed", *options, env=env)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
