"""Who is left out: lists from files and the journal, earlier campaigns, and a frequency cap."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.barring import Bars, bars_of, find_bars, freeze, thaw
from pipeline.errors import InputError, SettingsError
from pipeline.journal import Enlistment, Finish, Intent, Pace, Shard, open_journal
from pipeline.model import (
    Accepted,
    Campaign,
    Channel,
    InDoubt,
    Receipt,
    ReceiptKind,
    Rejected,
)
from pipeline.prepare import plan
from pipeline.prepare.pricing import Price, RateCard
from pipeline.settings import Settings
from tests.files.workbooks import workbook

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CARD = RateCard(
    name="test",
    currency="USD",
    prices=(Price(channel=Channel.SMS, sender=None, prefix="1", base=Decimal("0.004")),),
)
CAMPAIGN = Campaign(name="spring", senders=("+19195550100",), template="Hi")
LINES = [f"+1919555{line:04}" for line in range(101, 109)]


@pytest.fixture(params=["memory:", "sqlite"])
def journal(request, tmp_path):
    url = request.param if request.param == "memory:" else f"sqlite:///{tmp_path / 'journal.db'}"
    journal = open_journal(url)
    yield journal
    journal.close()


def settings_of(*files, **changes):
    campaign = dataclasses.replace(CAMPAIGN, **changes)
    return Settings(campaign=campaign, recipients=("people.csv",), suppression=files)


def numbers_of(bars):
    return {each.detail: sorted(each.numbers) for each in bars.barred if each.numbers.len()}


def text_everybody(journal, name, outcomes, *, at):
    """Send a campaign to the first lines, one outcome each; None is not tried."""
    campaign = dataclasses.replace(CAMPAIGN, name=name)
    lines = LINES[: len(outcomes)]
    frame = plan.plan_frame(pl.LazyFrame({"phone": lines}), campaign, CARD, on=at.date())
    ((rows, payload),) = plan.shard_payloads(frame.collect().lazy())
    enlistment = Enlistment(
        campaign=name, run=name, fingerprint={}, messages=rows, segments=rows,
        cost_micros=0, currency="USD", created_at=at,
    )  # fmt: skip
    journal.enlist(enlistment, [Shard(number=0, rows=rows, payload=payload)])
    grant = journal.take(name, owner=name, lease_seconds=60, now=at)
    for row, outcome in enumerate(outcomes, start=1):
        if outcome is None:
            continue

        intent = Intent(row=row, key=f"k{row}", to=(lines[row - 1],), segments=1)
        pace = Pace(account=name, rate_segments_per_second=1e6)
        (permit,) = journal.begin(grant, [intent], pace=pace, lease_seconds=60, now=at)
        journal.finish([Finish(attempt=permit.attempt, owner=name, outcome=outcome, at=at)])


def integers(*lines):
    return [int(LINES[line][1:]) for line in lines]


OUTCOMES = [
    Accepted(message_id="m1"),
    Rejected(http_status=400),
    InDoubt(reason="cut"),
    None,
    Accepted(message_id="m2"),
]


def test_a_suppression_file_may_be_of_any_kind_and_spelling(tmp_path):
    path = tmp_path / "stop.csv"
    path.write_text("Mobile;Name\n(919) 555-0101;Ann\n'+19195550102;Bob\n;\nn/a;Cid\n")
    bars = find_bars(settings_of(path), None, now=NOW)
    assert numbers_of(bars) == {"on the suppression list 'stop.csv'": integers(0, 1)}
    assert [(each.code, each.count, each.rows) for each in bars.findings] == [
        ("suppression_rows", 1, (4,)),
        ("suppression_blanks", 1, (3,)),
    ]


def test_a_list_with_several_phone_columns_bars_all_of_them(tmp_path):
    """Also of two that have one name, and of cells with several numbers."""
    path = tmp_path / "stop.csv"
    path.write_text(
        "name,phone,phone,home phone\nAnn,+19195550101,+19195550102,\n"
        "Bob,,9195550103 / 9195550104,9195550105\n"
    )
    bars = find_bars(settings_of(path), None, now=NOW)
    assert numbers_of(bars) == {"on the suppression list 'stop.csv'": integers(0, 1, 2, 3, 4)}
    assert bars.findings == ()


def test_sheets_that_are_not_read_are_told(tmp_path):
    path = tmp_path / "stop.xlsx"
    path.write_bytes(workbook(A=[["phone"], ["9195550101"]], B=[["phone"], ["9195550102"]]))
    (finding,) = find_bars(settings_of(path), None, now=NOW).findings
    assert (finding.code, finding.count) == ("sheets", 1)
    assert "suppression list 'stop.xlsx'" in finding.sentence
    assert "put it first, save it as CSV" in finding.sentence


def test_a_list_of_one_column_needs_no_name_for_it(tmp_path):
    path = tmp_path / "stop.csv"
    path.write_text("who\n9195550101\n")
    assert numbers_of(find_bars(settings_of(path), None, now=NOW)) == {
        "on the suppression list 'stop.csv'": integers(0)
    }


def test_a_list_without_a_column_of_numbers_is_refused(tmp_path):
    path = tmp_path / "stop.csv"
    path.write_text("name,city\nAnn,Durham\n")
    with pytest.raises(InputError, match=r"stop\.csv"):
        find_bars(settings_of(path), None, now=NOW)


def test_the_journals_own_list_bars_with_its_source(journal):
    journal.suppress(LINES[:2], source="reply", because="STOP", now=NOW)
    journal.suppress(["12345"], source="reply", because="STOP", now=NOW)
    journal.suppress(LINES[2:3], source="legal", because="letter", now=NOW)
    found = numbers_of(find_bars(settings_of(), journal, now=NOW))
    assert {detail[-14:]: numbers for detail, numbers in found.items()} == {
        "source: legal)": integers(2),
        "source: reply)": integers(0, 1),
    }


def test_what_was_suppressed_after_the_start_does_not_change_the_plan(journal):
    journal.suppress(LINES[:1], source="reply", because="STOP", now=NOW + timedelta(seconds=1))
    assert numbers_of(find_bars(settings_of(), journal, now=NOW)) == {}


def test_recipients_of_an_excluded_campaign_are_left_out(journal):
    text_everybody(journal, "winter", OUTCOMES, at=NOW - timedelta(days=90))
    bars = find_bars(settings_of(exclude=("winter",)), journal, now=NOW)
    assert numbers_of(bars) == {"a recipient of campaign 'winter'": integers(0, 1, 2, 3, 4)}
    assert [each.reason for each in bars.barred] == ["excluded"]


def test_an_unknown_campaign_cannot_be_excluded(journal):
    for known in (journal, None):
        with pytest.raises(SettingsError, match="no campaign 'winter'"):
            find_bars(settings_of(exclude=("winter",)), known, now=NOW)


def test_whoever_may_have_been_texted_lately_is_capped(journal):
    text_everybody(journal, "may", OUTCOMES, at=NOW - timedelta(days=6))
    text_everybody(journal, "april", [Accepted(message_id="x")] * 6, at=NOW - timedelta(days=8))
    bars = find_bars(settings_of(frequency_days=7), journal, now=NOW)
    assert numbers_of(bars) == {
        "texted by campaign 'may' within the last 7 days": integers(0, 2, 4)
    }


def test_a_campaign_never_caps_itself(journal):
    text_everybody(journal, "spring", OUTCOMES, at=NOW - timedelta(hours=1))
    assert numbers_of(find_bars(settings_of(frequency_days=7), journal, now=NOW)) == {}


def test_the_plan_says_why_somebody_is_left_out(journal, tmp_path):
    path = tmp_path / "stop.csv"
    path.write_text("phone\n9195550101\n")
    journal.suppress(LINES[1:2], source="reply", because="STOP", now=NOW)
    text_everybody(journal, "may", [None, None, Accepted(message_id="x")], at=NOW)
    bars = find_bars(settings_of(path, frequency_days=1), journal, now=NOW)
    frame = plan.plan_frame(
        pl.LazyFrame({"phone": [*LINES[:4], LINES[0]]}), CAMPAIGN, CARD, on=NOW.date(),
        barred=bars.barred,
    )  # fmt: skip
    rows = frame.select("reason", "reason_detail").collect().rows()
    assert [reason for reason, _ in rows] == [
        "suppressed", "suppressed", "frequency_cap", None, "duplicate",
    ]  # fmt: skip
    assert rows[0][1] == "on the suppression list 'stop.csv'"
    assert rows[4][1] == "duplicate of row 1"


FINGERPRINT = {"recipients": "aa", "exclusions": "bb"}


def planned(bars, phones, keys=None):
    people = {"phone": phones} | ({} if keys is None else {"key": keys})
    return plan.plan_frame(
        pl.LazyFrame(people), CAMPAIGN, CARD, on=NOW.date(), barred=bars.barred
    ).collect()


def start(journal, bars, *, at=NOW, **more):
    """Begin the campaign over all lines with these bars; return its plan."""
    frame = planned(bars, LINES)
    enlistment = Enlistment(
        campaign="spring", run="s1", fingerprint={**FINGERPRINT, "provider": "p"}, messages=0,
        segments=0, cost_micros=0, currency="USD", created_at=at,
    )  # fmt: skip
    shards = [Shard(number=0, rows=8, payload=b"")]
    journal.enlist(enlistment, shards, **more or {"left_out": freeze(frame.lazy())})
    try_one(journal, "spring", at=at)
    return frame


def try_one(journal, campaign, *, at):
    grant = journal.take(campaign, owner=campaign, lease_seconds=60, now=at)
    intent = Intent(row=8, key="k8", to=(LINES[7],), segments=1)
    pace = Pace(account=campaign, rate_segments_per_second=1e6)
    assert journal.begin(grant, [intent], pace=pace, lease_seconds=60, now=at)


def settle(journal, campaign, message_id, at):
    """Tell that a text was not delivered after all."""
    receipt = Receipt(
        kind=ReceiptKind.FAILED, message_id=message_id, to=LINES[0], time=at, tag=None,
        error_code=4720, description="", carrier=None, segments_billed=1,
    )  # fmt: skip
    assert journal.receive([(receipt, b"{}")], now=at) == 1, campaign


def test_a_started_campaign_leaves_out_whom_it_left_out_when_it_started(journal):
    settings = settings_of(frequency_days=7, exclude=("winter",))
    journal.suppress(LINES[:1], source="reply", because="STOP", now=NOW)
    text_everybody(journal, "winter", [None, None, Rejected(http_status=400)], at=NOW)
    text_everybody(journal, "may", [*[None] * 5, Accepted(message_id="m")], at=NOW)
    before = bars_of(settings, journal, FINGERPRINT, now=NOW)
    frame = start(journal, before)
    assert frame["reason"].value_counts(sort=True)["reason"].drop_nulls().len() == 3

    journal.lift(LINES[:1], by="ann", because="came back", now=NOW)
    journal.suppress(LINES[6:7], source="reply", because="STOP", now=NOW - timedelta(days=1))
    settle(journal, "may", "m", NOW)
    again = bars_of(settings, journal, FINGERPRINT, now=NOW + timedelta(days=30))
    assert planned(again, LINES).equals(frame)
    assert not planned(find_bars(settings, journal, now=NOW), LINES).equals(frame)


def test_another_plan_of_a_started_campaign_is_judged_by_the_lists_of_now(journal):
    start(journal, find_bars(settings_of(), journal, now=NOW))
    later = NOW + timedelta(days=1)
    journal.suppress(LINES[:1], source="reply", because="STOP", now=later)
    other = FINGERPRINT | {"recipients": "zz"}
    assert list(numbers_of(bars_of(settings_of(), journal, other, now=later)).values()) == [
        integers(0)
    ]
    assert numbers_of(bars_of(settings_of(), journal, FINGERPRINT, now=later)) == {}


numbers = st.lists(st.integers(0, 7), max_size=6)


@settings(max_examples=40)
@given(
    bars=st.lists(st.tuples(st.sampled_from(["suppressed", "excluded", "frequency_cap"]), numbers)),
    people=st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["", "a", "b"])), min_size=1),
)
def test_a_plan_made_again_with_what_was_frozen_is_the_same_plan(bars, people):
    barred = tuple(
        plan.Barred(
            reason=reason,
            detail=f"list {position}",
            numbers=pl.Series(integers(*lines), dtype=pl.Int64),
        )
        for position, (reason, lines) in enumerate(bars)
    )
    phones, keys = [LINES[line] for line, _ in people], [key for _, key in people]
    frame = planned(Bars(barred=barred), phones, keys)
    assert planned(thaw(freeze(frame.lazy())), phones, keys).equals(frame)


def test_only_numbers_of_the_plan_are_frozen():
    many = pl.Series(range(12_000_000_000, 12_000_500_000), dtype=pl.Int64)
    bars = Bars(barred=(plan.Barred(reason="suppressed", detail="a list", numbers=many),))
    assert len(freeze(planned(bars, LINES).lazy())) < 2_000
