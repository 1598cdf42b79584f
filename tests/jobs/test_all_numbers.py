"""`all_numbers = true`: everybody with two numbers is texted at both, and every row says so."""

import re

import polars as pl

from .shell import CAMPAIGN, run

ALL = CAMPAIGN.replace("[sending]", "all_numbers = true\n[sending]")
PEOPLE = """name,phone
Ann,212-555-0101 / 212-555-0102
Bob,212-555-0103
Cid,212-555-0102; 212-555-0104; 12
Dan,call the office
"""


def write(folder, text):
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "campaign.toml").write_text(text)


def test_each_number_is_texted_once_and_each_row_is_explained(folder):
    write(folder, ALL)
    done = run(folder, "send", "campaign.toml", "--simulate", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["states"] == {"delivered": 4, "skipped": 2}
    assert done.json["rows"] == sum(done.json["states"].values()) == 6
    table = pl.read_parquet(folder / "out" / "spring" / "results.parquet")
    shown = table.select("row", "to", "reason", "name", "file_row", "file_number").rows()
    assert shown == [
        (1, "+12125550101", None, "Ann", 1, "212-555-0101"),
        (2, "+12125550102", None, "Ann", 1, "212-555-0102"),
        (3, "+12125550103", None, "Bob", 2, None),
        (4, "+12125550102", "duplicate", "Cid", 3, "212-555-0102"),
        (5, "+12125550104", None, "Cid", 3, "212-555-0104"),
        (6, None, "invalid_number", "Dan", 4, None),
    ]
    assert table["reason_detail"][3] == "duplicate of row 2"
    assert table["phone"][0] == table["phone"][1] == "212-555-0101 / 212-555-0102"
    assert table.columns[-4:] == ["name", "phone", "file_row", "file_number"]


def test_the_doctor_says_how_many_rows_were_added_and_what_got_none(bandcast, folder):
    write(folder, ALL)
    file = bandcast("estimate", "campaign.toml", "--json").json["file"]
    assert (file["rows"], file["columns"], file["phone_columns"]) == (
        4, ["name", "phone"], ["phone"],
    )  # fmt: skip
    found = {each["code"]: (each["count"], each["rows"]) for each in file["findings"]}
    assert found["numbers_added"] == (2, [1, 3])
    assert found["numbers_left"] == (1, [3])
    shown = bandcast("estimate", "campaign.toml")
    assert "rows were added" in shown.out
    assert re.findall(r"│ (rows.*?) +│ +(\d+)", shown.out)[:2] == [("rows", "4"), ("rows", "6")]
    strict = bandcast("estimate", "campaign.toml", "--strict")
    assert strict.code == 2
    assert "people.csv: 1: parts of cells with several phone numbers are no valid" in strict.err
    assert "rows were added" not in strict.err


def test_unasked_the_first_number_is_used_and_asking_makes_another_plan(bandcast, folder):
    write(folder, CAMPAIGN)
    plain = bandcast("estimate", "campaign.toml", "--json").json
    assert (plain["rows"], plain["messages"]) == (4, 3)
    assert "file_row" not in pl.read_parquet(folder / "out" / "spring" / "plan.parquet").columns
    write(folder, CAMPAIGN.replace("[sending]", "all_numbers = false\n[sending]"))
    assert (
        bandcast("estimate", "campaign.toml", "--json").json["fingerprint"]
        == (plain["fingerprint"])
    )
    write(folder, ALL)
    assert (
        bandcast("estimate", "campaign.toml", "--json").json["fingerprint"]
        != (plain["fingerprint"])
    )


def test_all_numbers_is_true_or_false(bandcast, folder):
    write(folder, ALL.replace("= true", '= "yes"'))
    done = bandcast("estimate", "campaign.toml")
    assert done.code == 2
    assert "[campaign] all_numbers must be true or false" in done.err


def test_a_number_without_a_price_is_named_by_its_row_of_the_file(bandcast, folder):
    write(folder, ALL)
    (folder / "people.csv").write_text(PEOPLE + "Eva,+49 30 23125042\n")
    done = bandcast("estimate", "campaign.toml", "--json")
    assert done.code == 2
    (sentence,) = done.json["error"].splitlines()
    assert sentence.startswith("people.csv, row 5: rate card 'test card' has no sms price on ")
    assert "2312" not in sentence
