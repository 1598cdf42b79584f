"""The sample campaign: made by its script, fictional, and as small as its page says."""

import re
import runpy
import tomllib
from datetime import date
from pathlib import Path

import phonenumbers
import polars as pl
import pytest

from pipeline.model import Campaign
from pipeline.prepare.plan import plan_frame, totals
from pipeline.prepare.pricing import load_card
from pipeline.reading.files import read_recipients

SAMPLE = Path(__file__).parents[2] / "samples" / "quickstart"


@pytest.fixture(scope="module")
def settings():
    return tomllib.loads((SAMPLE / "campaign.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def plan(settings):
    written = settings["campaign"]
    campaign = Campaign(
        name=written["name"], senders=tuple(written["from"]), template=written["template"]
    )
    card = load_card(SAMPLE / settings["rates"]["card"])
    with read_recipients([SAMPLE / written["recipients"]]) as reading:
        return plan_frame(reading.frame, campaign, card, on=date(2026, 6, 1)).collect()


def test_the_sample_file_is_what_its_script_writes(tmp_path, capsys):
    script = tmp_path / "make_recipients.py"
    script.write_text((SAMPLE / "make_recipients.py").read_text(encoding="utf-8"), encoding="utf-8")
    runpy.run_path(str(script), run_name="__main__")
    assert (tmp_path / "recipients.csv").read_bytes() == (SAMPLE / "recipients.csv").read_bytes()


def test_every_number_of_the_sample_is_fictional(plan, settings):
    fictional = re.compile(r"\+1\d{3}55501\d\d|\+442079460\d{3}|\+493023125\d{3}")
    numbers = [*plan["to"].drop_nulls(), *settings["campaign"]["from"]]
    assert [number for number in numbers if not fictional.fullmatch(number)] == []
    assert {phonenumbers.parse(number).country_code for number in numbers} == {1, 44, 49}


def test_the_sample_takes_about_eleven_seconds(plan, settings):
    added = totals(plan.lazy())
    assert added.messages == 1003
    assert 1_050 <= added.segments <= 1_150
    assert settings["sending"]["rate"] == 100


def test_the_sample_shows_every_reason_a_file_usually_has(plan):
    added = totals(plan.lazy())
    assert set(added.skipped) == {"duplicate", "invalid_number", "missing_number"}
    assert added.skipped["duplicate"] == 40
    assert added.encodings["UCS-2"] > 50
    assert plan.filter(pl.col("first_name").is_null(), pl.col("reason").is_null()).height > 20


def test_the_sample_says_that_it_is_no_price_list():
    assert "sample" in load_card(SAMPLE / "rates.toml").name
