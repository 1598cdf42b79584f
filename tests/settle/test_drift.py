"""Every message whose count differs is in the drift, with its cause, and the sums are exact."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prepare.segments import count_segments
from pipeline.settle import billing
from pipeline.settle.drift import DRIFT_COLUMNS, DriftGroup, drift_frame, drift_groups
from pipeline.settle.recounts import Cause

PRICE = Decimal("0.0075")

SCHEMA = {
    "row": pl.Int64,
    "channel": pl.String,
    "encoding": pl.String,
    "units": pl.Int32,
    "segments": pl.Int32,
    "text": pl.String,
    "cost_estimated": pl.Decimal(18, 6),
    "currency": pl.String,
    "state": pl.String,
    "http_status": pl.Int32,
    "error_code": pl.String,
    "segments_billed": pl.Int64,
}


def message(row, text, billed, *, state="delivered", code=None, status=202, channel="sms"):
    counted = count_segments(text)
    segments = 1 if channel == "mms" else counted.segments
    return {
        "row": row,
        "channel": channel,
        "encoding": counted.encoding.value,
        "units": counted.units,
        "segments": segments,
        "text": text,
        "cost_estimated": PRICE * segments,
        "currency": "USD",
        "state": state,
        "http_status": status,
        "error_code": code,
        "segments_billed": billed,
    }


def skipped(row):
    return dict.fromkeys(SCHEMA) | {"row": row, "text": "a" * 500, "state": "skipped"}


def results(*messages):
    """Just what of the results the drift is made of."""
    frame = pl.LazyFrame(list(messages), schema=SCHEMA)
    return frame.with_columns(billing.cost().alias("cost"))


def drifting(*messages):
    return drift_frame(results(*messages)).collect(engine="streaming")


def test_what_was_counted_otherwise_costs_as_much_when_no_receipt_ever_came():
    """Accepted, and silent for too long: it is billed like any accepted message."""
    row = message(7, "a" * 100, 2, state="accepted")
    accepted = results(row)
    unconfirmed = accepted.with_columns(pl.lit("unconfirmed").alias("state"))
    (difference,) = drift_frame(unconfirmed).collect()["cost_difference"]
    assert difference == drift_frame(accepted).collect()["cost_difference"][0] == PRICE


def test_a_row_that_differs_is_there_with_both_counts_the_money_and_the_cause():
    found = drifting(message(1, "a" * 161, 2), message(7, "a" * 100, 2))
    assert tuple(found.columns) == DRIFT_COLUMNS
    assert found.rows(named=True) == [
        {
            "row": 7,
            "channel": "sms",
            "encoding": "GSM-7",
            "units": 100,
            "segments": 1,
            "segments_billed": 2,
            "segments_difference": 1,
            "cost_difference": PRICE,
            "currency": "USD",
            "cause": "ucs2_for_gsm7",
        }
    ]


SAME = {
    "the same count": message(1, "a" * 161, 2),
    "no count of the provider's": message(1, "a" * 161, None, state="in_doubt", status=None),
    "never tried": message(1, "a" * 161, None, state="ready", status=None),
    "never a message": skipped(1),
    "an MMS of one": message(1, "a" * 161, 1, channel="mms"),
}


@pytest.mark.parametrize("row", SAME.values(), ids=SAME.keys())
def test_a_row_that_does_not_differ_is_not_there(row):
    assert drifting(row).height == 0
    assert drift_groups(drifting(row)) == ()


DIFFERENCES = {
    "delivered": ({}, PRICE),
    "accepted, without a receipt": ({"state": "accepted"}, PRICE),
    "failed at the carrier": ({"state": "failed", "code": "4720"}, PRICE),
    "failed at Bandwidth: free anyway": ({"state": "failed", "code": "4404"}, Decimal(0)),
    "held by Bandwidth's spam filter": ({"state": "failed", "code": "4470"}, PRICE),
}


@pytest.mark.parametrize(("how", "cost"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_a_difference_costs_where_the_message_does(how, cost):
    found = drifting(message(1, "a" * 100, 2, **how))
    assert found["segments_difference"].to_list() == [1]
    assert found["cost_difference"].to_list() == [cost]


def test_the_count_of_a_lost_answer_is_that_of_a_receipt():
    rows = [message(1, "a" * 500, 1), message(2, "a" * 500, 1, status=None)]
    assert drifting(*rows, message(3, "a" * 500, 1, status=502))["cause"].to_list() == [
        "sms_as_mms",
        "one_part_told",
        "one_part_told",
    ]


def test_an_mms_without_a_text_can_drift_too():
    row = message(1, "", 2, channel="mms") | {"text": None}
    assert drifting(row)["cause"].to_list() == ["unknown"]


def test_groups_add_up_and_the_largest_is_first():
    rows = [
        message(1, "a" * 500, 1),
        message(2, "a" * 100, 2),
        message(3, "a" * 100, 2),
        message(4, "a" * 100, 2, state="failed", code="4404"),
        message(5, "a" * 100, 1),
    ]
    assert drift_groups(drifting(*rows)) == (
        DriftGroup(
            cause=Cause.UCS2_FOR_GSM7,
            messages=3,
            segments_difference=3,
            cost_micros_difference=15_000,
        ),
        DriftGroup(
            cause=Cause.SMS_AS_MMS,
            messages=1,
            segments_difference=-3,
            cost_micros_difference=-22_500,
        ),
    )


def test_it_holds_no_number_and_no_text():
    assert not {"to", "from", "text", "message_id"} & set(DRIFT_COLUMNS)


texts = st.builds(
    lambda start, length: start + "a" * length,
    st.sampled_from(["", "€", "“", "ж", "\U0001f60e"]),
    st.integers(1, 400),
)
messages = st.builds(
    message,
    st.just(1),
    texts,
    st.none() | st.integers(0, 9),
    state=st.sampled_from(["accepted", "delivered", "failed"]),
    code=st.sampled_from([None, "4404", "4720"]),
    status=st.sampled_from([202, None]),
    channel=st.sampled_from(["sms", "mms"]),
)


@given(st.lists(messages, max_size=30))
def test_the_groups_sum_to_the_difference_between_results_and_estimate(rows):
    groups = drift_groups(drifting(*rows))
    differing = [row for row in rows if row["segments_billed"] not in (None, row["segments"])]
    assert sum(group.messages for group in groups) == len(differing)
    assert sum(group.segments_difference for group in groups) == sum(
        row["segments_billed"] - row["segments"] for row in differing
    )
    paid = [row for row in rows if (row["state"], row["error_code"]) != ("failed", "4404")]
    estimated = sum(row["cost_estimated"] for row in paid)
    cost = sum(results(*rows).collect()["cost"])
    assert sum(group.cost_micros_difference for group in groups) == (cost - estimated) * 1_000_000
