"""Send for real, to a provider in a process of its own: it counts what each handset received."""

import resource
import signal
from contextlib import contextmanager

import polars as pl
import pytest

from pipeline.dispatch.worker import FIRST_LATENCY_SECONDS, lanes_needed
from tests.crash.launch import simulating

from .shell import (
    CAMPAIGN,
    CARD,
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

SEND = ("send", "campaign.toml", "--yes")


@pytest.fixture(scope="module")
def provider():
    with simulating() as url:
        yield url


def results(folder):
    return pl.read_parquet(folder / "out" / "spring" / "results.parquet")


def texts_of(url, folder):
    """What the handsets of this campaign's people have, by the provider's book."""
    ours = set(results(folder)["message_id"].drop_nulls())
    return [text for text in ledger(url)["texts"] if text["message_id"] in ours]


def test_a_campaign_is_sent_once_however_often_the_command_is_run(folder, provider, bandcast):
    env = account(provider)
    before = ledger(provider)
    first = run(folder, *SEND, "--json", env=env)
    assert first.code == 0, first.err
    assert first.json["states"] == {"accepted": 20, "skipped": 2}
    assert first.json["simulated"] is False
    after = ledger(provider)
    assert after["messages"] - before["messages"] == 20
    assert len(texts_of(provider, folder)) == 20

    second = run(folder, *SEND, "--json", env=env)
    assert (second.code, second.json["states"]) == (0, first.json["states"])
    assert second.json["fingerprint"] == first.json["fingerprint"]
    assert ledger(provider)["requests"] == after["requests"], "somebody was texted again"

    tell_where_it_stands(folder, bandcast, env)
    refuse_what_changed(folder, bandcast, env)
    assert ledger(provider)["requests"] == after["requests"]


def tell_where_it_stands(folder, bandcast, env):
    """`status` and `results`, from the journal alone."""
    table = bandcast("status", env=env)
    assert (table.code, table.err) == (0, "")
    assert "Campaign 'spring'" in table.out
    by_file = bandcast("status", "campaign.toml", "--json", env=env)
    (campaign,) = by_file.json["campaigns"]
    assert campaign.pop("created_at")
    assert campaign == {
        "campaign": "spring",
        "messages": 20,
        "segments": 20,
        "cost": {"total": 0.08, "currency": "USD"},
        "states": {"accepted": 20},
        "paused": None,
        "decisions": [],
    }
    by_name = bandcast("status", "spring", "--json", env=env).json
    assert by_name == bandcast("status", "--json", env=env).json
    for name, hint in (("summer", ""), ("sprng", "; did you mean 'spring'?"), ("x" * 5_000, "")):
        unknown = bandcast("status", name, env=env)
        said = [f"error: the journal at sqlite:///journal.db has no campaign '{name}'{hint}"]
        assert (unknown.code, unknown.sentences()) == (2, said)

    written = results(folder)
    (folder / "out" / "spring" / "results.parquet").unlink()
    done = bandcast("results", "campaign.toml", "--json", env=env)
    assert done.code == 0
    assert done.json == {
        "campaign": "spring",
        "rows": 22,
        "states": {"accepted": 20, "skipped": 2},
        "in_doubt": 0,
        "cost_of_results": 0.08,
        "drift": {
            "messages": 0,
            "segments_difference": 0,
            "cost_difference": 0.0,
            "causes": [],
            "rows": None,
        },
        "results": "out/spring/results.parquet",
    }
    assert results(folder).equals(written)


def refuse_what_changed(folder, bandcast, env):
    """The journal knows the plan by its fingerprint; a run with another one sends nothing."""
    (folder / "campaign.toml").write_text(CAMPAIGN.replace("Sunday", "Monday"))
    with (folder / "people.csv").open("a") as file:
        file.write("Eve,+19175550177\n")

    before = listing(folder / "out")
    for command in (SEND, ("results", "campaign.toml")):
        done = bandcast(*command, "--quiet", env=env)
        assert (done.code, done.out) == (2, "")
        (sentence,) = done.sentences()
        assert sentence.startswith(
            "error: campaign 'spring' has begun, and its recipients (people.csv), template have "
            "changed since: put them back as they were"
        )
        assert "rate card" not in sentence

    assert listing(folder / "out") == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--client-id", "another", "--client-secret", "one"), ["BW_CLIENT_ID", "401"]),
        (("--account-id", "1234567"), ["403"]),
    ],
    ids=["wrong credentials", "another account"],
)
def test_who_may_not_send_is_told_so_once_and_every_row_stays_ready(folder, options, words):
    with simulating(*options) as url:
        env = account(url)
        refused = run(folder, *SEND, "--json", env=env)
        assert ledger(url)["messages"] == 0

    assert refused.code == 4
    assert refused.json["states"] == {"ready": 20, "skipped": 2}
    (sentence,) = refused.sentences()
    for word in (*words, "run the same command again"):
        assert word in sentence

    assert set(results(folder)["attempts"]) <= {0, 1}
    with simulating("--port", url.rpartition(":")[2]) as url:
        assert run(folder, *SEND, "--quiet", env=account(url)).code == 0
        assert ledger(url)["messages"] == 20


def test_a_campaign_that_one_provider_has_is_not_sent_to_another(folder, provider):
    assert run(folder, *SEND, "--quiet", env=account(provider)).code == 0
    before = ledger(provider)["requests"]
    other = run(folder, *SEND, "--quiet", env=account(provider, BW_ACCOUNT_ID="1234567"))
    assert (other.code, other.out) == (2, "")
    assert "its provider (BW_ACCOUNT_ID or BW_MESSAGING_URL) has changed since" in other.err
    assert "put it back as it was; what is new needs a campaign of another name" in other.err
    assert "`bandcast status` counts them" in other.err
    assert ledger(provider)["requests"] == before


def test_who_mistyped_his_account_may_mend_it_and_the_file_after_a_403(folder):
    """Each POST was refused, so nobody has a text and the name is free for another plan."""
    with simulating("--account-id", "9900000") as url:
        mistyped = run(folder, *SEND, "--quiet", env=account(url, BW_ACCOUNT_ID="1234567"))
        assert (mistyped.code, ledger(url)["messages"]) == (4, 0)
        (folder / "campaign.toml").write_text(CAMPAIGN.replace("Sunday", "Monday"))
        done = run(folder, *SEND, "--json", env=account(url, BW_ACCOUNT_ID="9900000"))
        assert (done.code, done.json["states"]["accepted"]) == (0, 20)
        assert (ledger(url)["messages"], ledger(url)["duplicate_handsets"]) == (20, [])


def test_who_was_refused_before_anything_was_tried_may_mend_address_and_file(folder, provider):
    with simulating("--client-id", "another", "--client-secret", "one") as wrong:
        assert run(folder, *SEND, "--quiet", env=account(wrong)).code == 4

    (folder / "people.csv").write_text(f"name,phone\nAnn,{number(3)}\n")
    done = run(folder, *SEND, "--json", env=account(provider))
    assert (done.code, done.json["states"]) == (0, {"accepted": 1}), done.err
    again = run(folder, "results", "campaign.toml", "--json", env=account(provider))
    assert again.json["states"] in ({"accepted": 1}, {"delivered": 1})


def test_the_journal_is_beside_the_campaign_wherever_the_command_is_run(folder, provider):
    env = account(provider, BANDCAST_JOURNAL="")
    inner = folder / "inner"
    inner.mkdir()
    assert run(folder, *SEND, "--quiet", env=env).code == 0
    before = ledger(provider)["requests"]
    assert run(inner, "send", "../campaign.toml", "--yes", "--quiet", env=env).code == 0
    assert ledger(provider)["requests"] == before, "everybody was texted again"
    told = run(inner, "status", "../campaign.toml", "--json", env=env)
    assert told.json["campaigns"][0]["states"] == {"accepted": 20}


@contextmanager
def sending(folder, url):
    """A send that is under way; it ends by itself."""
    with start(folder, *SEND, "--json", env=account(url)) as process:
        before = ledger(url)["messages"]
        wait_until(lambda: ledger(url)["messages"] > before, process)
        yield process


AUTO = CAMPAIGN.replace(
    "[sending]", 'channel = "auto"\nmedia = ["https://example.com/a.png"]\n[sending]'
)
MMS = """
[[price]]
channel = "mms"
sender = "10dlc"
prefix = "1"
base = "0.010"
"""


def test_each_message_goes_by_the_channel_that_costs_less(folder, provider):
    """An SMS that carried its picture all the same would be one segment in the provider's book."""
    parts = [1, 2, 3, 2, 6]
    rows = [f"{'y' * 120 * part},{number(at)}" for at, part in enumerate(parts)]
    (folder / "people.csv").write_text("\n".join(["name,phone", *rows]) + "\n")
    (folder / "card.toml").write_text(CARD + MMS)
    (folder / "campaign.toml").write_text(AUTO)
    done = run(folder, *SEND, "--json", env=account(provider))
    assert (done.code, done.json["states"]) == (0, {"accepted": 5}), done.err
    assert done.json["segments"] == 1 + 2 + 1 + 2 + 1
    assert done.json["cost"]["total"] == 0.004 * 5 + 0.010 * 2
    sent = results(folder).select("channel", "segments").rows()
    assert sent == [("sms", 1), ("sms", 2), ("mms", 1), ("sms", 2), ("mms", 1)]
    on_air = {text["to"][0]: text["segments"] for text in texts_of(provider, folder)}
    assert [on_air[number(at)] for at in range(5)] == [1, 2, 1, 2, 1]


def test_a_second_run_of_a_campaign_ends_at_once_and_sends_nothing(folder, provider):
    write_campaign(folder, people=100, text=CAMPAIGN.replace("2000", "5"))
    with sending(folder, provider) as first:
        second = run(folder, *SEND, env=account(provider))
        assert first.poll() is None, "it waited for the first"
        running = run(folder, "status", "--json", env=account(provider)).json["campaigns"][0]
        first.send_signal(signal.SIGINT)
        done = finish(first)

    assert (second.code, second.out) == (7, ""), "it estimated before it looked"
    assert len(second.sentences()) == 1
    assert "spring" in second.err
    assert sum(running["states"].values()) == 100
    assert (done.code, sum(done.json["states"].values())) == (5, 102)
    assert len(texts_of(provider, folder)) == done.json["states"]["accepted"]


def test_a_journal_that_cannot_grow_stops_the_run_and_the_next_one_goes_on(folder):
    text = CAMPAIGN.replace("2000", "200") + "[settling]\nseconds = [0.2]\n"
    write_campaign(folder, people=100, text=text)
    limit = (resource.RLIMIT_FSIZE, (250_000, resource.RLIM_INFINITY))
    with simulating("--faults", "latency=10") as url:
        limited = {"preexec_fn": lambda: resource.setrlimit(*limit)}
        broken = finish(start(folder, *SEND, "--quiet", env=account(url), **limited))
        sent = ledger(url)["messages"]
        done = run(folder, *SEND, "--json", env=account(url))
        book = ledger(url)

    assert (broken.code, broken.out) == (1, "")
    assert len(broken.err.splitlines()) == 1
    assert "journal.db" in broken.err
    assert "defect" not in broken.err
    assert 0 < sent < 100
    assert done.code in {0, 6}
    assert "ready" not in done.json["states"]
    assert book["duplicate_handsets"] == []
    assert done.json["in_doubt"] <= lanes_needed(200, FIRST_LATENCY_SECONDS)


def test_a_moment_that_has_passed_is_refused_before_anything_is_sent(bandcast, folder):
    sending = "[sending]\nexpires_after = 2026-01-01T00:00:00Z\n"
    write_campaign(folder, text=CAMPAIGN.replace("[sending]\n", sending))

    done = bandcast("send", "campaign.toml", "--simulate", "--yes")
    assert done.code == 2
    assert "2026-01-01T00:00:00+00:00 has passed" in done.err
    assert not (folder / "out").exists()
