"""Smart characters, from the campaign to the handset."""

from hashlib import blake2b

import polars as pl
import pytest

from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, ledger, run, write_campaign

TEXT = "Hi {name}, it’s “on” – garçon"
SMART = CAMPAIGN.replace("Hi {name}, see you on Sunday.", TEXT)


@pytest.fixture
def folder(tmp_path):
    write_campaign(tmp_path, text=SMART)
    return tmp_path


def test_an_estimate_names_every_character_that_was_replaced(bandcast):
    off = bandcast("estimate", "campaign.toml", "--json").json
    assert "smart" not in off
    assert off["encodings"] == {"GSM-7": 0, "UCS-2": 20}
    assert bandcast("estimate", "campaign.toml", "--smart", "--json").json["smart"] == []  # the ç

    both = ("estimate", "campaign.toml", "--smart", "--smart-accents")
    on = bandcast(*both, "--json", "--texts").json
    assert on["encodings"] == {"GSM-7": 20, "UCS-2": 0}
    assert on["texts"]["first"][0]["text"] == 'Hi Person0, it\'s "on" - garcon'
    assert on["smart"][0] == {
        "character": "ç",
        "code_point": "U+00E7",
        "name": "LATIN SMALL LETTER C WITH CEDILLA",
        "replacement": "c",
        "count": 20,
        "rows": 20,
        "first_row": 1,
    }
    replaced = {each["character"]: (each["replacement"], each["rows"]) for each in on["smart"]}
    assert replaced == {
        "ç": ("c", 20), "’": ("'", 20), "“": ('"', 20), "”": ('"', 20), "–": ("-", 20)
    }  # fmt: skip
    findings = [each for each in on["file"]["findings"] if each["code"] == "smart"]
    assert [each["count"] for each in findings] == [20] * 5
    assert not any(each["is_repair"] for each in findings)


def test_a_person_is_told_and_strict_has_nothing_against_it(bandcast):
    done = bandcast("estimate", "campaign.toml", "--smart", "--smart-accents", "--strict")
    assert done.code == 0
    assert "U+2013 EN DASH was replaced by - 20 times" in " ".join(
        done.out.replace("│", "").split()
    )


def test_a_handset_receives_what_was_estimated_and_the_choice_is_part_of_the_plan(folder, bandcast):
    with simulating() as url:
        env = account(url)
        send = ("send", "campaign.toml", "--yes", "--json", "--smart", "--smart-accents")
        done = run(folder, *send, env=env)
        assert done.code == 0, done.err
        plan = pl.read_parquet(folder / "out" / "spring" / "plan.parquet").drop_nulls("segments")
        assert plan["text"][7] == 'Hi Person7, it\'s "on" - garcon'
        received = {text["to"][0]: text["digest"] for text in ledger(url)["texts"]}
        assert received == {
            to: blake2b(text.encode(), digest_size=8).hexdigest()
            for to, text in plan.select("to", "text").iter_rows()
        }

        other = run(folder, *send[:-1], env=env)
        assert (other.code, other.json["exit_code"]) == (2, 2)
        assert "smart" in other.sentences()[0]
        assert ledger(url)["messages"] == 20

    again = bandcast("results", "campaign.toml", "--smart", "--smart-accents", "--json", env=env)
    assert again.json["states"] == {"accepted": 20, "skipped": 2}
