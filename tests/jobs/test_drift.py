"""Estimate against actual, on the command line: who counted otherwise, what it costs, and why."""

import polars as pl
import pytest

from pipeline.bandwidth.error_codes import find
from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, number

SEND = ("send", "campaign.toml", "--yes")
SIMULATE = (*SEND, "--simulate")

TEXTS = {
    "short": "a" * 100,
    "at the border": "a" * 152 + "€" + "a" * 152,
    "two full parts": "a" * 306,
    "foreign": "ж" * 100,
    "quotes": "“" + "a" * 100 + "”",
    "brackets": "{" + "a" * 158 + "}",
}


@pytest.fixture(autouse=True)
def texts(folder):
    """A campaign in which every recipient has a text of its own: 12 segments."""
    rows = [f'{number(person)},"{text}"' for person, text in enumerate(TEXTS.values())]
    (folder / "people.csv").write_text("phone,text\n" + "\n".join(rows) + "\n")
    template = 'template = "Hi {name}, see you on Sunday."'
    (folder / "campaign.toml").write_text(CAMPAIGN.replace(template, 'template = "{text}"'))
    return folder / "out" / "spring"


def rows_of(path):
    return dict(pl.read_csv(path).select("row", "cause").iter_rows())


COUNTS = {
    "ceil": {2: "pairs_split"},
    "16bit": {3: "long_headers"},
    "characters": {2: "pairs_split", 6: "pairs_as_one"},
    "ucs2": {1: "ucs2_for_gsm7", 2: "ucs2_for_gsm7", 3: "ucs2_for_gsm7", 6: "ucs2_for_gsm7"},
    "gsm7": {4: "gsm7_for_ucs2", 5: "characters_replaced"},
    "one": {
        2: "sms_as_mms",
        3: "sms_as_mms",
        4: "gsm7_for_ucs2",
        5: "characters_replaced",
        6: "pairs_as_one",
    },
}


@pytest.mark.parametrize(("count", "causes"), COUNTS.items(), ids=COUNTS.keys())
def test_a_provider_that_counts_otherwise_is_found_out(bandcast, texts, count, causes):
    done = bandcast(*SIMULATE, "--json", "--faults", f"count={count}")
    assert done.code == 0
    drift = done.json["drift"]
    assert rows_of(texts / "drift.csv") == causes
    assert drift["messages"] == len(causes)
    assert {each["cause"]: each["messages"] for each in drift["causes"]} == {
        cause: list(causes.values()).count(cause) for cause in causes.values()
    }
    results = pl.read_parquet(texts / "results.parquet")
    segments = results["segments_billed"].sum() - results["segments"].sum()
    assert drift["segments_difference"] == segments
    cost = results["cost"].sum() - results["cost_estimated"].sum()
    assert drift["cost_difference"] == pytest.approx(float(cost), abs=1e-9)
    assert done.json["cost_of_results"] == pytest.approx(
        done.json["cost"]["total"] + drift["cost_difference"], abs=1e-9
    )


def test_a_provider_that_counts_as_estimated_leaves_no_drift(bandcast, texts):
    assert bandcast(*SIMULATE, "--quiet", "--faults", "count=ceil").code == 0
    assert (texts / "drift.csv").exists()
    done = bandcast(*SIMULATE, "--json")
    assert done.json["drift"] == {
        "messages": 0,
        "segments_difference": 0,
        "cost_difference": 0.0,
        "causes": [],
        "rows": None,
    }
    assert not (texts / "drift.csv").exists()
    assert "otherwise" not in bandcast(*SIMULATE).out


def test_send_says_it_in_one_line_and_results_by_cause(bandcast, texts):
    with simulating("--faults", "count=16bit") as url:
        sent = bandcast(*SEND, env=account(url))

    assert sent.code == 0
    (line,) = [line for line in sent.out.splitlines() if "counted otherwise" in line]
    assert "1 message, +1 segment, +0.004 USD (drift.csv)" in line
    shown = bandcast("results", "campaign.toml")
    assert shown.code == 0
    for said in ("1 message", "16-bit references", "drift.csv"):
        assert said in shown.out

    told = bandcast("results", "campaign.toml", "--json")
    assert told.json["drift"]["causes"][0]["cause"] == "long_headers"
    assert told.json["drift"]["rows"] == "out/spring/drift.csv"
    for person in range(len(TEXTS)):
        for said in (sent.out, sent.err, shown.out, told.out, (texts / "drift.csv").read_text()):
            assert number(person) not in said

    assert (texts / "drift.csv").stat().st_mode & 0o777 == 0o600


def test_a_lost_answer_leaves_the_count_to_its_receipt(bandcast, texts):
    done = bandcast(*SIMULATE, "--json", "--faults", "lost=1,count=one")
    assert done.code == 0
    assert set(rows_of(texts / "drift.csv").values()) == {"one_part_told"}


FAILURES = {
    "found by Bandwidth: free": (4404, 0),
    "its spam filter: billed": (4470, 12),
    "found by the carrier: billed": (4720, 12),
    "a code that nobody knows: billed": (4999, 12),
}


@pytest.mark.parametrize(("code", "segments"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_message_costs_what_bandwidth_bills(bandcast, texts, code, segments):
    done = bandcast(*SIMULATE, "--json", "--faults", f"failed=1,failed_code={code}")
    assert (done.code, done.json["segments"]) == (3, 12)
    assert done.json["cost_of_results"] == pytest.approx(segments * 0.004, abs=1e-9)
    said = find(code).sentence if find(code) else "rejected by the carrier"
    assert set(pl.read_parquet(texts / "results.parquet")["error"]) == {said}


def test_a_count_that_does_not_exist_is_bad_usage(bandcast):
    done = bandcast(*SIMULATE, "--faults", "count=7bit")
    assert (done.code, done.out) == (2, "")
    assert done.sentences() == [
        "error: --faults: 'count' is one of standard, ceil, 16bit, ucs2, gsm7, characters, one"
    ]
