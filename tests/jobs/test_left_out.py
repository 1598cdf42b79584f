"""Whom a campaign leaves out is settled when it starts: a resumed run is the one that was begun."""

import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline.journal.rules import to_micros
from tests.crash.launch import simulating

from .shell import (
    CAMPAIGN,
    CARD,
    account,
    finish,
    ledger,
    number,
    run,
    start,
    wait_until,
    write_campaign,
)
from .test_terminal import at_a_terminal

SEND = ("send", "campaign.toml", "--yes", "--json")
SPARED = number(5)
CAPPED = CAMPAIGN + "[frequency]\ndays = 7\n"
DEARER = CARD[CARD.index("[[price]]") :].replace("0.004", "0.005")


@pytest.fixture(scope="module")
def provider():
    with simulating() as url:
        yield url


def results(folder):
    return pl.read_parquet(folder / "out" / "spring" / "results.parquet")


def spared(folder):
    """Why the row of the spared number is not sent."""
    row = pl.col("phone") == SPARED
    return results(folder).filter(row).select("state", "reason", "reason_detail").rows()


def interrupted(folder, url, env):
    """A run that is stopped after its first texts; some are left for the next one."""
    before = ledger(url)["messages"]
    with start(folder, *SEND, env=env) as process:
        wait_until(lambda: ledger(url)["messages"] >= before + 3, process)
        process.send_signal(signal.SIGINT)
        return finish(process)


def started(folder, url, env):
    """A campaign that was stopped half-way, with one number on the journal's list."""
    write_campaign(folder, people=60, text=CAMPAIGN.replace("2000", "20"))
    added = run(folder, "suppress", "add", SPARED, "--because", "letter", env=env)
    assert added.code == 0, added.err
    first = interrupted(folder, url, env)
    assert (first.code, first.json["states"]["skipped"]) == (5, 3)
    assert first.json["states"]["ready"] > 0
    return spared(folder)


def lift(folder, env):
    lifted = run(folder, "suppress", "remove", SPARED, "--because", "came back", env=env)
    assert lifted.code == 0, lifted.err


def test_a_suppression_lifted_after_the_start_does_not_change_the_campaign(folder, provider):
    env, before = account(provider), ledger(provider)["messages"]
    why = started(folder, provider, env)
    assert [(state, reason) for state, reason, _ in why] == [("skipped", "suppressed")]
    lift(folder, env)

    shown = run(folder, "results", "campaign.toml", "--json", env=env)
    assert (shown.code, shown.json["states"]["skipped"]) == (0, 3)
    assert spared(folder) == why
    dry = run(folder, "estimate", "campaign.toml", "--json", env=env)
    assert dry.json["skipped"]["suppressed"] == 1

    rest = run(folder, *SEND, "--rate", "2000", env=env)
    assert rest.code == 0, rest.err
    assert rest.json["states"] == {"accepted": 59, "skipped": 3}
    assert sum(rest.json["states"].values()) == rest.json["rows"] == 62
    assert spared(folder) == why
    book = ledger(provider)
    assert book["messages"] - before == 59
    assert book["duplicate_handsets"] == []


def test_the_estimate_of_another_plan_asks_the_lists_of_today(folder, provider):
    env = account(provider)
    started(folder, provider, env)
    lift(folder, env)
    (folder / "campaign.toml").write_text(CAMPAIGN.replace("Sunday", "Monday"))
    dry = run(folder, "estimate", "campaign.toml", "--json", env=env)
    assert "suppressed" not in dry.json["skipped"]


def test_a_campaign_in_a_journal_of_schema_2_goes_on_by_the_lists(folder, provider):
    env = account(provider)
    started(folder, provider, env)
    with sqlite3.connect(folder / "journal.db") as journal:
        journal.execute("DROP TABLE left_out")
        for table in ("purse", "inbound", "last_word", "explained", "evidence", "pause"):
            journal.execute(f"DROP TABLE {table}")

        indices = ("message_in_doubt", "message_released", "message_written_off")
        for index in (*indices, "message_of_group", "doubtful_attempt", "earlier_attempt_of_id"):
            journal.execute(f"DROP INDEX {index}")

        for column in ("begun_at", "is_doubtful", "message_id", "error_code"):
            journal.execute(f"ALTER TABLE earlier_attempt DROP COLUMN {column}")

        money = ("segments", "cost_micros", "is_released", "purse")
        for column in (*money, "begun_at", "earlier_micros", "group_row", "recipient"):
            journal.execute(f"ALTER TABLE message DROP COLUMN {column}")

        journal.execute("PRAGMA user_version = 2")

    journal.close()
    rest = run(folder, *SEND, "--rate", "2000", env=env)
    assert rest.code == 0, rest.err
    assert rest.json["states"] == {"accepted": 59, "skipped": 3}


@pytest.mark.parametrize("day", ["Sunday", "Monday"], ids=["the same plan", "another plan"])
def test_a_campaign_of_which_nothing_was_tried_has_not_started(folder, provider, day):
    """Whom another campaign texted meanwhile is spared, and the prices are those of today."""
    now = datetime.now(UTC)
    write_campaign(folder, people=2, text=CAPPED)
    dearer = f"{DEARER}effective = {now.date() - timedelta(days=2)}\n"
    (folder / "card.toml").write_text(CARD + dearer)
    with simulating("--client-id", "another", "--client-secret", "one") as wrong:
        assert run(folder, *SEND, "--quiet", env=account(wrong)).code == 4

    with sqlite3.connect(folder / "journal.db") as journal:
        ten_days_ago = to_micros(now - timedelta(days=10))
        journal.execute("UPDATE campaign SET created_at = ?", (ten_days_ago,))

    journal.close()
    env, other = account(provider), CAMPAIGN.replace("spring", "winter")
    (folder / "winter.toml").write_text(other.replace("people.csv", "one.csv"))
    (folder / "one.csv").write_text(f"name,phone\nAnn,{number(1)}\n")
    sent = run(folder, "send", "winter.toml", "--yes", "--json", env=env)
    assert sent.json["states"] == {"accepted": 1}, sent.err

    (folder / "campaign.toml").write_text(CAPPED.replace("Sunday", day))
    dry = run(folder, "estimate", "campaign.toml", "--json", env=env).json
    done = run(folder, *SEND, env=env)
    assert (dry["skipped"].get("frequency_cap"), dry["cost"]["total"]) == (1, 0.005)
    assert done.json["states"] == {"accepted": 1, "skipped": 3}, done.err
    assert done.json["cost"] == dry["cost"]


def test_who_answers_after_another_run_has_begun_the_campaign_goes_on_with_that_one(
    folder, provider
):
    """What the plan on the screen leaves out is not what was sent: its results would be wrong."""
    env = account(provider)
    write_campaign(folder, people=6)
    with at_a_terminal(folder, *SEND[:2], more=env) as (terminal, process):
        terminal.wait_for("Send 6 messages for 0.024 USD? [y/N]")
        run(folder, "suppress", "add", SPARED, "--because", "letter", env=env)
        assert run(folder, *SEND, env=env).json["states"] == {"accepted": 5, "skipped": 3}
        terminal.type("y\n")
        terminal.read_to_the_end()
        assert process.wait(20) == 5

    assert "another run has begun campaign 'spring' meanwhile" in terminal.seen
    done = run(folder, *SEND, env=env)
    assert (done.code, done.json["states"]) == (0, {"accepted": 5, "skipped": 3})
