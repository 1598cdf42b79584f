"""The result table: every row once, one state, what it cost."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from pipeline.bandwidth.error_codes import find
from pipeline.journal import Candidate, Evidence, MessageRecord, Sums
from pipeline.journal.spending import Price, held
from pipeline.model import Campaign
from pipeline.prepare import columns
from pipeline.prepare.plan import plan_frame
from pipeline.prepare.pricing import load_card
from pipeline.settle.results import results_frame

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CAMPAIGN = Campaign(name="spring", senders=("+19195550100",), template="{text}")


@pytest.fixture
def plan():
    """Rows 1 to 4 are messages (the fourth of 2 segments), row 5 a duplicate, row 6 no number."""
    recipients = pl.LazyFrame(
        {
            "phone": [f"919555010{n}" for n in (1, 2, 3, 4)] + ["+1 919 555 0101", "no"],
            "text": ["one", "two", "three", "x" * 161, "again", "never"],
            "state": ["NC", "NC", "VA", "VA", "NC", "NC"],
        }
    )
    return plan_frame(recipients, CAMPAIGN, load_card(None), on=date(2026, 11, 21))


def record(row, state, **known):
    fields = dict.fromkeys(MessageRecord._fields) | {
        "row": row,
        "key": f"k{row}",
        "state": state,
        "attempts": 1,
    }
    return MessageRecord(**(fields | known))


def results(plan, *records, **more):
    return results_frame(plan, [list(records)] if records else [], **more).collect()


def test_every_row_is_there_once_in_order_with_one_state(plan):
    found = results(plan, record(3, "in_doubt"), record(1, "delivered", message_id="m1"))
    assert found["row"].to_list() == [1, 2, 3, 4, 5, 6]
    assert found["state"].to_list() == [
        "delivered",
        "ready",
        "in_doubt",
        "ready",
        "skipped",
        "skipped",
    ]
    assert found["attempts"].to_list() == [1, 0, 1, 0, 0, 0]


def test_columns_are_the_plans_then_ours_then_the_users_own(plan):
    names = results(plan).columns
    assert tuple(names[:13]) == columns.PLAN_COLUMNS
    assert tuple(names[13 : 13 + len(columns.RESULT_COLUMNS)]) == columns.RESULT_COLUMNS
    assert names[-3:] == ["phone", "input_text", "input_state"]


def test_results_of_campaigns_with_other_senders_are_one_table(plan):
    """Who reads a folder of them needs the same types in each, whatever a plan keeps words as."""
    own = Campaign(name="own", senders=("+19195550101", "+19195550102"), template="{phone}")
    recipients = pl.LazyFrame({"phone": ["9195550101"], "text": ["one"], "state": ["NC"]})
    other = plan_frame(recipients, own, load_card(None), on=date(2026, 11, 21))
    together = pl.concat([results(plan), results(other)])
    words = (columns.FROM, columns.CHANNEL, columns.ENCODING)
    assert [together.schema[name] for name in words] == [pl.String] * 3


def test_the_users_values_are_untouched(plan):
    found = results(plan, record(1, "accepted"))
    assert found["input_state"].to_list() == ["NC", "NC", "VA", "VA", "NC", "NC"]
    assert found["phone"][4] == "+1 919 555 0101"


def test_a_message_that_was_counted_as_estimated_costs_what_was_estimated(plan):
    """A mean over carriers is rounded once a message, so it need not be a multiple of segments."""
    odd = plan.with_columns(
        pl.lit(3, pl.Int32).alias("segments"),
        pl.lit(Decimal("0.000025"), pl.Decimal(18, 6)).alias("cost_estimated"),
    )
    records = (record(row, "accepted", segments_billed=row) for row in (1, 2, 3, 4))
    found = results(odd, *records)
    assert [int(cost * 10**6) for cost in found["cost"][:4]] == [8, 17, 25, 33]


@pytest.mark.parametrize("state", ["accepted", "delivered", "failed", "rejected"])
@pytest.mark.parametrize("code", [None, "4720", "4405", "4470", "4475", "5106", "9902"])
@pytest.mark.parametrize("counted", [None, 1, 2, 3])
def test_the_table_and_the_budget_agree_about_what_was_spent(plan, state, code, counted):
    known = record(4, state, error_code=code, segments_billed=counted)
    row = results(plan, known).row(3, named=True)
    price = Price(row["segments"], int(row["cost_estimated"] * 1_000_000))
    assert held(known, price) == Sums(spent=int(row["cost"] * 1_000_000))


def test_what_the_journal_knows_stands_in_the_row(plan):
    known = {
        "message_id": "m4",
        "http_status": 202,
        "error_code": "4432",
        "error": find(4432).sentence,
        "accepted_at": NOON,
        "final_at": NOON,
        "segments_billed": 2,
        "carrier": "Acme",
    }
    said = known | {"error": "forbidden to country"}
    row = results(plan, record(4, "failed", **said)).row(3, named=True)
    assert {name: row[name] for name in known} == known


def test_a_count_that_no_32_bits_hold_is_a_count(plan):
    found = results(plan, record(1, "accepted", segments_billed=3_000_000_000))
    assert found["segments_billed"][0] == 3_000_000_000


def test_a_campaign_that_was_not_sent_yet_has_results_too(plan):
    assert results(plan)["state"].to_list() == ["ready"] * 4 + ["skipped"] * 2


@pytest.mark.parametrize(
    ("state", "code", "said"),
    [
        pytest.param("failed", "4999", "something new", id="a code that is newer than the table"),
        pytest.param("failed", None, "no code at all", id="no code"),
        pytest.param("rejected", "request-validation", "to: no number", id="an HTTP error"),
        pytest.param("in_doubt", None, "no answer in time", id="a doubt"),
    ],
)
def test_what_no_table_explains_keeps_the_words_it_came_with(plan, state, code, said):
    assert results(plan, record(1, state, error_code=code, error=said))["error"][0] == said


# --- What the listing said, and silence ----------------------------------------------------------

SEEN = (Candidate("id-1", NOON), Candidate("id-2", NOON + timedelta(milliseconds=1_250)))
FIRST = "id-1 (taken 2026-11-21T12:00:00.000Z)"
SECOND = "id-2 (taken 2026-11-21T12:00:01.250Z)"
LISTED = {
    "nothing": ((), 0, "had no text that may be it, which proves nothing"),
    "one that does not fit": (
        SEEN[:1],
        0,
        f"had 1 text that may be it: {FIRST}",
    ),
    "several, and a rival": (
        SEEN,
        1,
        f"had 2 texts that may be it: {FIRST}, {SECOND}; so may 1 other in doubt",
    ),
}


@pytest.mark.parametrize(("candidates", "rivals", "said"), LISTED.values(), ids=LISTED)
def test_a_doubt_says_what_the_listing_had(plan, candidates, rivals, said):
    evidence = [Evidence(1, NOON, candidates, rivals), Evidence(2, NOON, candidates, rivals)]
    lost = record(1, "in_doubt", error="no answer in time")
    found = results(plan, lost, record(2, "accepted"), evidence=evidence)
    expected = f"no answer in time; the listing of 2026-11-21T12:00:00Z {said}"
    assert found["error"].to_list() == [expected, *[None] * 5]


def test_silence_makes_unconfirmed_what_was_accepted_and_nothing_else(plan):
    """Silence is no event: the journal still says accepted, and costs what that costs."""
    records = [
        record(1, "accepted", accepted_at=NOON),
        record(2, "accepted", accepted_at=NOON + timedelta(seconds=1)),
        record(3, "delivered", accepted_at=NOON),
        record(4, "in_doubt"),
    ]
    found = results(plan, *records, silent_since=NOON)
    assert found["state"].to_list()[:4] == ["unconfirmed", "accepted", "delivered", "in_doubt"]
    assert found["cost"].to_list() == results(plan, *records)["cost"].to_list()
