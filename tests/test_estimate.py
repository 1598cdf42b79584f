"""The dry run begins with what was found in the files, and says it once for people and machines."""

from datetime import UTC, date, datetime

import pytest

from jobs.document import estimate_json
from pipeline.barring import find_bars
from pipeline.errors import UsageError
from pipeline.estimate import estimate
from pipeline.preview import preview
from pipeline.settings import Options, load_settings
from tests.jobs.shell import run

ON = date(2026, 6, 1)
CAMPAIGN = """
[campaign]
name = "spring"
recipients = "people.csv"
from = ["+19195550100"]
template = "Hi {name|there}"
"""
ROWS = "phone;name\n9195550123;Zoë\n\n9195550124\n12;x\n9195550125;Maximiliane\n"


@pytest.fixture
def campaign(tmp_path):
    (tmp_path / "people.csv").write_bytes(ROWS.encode("cp1252"))
    path = tmp_path / "campaign.toml"
    path.write_text(CAMPAIGN)
    return path


def test_an_estimate_names_what_was_decided_mended_and_refused(campaign):
    settings = load_settings(campaign, Options())
    found = estimate(settings, campaign.parent / "plan.parquet", on=ON)
    file = estimate_json(found)["file"]
    assert (file["encoding"], file["delimiter"], file["rows"]) == ("cp1252", ";", 5)
    assert file["columns"] == ["phone", "name"]
    assert file["phone_columns"] == ["phone"]
    findings = {finding["code"]: finding for finding in file["findings"]}
    assert findings["short_rows"]["rows"] == (3,)
    assert findings["encoding"]["is_repair"]
    assert not findings["blank_lines"]["is_repair"]
    assert {reason: found["rows"] for reason, found in file["refusals"].items()} == {
        "missing_number": [2],
        "invalid_number": [4],
    }


def test_a_column_named_like_a_role_is_told_and_refuses_nothing(campaign):
    (campaign.parent / "people.csv").write_text("phone,name,From\n9195550123,Ann,Durham\n")
    settings = load_settings(campaign, Options(strict=True))
    found = estimate(settings, campaign.parent / "plan.parquet", on=ON)
    (finding,) = found.findings
    assert finding.code == "unused_column"
    assert 'from = "From" under [columns]' in finding.sentence


def test_strict_refuses_every_repair_by_name_and_leaves_nothing_behind(campaign):
    settings = load_settings(campaign, Options(strict=True))
    plan = campaign.parent / "out" / "plan.parquet"
    with pytest.raises(UsageError) as caught:
        estimate(settings, plan, on=ON)

    encoding, short = str(caught.value).split("\n")
    assert encoding.startswith("--strict: people.csv: not UTF-8: read as cp1252")
    assert short.startswith("--strict: people.csv: 1: rows ")
    assert short.endswith("(row 3)")
    assert "_" not in short, "no word for machines"
    assert not plan.parent.exists()


def test_strict_names_a_suppression_list_and_not_the_recipients_for_its_rows(campaign):
    (campaign.parent / "people.csv").write_text("phone,name\n9195550123,Ann\n")
    (campaign.parent / "no.csv").write_text("phone\n9195550124\n12345\n")
    campaign.write_text(CAMPAIGN + '[suppression]\nfiles = ["no.csv"]\n')
    settings = load_settings(campaign, Options(strict=True))
    bars = find_bars(settings, None, now=datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(UsageError) as caught:
        estimate(settings, campaign.parent / "plan.parquet", on=ON, bars_of=lambda _: bars)

    assert "no.csv" in str(caught.value)
    assert "people.csv" not in str(caught.value)


def test_strict_refuses_repaired_numbers_as_well(campaign):
    (campaign.parent / "people.csv").write_text("phone,name\n9.195550123E+09,Ann\n")
    settings = load_settings(campaign, Options(strict=True))
    with pytest.raises(UsageError, match=r"--strict: .*\(row 1\)"):
        estimate(settings, campaign.parent / "plan.parquet", on=ON)


def test_strict_takes_a_file_that_needs_no_repair(campaign):
    (campaign.parent / "people.csv").write_text("phone,name\n9195550123,Ann\n")
    settings = load_settings(campaign, Options(strict=True))
    assert estimate(settings, campaign.parent / "plan.parquet", on=ON).totals.messages == 1


def test_the_preview_is_the_first_texts_and_the_longest(campaign):
    plan = campaign.parent / "plan.parquet"
    estimate(load_settings(campaign, Options()), plan, on=ON)
    shown = preview(plan, texts=2)
    assert shown.first == ((1, "Hi Zoë"), (3, "Hi there"))
    assert shown.longest == (5, "Hi Maximiliane")


def test_a_file_read_another_way_is_another_plan(campaign):
    plan = campaign.parent / "plan.parquet"
    guessed = estimate(load_settings(campaign, Options()), plan, on=ON)
    campaign.write_text(CAMPAIGN + '[file]\nencoding = "mac_roman"\n')
    said = estimate(load_settings(campaign, Options()), plan, on=ON)
    assert guessed.fingerprint["recipients"] != said.fingerprint["recipients"]


def test_the_command_shows_findings_and_no_texts_where_nobody_watches(campaign):
    done = run(campaign.parent, "estimate", str(campaign))
    assert done.code == 0, done.err
    assert done.out.startswith("What was found")
    assert "rows end early" in done.out
    assert "Maximiliane" not in done.out + done.err
    asked = run(campaign.parent, "estimate", str(campaign), "--texts", "--json")
    assert asked.json["texts"]["longest"] == {"row": 5, "text": "Hi Maximiliane"}


def test_the_command_ends_with_two_where_strict_refuses(campaign):
    done = run(campaign.parent, "estimate", str(campaign), "--strict")
    assert done.code == 2
    assert done.err.count("error: --strict") == 2
