"""What a row costs: Bandwidth's billing rules, its own count of segments, exact to a millionth."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.bandwidth.error_codes import Billed, error_codes
from pipeline.settle import billing

PRICE = Decimal("0.004")


def costs(*rows):
    """Rows of (state, error_code, segments, segments_billed, price of a segment)."""
    frame = pl.DataFrame(
        {
            "state": [state for state, *_ in rows],
            "error_code": [code for _, code, *_ in rows],
            "segments": [segments for _, _, segments, _, _ in rows],
            "segments_billed": [billed for *_, billed, _ in rows],
            "cost_estimated": [price * segments for _, _, segments, _, price in rows],
        },
        schema={
            "state": pl.String,
            "error_code": pl.String,
            "segments": pl.Int32,
            "segments_billed": pl.Int64,
            "cost_estimated": pl.Decimal(18, 6),
        },
    )
    return frame.lazy().select(billing.cost().alias("cost")).collect()["cost"].to_list()


@pytest.mark.parametrize(
    ("state", "code", "billed", "segments_paid"),
    [
        pytest.param("accepted", None, 2, 2, id="accepted and not yet final is billed"),
        pytest.param("accepted", None, None, 2, id="without a count of the provider's by ours"),
        pytest.param("delivered", None, 3, 3, id="delivered is billed as the provider counts"),
        pytest.param("failed", "4404", 2, 0, id="failed at Bandwidth is free"),
        pytest.param("failed", "4360", 2, 0, id="expired in the queue is free"),
        pytest.param("failed", "5501", 2, 0, id="an outage of Bandwidth's is free"),
        pytest.param("failed", "5999", 2, 0, id="an unknown error of Bandwidth's is free"),
        pytest.param("failed", "4470", 2, 2, id="Bandwidth's spam filter is billed all the same"),
        pytest.param("failed", "4720", 3, 3, id="failed at the carrier is billed"),
        pytest.param("failed", "5600", 2, 2, id="an outage of the carrier's is billed"),
        pytest.param("failed", "9902", 2, 2, id="no receipt in time is billed"),
        pytest.param("failed", "4476", 2, 2, id="what no edition says is billed"),
        pytest.param("failed", "4999", 2, 2, id="an unknown code is billed"),
        pytest.param("failed", None, 2, 2, id="failed without a code is billed"),
        pytest.param("rejected", "request-validation", None, 0, id="an HTTP error is free"),
        pytest.param("ready", None, None, 0, id="not sent yet is free"),
        pytest.param("cancelled", None, None, 0, id="cancelled is free"),
        pytest.param("skipped", None, None, 0, id="never a message is free"),
        pytest.param("in_doubt", None, None, None, id="in doubt is in no sum"),
        pytest.param("sending", None, None, None, id="an attempt nobody finished is in no sum"),
    ],
)
def test_who_pays(state, code, billed, segments_paid):
    expected = None if segments_paid is None else segments_paid * PRICE
    assert costs((state, code, 2, billed, PRICE)) == [expected]


@pytest.mark.parametrize("code", error_codes().values(), ids=lambda code: code.code)
def test_a_failure_costs_nothing_only_where_the_table_says_so(code):
    free = code.billed is Billed.NO
    assert costs(("failed", str(code.code), 1, 1, PRICE)) == [0 if free else PRICE]


def test_a_count_beyond_all_sense_leaves_the_cost_open_and_breaks_nothing():
    assert costs(("accepted", None, 1, 2**63 - 1, PRICE)) == [None]
    assert costs(("accepted", None, 1, 3_000_000_000, PRICE)) == [Decimal("12000000.000000")]


prices = st.integers(0, 5_000_000).map(lambda micros: Decimal(micros).scaleb(-6))
messages = st.tuples(
    st.sampled_from(["accepted", "delivered", "failed"]),
    st.sampled_from([None, "4720", "4404", "4470"]),
    st.integers(1, 31),
    st.none() | st.integers(1, 40),
    prices,
)


@given(st.lists(messages, min_size=1, max_size=30))
def test_a_cost_is_the_price_of_a_segment_times_the_count_to_the_millionth(rows):
    expected = [
        Decimal(0)
        if (state, code) == ("failed", "4404")
        else price * (segments if billed is None else billed)
        for state, code, segments, billed, price in rows
    ]
    assert costs(*rows) == expected
    assert sum(costs(*rows)) == sum(expected)
