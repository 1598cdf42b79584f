"""The result table: every row once, one state, what it cost."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipeline.bandwidth.error_codes import find
from pipeline.journal import MessageRecord
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


def results(plan, *records):
    return results_frame(plan, [list(records)] if records else []).collect()


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


def test_the_users_values_are_untouched(plan):
    found = results(plan, record(1, "accepted"))
    assert found["input_state"].to_list() == ["NC", "NC", "VA", "VA", "NC", "NC"]
    assert found["phone"][4] == "+1 919 555 0101"


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
