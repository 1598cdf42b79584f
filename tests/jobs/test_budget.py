"""A budget is said before the first message, stops the run cleanly, and may be raised."""

import json
from contextlib import contextmanager
from decimal import Decimal

import pytest

from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, ledger, run, write_campaign

SEND = ("send", "campaign.toml", "--yes")
PRICE = Decimal("0.004")


def with_budget(folder, *lines, people=20, rate=2000):
    text = CAMPAIGN.replace("rate = 2000", "\n".join([f"rate = {rate}", *lines]))
    write_campaign(folder, people=people, text=text)


@contextmanager
def provider(*options):
    with simulating(*options) as url:
        yield url, account(url)


def test_a_budget_stops_the_run_with_5_and_a_larger_one_finishes_the_campaign(folder):
    with_budget(folder, "budget = 0.05")
    with provider() as (url, env):
        stopped = run(folder, *SEND, "--json", env=env)
        assert stopped.code == 5, stopped.err
        assert stopped.json["states"] == {"ready": 8, "accepted": 12, "skipped": 2}
        assert stopped.json["messages_left"] == 8
        assert stopped.json["spending"]["campaign"] == {
            "budget": 0.05,
            "spent": 0.048,
            "in_doubt": 0.0,
            "remaining": 0.002,
        }
        for said in ("0.05 USD", "0.048 USD are spent", "0.002 USD remain", "8 messages are left"):
            assert said in stopped.json["stopped"]
            assert said in stopped.sentences()[-1]

        again = run(folder, *SEND, env=env)
        assert again.code == 5
        assert "8 messages are left; raise the budget" in again.out
        assert ledger(url)["messages"] == 12

        with_budget(folder, "budget = 0.08")
        rest = run(folder, *SEND, "--json", env=env)
        assert (rest.code, rest.json["states"]) == (0, {"accepted": 20, "skipped": 2})
        assert rest.json["stopped"] is None
        assert ledger(url)["messages"] == 20
        assert ledger(url)["duplicate_handsets"] == []


def test_the_option_raises_the_budget_of_the_file(folder):
    with_budget(folder, "budget = 0.05")
    with provider() as (url, env):
        assert run(folder, *SEND, "--quiet", env=env).code == 5
        assert run(folder, *SEND, "--quiet", "--budget", "0.08", env=env).code == 0
        assert ledger(url)["messages"] == 20


def test_refused_messages_give_their_money_to_others(folder):
    """Every other row has a picture at an address longer than the provider takes."""
    text = CAMPAIGN.replace("rate = 2000", "rate = 2000\nbudget = 0.04")
    text = text.replace(
        "template", 'channel = "mms"\nmedia = ["https://a.example/1.png"]\ntemplate'
    )
    write_campaign(folder, people=20, text=f'{text}[columns]\nmedia = "pictures"\n')
    (folder / "card.toml").write_text((folder / "card.toml").read_text().replace("sms", "mms"))
    rows = (folder / "people.csv").read_text().splitlines()
    too_long = f"https://a.example/{'x' * 4_096}.png"
    pictures = ["pictures", *(("", too_long)[n % 2] for n in range(len(rows) - 1))]
    lines = [f"{row},{more}" for row, more in zip(rows, pictures, strict=True)]
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    with provider("--faults", "latency=100") as (url, env):
        done = run(folder, *SEND, "--json", env=env)
        assert done.json["states"]["accepted"] == ledger(url)["messages"] == 10, done.json

    assert done.json["states"]["rejected"] > 0
    assert done.json["spending"]["campaign"]["remaining"] == 0


def test_money_in_doubt_stays_reserved_and_is_said(folder):
    with_budget(folder, "budget = 0.05\n[settling]\nseconds = [0]")
    with provider("--faults", "lost=0.4,unlisted=1") as (url, env):
        done = run(folder, *SEND, "--json", env=env)
        assert done.code == 6
        doubts = done.json["in_doubt"]
        assert doubts > 0
        assert done.json["states"]["accepted"] + doubts == 12
        assert done.json["spending"]["campaign"]["in_doubt"] == pytest.approx(0.004 * doubts)
        assert "are reserved by messages in doubt" in done.sentences()[-1]
        assert ledger(url)["messages"] == 12


def test_the_days_budget_counts_every_campaign_of_the_account(folder):
    with_budget(folder, "daily_budget = 0.1")
    with provider() as (url, env):
        first = run(folder, *SEND, "--json", env=env)
        assert first.code == 0
        second = run(folder, *SEND, "--json", "--name", "summer", env=env)
        assert (second.code, second.json["states"]["accepted"]) == (5, 5)
        assert "0.10 USD are spent by the account today" in second.json["stopped"]
        assert second.json["spending"]["day"]["remaining"] == 0
        assert second.json["spending"]["campaign"]["spent"] == 0.02
        assert ledger(url)["messages"] == 25


BEFORE = {
    "campaign": ("budget = 0.05", "the budget of 0.05 USD is under the estimate of 0.08 USD"),
    "day": ("daily_budget = 0.03", "take 3 days or more"),
}


@pytest.mark.parametrize(("line", "sentence"), BEFORE.values(), ids=BEFORE.keys())
def test_a_budget_under_the_estimate_is_said_before_the_first_message(
    bandcast, folder, line, sentence
):
    with_budget(folder, line)
    for command in (("estimate", "campaign.toml"), (*SEND, "--simulate")):
        for options in ((), ("--json",)):
            done = bandcast(*command, *options)
            assert sentence in done.err
            if options:
                assert json.loads(done.out)["budget"]["covers_estimate"] is False

        assert sentence not in bandcast(*command, "--quiet").err


def test_a_budget_covers_what_the_dearest_carrier_would_make_of_it(bandcast, folder):
    """Nobody knows who delivers, so the highest price is reserved."""
    with_budget(folder, "budget = 0.165")
    (folder / "campaign.toml").write_text(
        (folder / "campaign.toml").read_text().replace('card = "card.toml"', "")
    )
    done = bandcast("estimate", "campaign.toml", "--json")
    assert done.json["cost"]["total"] < 0.165 < done.json["cost"]["high"] == 0.17
    assert "is under the highest cost, which is reserved: 0.17 USD" in done.err
    assert done.json["budget"]["covers_estimate"] is False
    stopped = bandcast(*SEND, "--simulate", "--json")
    assert (stopped.code, stopped.json["messages_left"]) == (5, 1)


def test_a_budget_that_covers_the_estimate_is_not_warned_about(bandcast, folder):
    with_budget(folder, "budget = 0.08", "daily_budget = 0.08")
    done = bandcast("estimate", "campaign.toml", "--json")
    assert done.err == ""
    assert done.json["budget"] == {"campaign": 0.08, "daily": 0.08, "covers_estimate": True}


def test_a_simulated_run_keeps_to_the_budget_and_goes_on(bandcast, folder):
    with_budget(folder, 'budget = "0.05"')
    assert bandcast(*SEND, "--simulate", "--json").json["states"]["delivered"] == 12
    done = bandcast(*SEND, "--simulate", "--json", "--budget", "0.06")
    assert (done.code, done.json["states"]["delivered"]) == (5, 15)


@pytest.mark.parametrize("amount", ["0", "-1", "true", '"much"', "nan", "inf", "0.0000001", "[1]"])
@pytest.mark.parametrize("key", ["budget", "daily_budget"])
def test_what_is_no_amount_is_refused_in_a_sentence(bandcast, folder, key, amount):
    with_budget(folder, f"{key} = {amount}")
    done = bandcast("estimate", "campaign.toml")
    assert (done.code, done.out) == (2, "")
    (sentence,) = done.sentences()
    assert f"[sending] {key} must be an amount above 0" in sentence


def test_an_option_that_is_no_amount_is_refused_by_its_name(bandcast):
    done = bandcast("estimate", "campaign.toml", "--budget", "much")
    assert done.code == 2
    assert "--budget must be an amount above 0" in done.err
