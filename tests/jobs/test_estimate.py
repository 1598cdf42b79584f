"""Estimate: one document for programs, a table for people, a plan for both, and nothing sent."""

import os

import polars as pl
import pytest

from pipeline.prepare.columns import PLAN_COLUMNS
from tests.files.workbooks import workbook

from .shell import CAMPAIGN, CARD, finish, listing, start

DOCUMENT = ["campaign", "rows", "messages", "skipped", "encodings", "segments", "cost",
            "budget", "seconds_at_rate", "breakdown", "dearest", "advice", "fingerprint",
            "file"]  # fmt: skip


def test_a_real_process_prints_exactly_one_document_with_the_promised_keys(folder):
    done = finish(start(folder, "estimate", "campaign.toml", "--json"))
    assert (done.code, done.err) == (0, "")
    assert list(done.json) == DOCUMENT
    document = done.json
    fingerprint, file = document.pop("fingerprint"), document.pop("file")
    breakdown, dearest = document.pop("breakdown"), document.pop("dearest")
    assert breakdown["segments"] == [
        {
            "value": 1,
            "messages": 20,
            "segments": 20,
            "cost": 0.08,
            "low": 0.08,
            "high": 0.08,
            "seconds_at_rate": 0.01,
        }
    ]
    assert {share["value"] for share in breakdown["country"]} == {"US"}
    assert document.pop("advice") == []
    assert dearest[0] == {"row": 1, "segments": 1, "cost": 0.004}
    assert file["refusals"]["duplicate"] == {"count": 1, "rows": [3]}
    assert (file["kind"], file["delimiter"], file["rows"]) == ("text", ",", 22)
    assert document | {"fingerprint": ""} == {
        "campaign": "spring",
        "rows": 22,
        "messages": 20,
        "skipped": {"duplicate": 1, "invalid_number": 1},
        "encodings": {"GSM-7": 20, "UCS-2": 0},
        "segments": 20,
        "cost": {
            "total": 0.08,
            "low": 0.08,
            "high": 0.08,
            "currency": "USD",
            "rate_card": "test card",
            "mix": {},
        },
        "budget": {"campaign": None, "daily": None, "covers_estimate": True},
        "seconds_at_rate": 0.01,
        "fingerprint": "",
    }
    assert len(fingerprint) == 16
    assert done.out.count("\n") == 1


def test_the_plan_has_a_row_for_every_row_and_the_columns_of_the_contract(bandcast, folder):
    bandcast("estimate", "campaign.toml")
    plan = pl.read_parquet(folder / "out" / "spring" / "plan.parquet")
    assert tuple(plan.columns) == (*PLAN_COLUMNS, "name", "phone")
    assert plan["row"].to_list() == list(range(1, 23))
    assert plan["reason"].to_list()[:4] == [None, "invalid_number", "duplicate", None]


def test_a_person_reads_a_table_on_stdout(bandcast):
    done = bandcast("estimate", "campaign.toml")
    assert (done.code, done.err) == (0, "")
    for said in ("22", "20", "duplicate", "0.08 USD", "test card", "out/spring/plan.parquet"):
        assert said in done.out


def test_advice_is_given_in_money_unless_it_is_not_wanted(bandcast):
    template = ("--template", "It’s {name}, " + "y" * 80)
    document = bandcast("estimate", "campaign.toml", *template, "--json").json
    (advice,) = [each for each in document["advice"] if each["code"] == "template_characters"]
    assert (advice["messages"], advice["saving"]) == (20, 0.08)
    told = bandcast("estimate", "campaign.toml", *template)
    assert "What would cost less" in told.out
    assert "U+2019" in told.out
    silent = bandcast("estimate", "campaign.toml", *template, "--no-advice")
    assert "What would cost less" not in silent.out


CARRIERS = """
[[carrier]]
name = "T-Mobile"
prefix = "1"
share = "0.25"
[[carrier]]
name = "AT&T"
prefix = "1"
share = "0.75"
[[surcharge]]
carrier = "T-Mobile"
channel = "sms"
sender = "10dlc"
amount = "0.0045"
[[surcharge]]
carrier = "AT&T"
channel = "sms"
sender = "10dlc"
amount = "0.0035"
"""


@pytest.fixture
def carriers(folder):
    """A card with a mix, and a table that knows the numbers of two of the ten areas."""
    (folder / "card.toml").write_text(CARD + CARRIERS)
    (folder / "who.csv").write_text("prefix,carrier\n1212,at&t\n1213,T-Mobile\n")
    told = CAMPAIGN.replace('"card.toml"', '"card.toml"\ncarriers = "who.csv"')
    (folder / "known.toml").write_text(told.replace("spring", "known"))


@pytest.mark.usefixtures("carriers")
def test_a_mix_of_carriers_gives_the_expected_the_lowest_and_the_highest_cost(bandcast):
    document = bandcast("estimate", "campaign.toml", "--json").json
    assert document["cost"] == {
        "total": 0.155,  # 20 segments, each 0.004 + 0.25 x 0.0045 + 0.75 x 0.0035
        "low": 0.15,
        "high": 0.17,
        "currency": "USD",
        "rate_card": "test card",
        "mix": {"1": {"T-Mobile": 0.25, "AT&T": 0.75}},
    }
    assert "carrier" not in document["breakdown"]
    shown = bandcast("estimate", "campaign.toml").out
    for said in ("0.155 USD", "at least", "0.15 USD", "at most", "0.17 USD",
                 "assumed in 1: T-Mobile", "25 %", "assumed in 1: AT&T", "75 %"):  # fmt: skip
        assert said in shown


@pytest.mark.usefixtures("carriers")
def test_carriers_that_are_known_narrow_the_cost_and_are_broken_down(bandcast):
    document = bandcast("estimate", "known.toml", "--json").json
    cost = document["cost"]
    assert (cost["low"], cost["total"], cost["high"]) == (0.152, 0.156, 0.168)
    assert [(share["value"], share["messages"], share["cost"]) for share in
            document["breakdown"]["carrier"]] == [
        (None, 16, 0.124), ("T-Mobile", 2, 0.017), ("AT&T", 2, 0.015)
    ]  # fmt: skip
    shown = bandcast("estimate", "known.toml").out
    assert "carrier" in shown
    assert "AT&T" in shown


def test_a_cost_that_is_certain_has_no_bounds(bandcast):
    shown = bandcast("estimate", "campaign.toml").out
    assert "at least" not in shown
    assert "assumed" not in shown


def test_quiet_says_nothing_and_writes_the_plan(bandcast, folder):
    done = bandcast("estimate", "campaign.toml", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (folder / "out" / "spring" / "plan.parquet").exists()


def test_the_same_input_has_the_same_fingerprint_whatever_its_spelling(bandcast):
    by_file = bandcast("estimate", "campaign.toml", "--json").json
    template = "Hi {name}, see you on Sunday."
    by_options = bandcast(
        "estimate", "people.csv", "--template", template, "--from", "+19195550199",
        "--rates", "card.toml", "--rate", "2000", "--name", "spring", "--json",
    )  # fmt: skip
    assert by_options.json == by_file
    changed = bandcast("estimate", "campaign.toml", "--template", "Hi", "--json").json
    assert changed["fingerprint"] != by_file["fingerprint"]


def test_parquet_is_read_like_csv(bandcast, folder):
    people = pl.read_csv(folder / "people.csv", infer_schema=False)
    people.write_parquet(folder / "people.parquet")
    options = ("--template", "Hi {name}", "--from", "12345", "--rates", "card.toml", "--json")
    from_csv, from_parquet = (
        bandcast("estimate", file, *options).json for file in ("people.csv", "people.parquet")
    )
    for document in (from_csv, from_parquet):
        del document["fingerprint"]
        document["file"] = document["file"]["refusals"]

    assert from_parquet == from_csv


@pytest.mark.parametrize(("said", "sheet"), [("", "People"), ('[file]\nsheet = "More"', "More")])
def test_the_sheet_of_a_workbook_that_is_read_is_named(bandcast, folder, said, sheet):
    people = [["phone", "name"], ["9195550123", "Ann"], ["9195550124", "Bob"]]
    (folder / "people.xlsx").write_bytes(workbook(People=people, More=people, Notes=[["x"]]))
    text = CAMPAIGN.replace("people.csv", "people.xlsx")
    (folder / "campaign.toml").write_text(text + said)
    assert bandcast("estimate", "campaign.toml", "--json").json["file"]["sheet"] == sheet
    rows = [line.split() for line in bandcast("estimate", "campaign.toml").out.splitlines()]
    assert ["│", "sheet", "│", sheet, "│"] in rows


def test_files_go_where_out_says_and_nowhere_else(bandcast, folder):
    before = listing(folder)
    assert bandcast("estimate", "campaign.toml", "--out", "a/b").code == 0
    assert listing(folder).keys() - before.keys() == {"a", "a/b", "a/b/plan.parquet"}


def test_paths_in_a_campaign_are_relative_to_it_and_out_to_where_we_are(bandcast, folder):
    inner = folder / "inner"
    inner.mkdir()
    for name in ("campaign.toml", "people.csv", "card.toml"):
        (folder / name).rename(inner / name)

    assert bandcast("estimate", "inner/campaign.toml", "--quiet").code == 0
    assert (folder / "out" / "spring" / "plan.parquet").exists()


def test_without_a_card_the_list_prices_are_named(bandcast):
    options = ("--template", "Hi", "--from", "+19195550199", "--json")
    assert "list" in bandcast("estimate", "people.csv", *options).json["cost"]["rate_card"].lower()


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("estimate", "-h"), ("--version",)], ids=str
)
def test_help_is_on_stdout_and_no_error(bandcast, arguments):
    done = bandcast(*arguments)
    assert (done.code, done.err) == (0, "")
    assert "bandcast" in done.out


def test_a_reader_who_goes_away_is_no_defect_of_ours(folder):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = finish(start(folder, "estimate", "campaign.toml", "--json", stdout=writing))
    finally:
        os.close(writing)

    assert (done.code, done.err) == (0, "")
    assert (folder / "out" / "spring" / "plan.parquet").exists()


def test_a_file_of_nothing_but_numbers_needs_no_header(folder, bandcast):
    (folder / "p.csv").write_text("9195550123\n(919) 555-0124\nx\n")
    text = ("--template", "Hi", "--from", "+19195550199", "--json")
    done = bandcast("estimate", "p.csv", *text)
    assert (done.code, done.err) == (0, "")
    assert (done.json["rows"], done.json["messages"]) == (3, 2)
    assert done.json["file"]["phone_columns"] == ["column_1"]


@pytest.mark.parametrize(
    ("content", "told"),
    [('{"phone": "9195550123"}\n', []), ("phone\n9195550123\n", ["the first line"])],
    ids=["objects", "text"],
)
def test_a_header_is_told_of_where_a_file_has_one(folder, bandcast, content, told):
    (folder / "p.csv").write_text(content)
    done = bandcast("estimate", "p.csv", "--template", "Hi", "--from", "+19195550199")
    assert done.code == 0, done.err
    lines = [line.split("│") for line in done.out.splitlines()]
    assert [line[2].strip() for line in lines if line[1:2] and line[1].strip() == "header"] == told


def test_row_numbers_in_a_list_have_no_separators_of_their_own(folder):
    wrong = (301, 401, 1101)
    rows = [f"Ann,{'none' if row in wrong else 2125550100 + row}" for row in range(1, 1103)]
    (folder / "people.csv").write_text("\n".join(["name,phone", *rows]) + "\n")
    done = finish(start(folder, "estimate", "campaign.toml"))
    assert "invalid_number: 3 (row 301, 401, 1101)" in done.out
