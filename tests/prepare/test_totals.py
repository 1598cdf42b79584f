"""Totals: exact sums, and breakdowns that add up to them whatever the plan holds."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import RateCardError
from pipeline.prepare.plan import totals
from pipeline.prepare.totals import BREAKDOWNS, DEAREST

from .plans import VARIANTS, make_plan


def test_totals_are_exact_sums():
    data = {
        "phone": ["9195550100", "9195550101", "9195550100", "n/a", "9195550102"],
        "code": ["x", "ж" * 80, "x", "x", None],
    }
    added = totals(make_plan(data).lazy())
    assert (added.rows, added.messages, added.segments) == (5, 2, 3)
    assert added.skipped == {"duplicate": 1, "invalid_number": 1, "missing_value": 1}
    assert added.encodings == {"GSM-7": 1, "UCS-2": 1}
    assert (added.cost_micros, added.currency) == (12_000, "USD")
    assert added.dearest == ((2, 2, 8_000), (1, 1, 4_000))


def test_totals_of_nothing_to_send_are_zero():
    added = totals(make_plan({"phone": ["n/a"], "code": ["x"]}).lazy())
    assert (added.rows, added.messages, added.segments, added.cost_micros) == (1, 0, 0, 0)
    assert added.currency == "USD"
    assert not any(added.shares.values())
    assert added.dearest == ()


def test_totals_refuse_a_message_without_a_price():
    plan = make_plan({"phone": ["9195550100"], "code": ["x"]})
    unpriced = plan.lazy().with_columns(cost_estimated=pl.lit(None, pl.Decimal(18, 6)))
    with pytest.raises(RateCardError, match="the plan has 1 message without a price"):
        totals(unpriced)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("encoding", {"GSM-7": 3, "UCS-2": 1}),
        ("segments", {1: 3, 2: 1}),
        ("channel", {"sms": 4}),
        ("from", {"+19195550100": 4}),
        ("country", {"US": 3, "CA": 1}),
        ("area", {"North Carolina": 2, "Ontario": 1, "South Dakota": 1}),
        (
            "zones",
            {
                "America/New_York": 2,
                "America/Toronto": 1,
                "America/Denver|America/North_Dakota/Center": 1,
            },
        ),
    ],
)
def test_a_plan_is_broken_down_by_what_its_messages_are(name, values):
    data = {
        "phone": ["9195550100", "9195550101", "4165550123", "6052215555", "n/a"],
        "code": ["x", "x", "ж" * 80, "x", "x"],
    }
    shares = totals(make_plan(data).lazy()).shares[name]
    assert {share.value: share.messages for share in shares} == values


def test_a_plan_is_broken_down_by_variant():
    data = {"phone": [f"91955501{number:02}" for number in range(50)], "code": ["x"] * 50}
    plan = make_plan(data, variants=VARIANTS, template="")
    shares = totals(plan.lazy(), has_variants=True).shares["variant"]
    assert {share.value: share.messages for share in shares} == dict(
        plan.group_by("variant").len().iter_rows()
    )
    assert len(shares) == 2


@pytest.mark.parametrize("name", ["country", "area", "zones", "variant", "carrier", "key"])
def test_a_column_of_the_user_is_no_breakdown_whatever_its_name(name):
    """People's own cells never enter the document, and never collide with ours."""
    data = {"phone": ["9195550100", "9195550101"], "code": ["x", "x"], name: ["Ann", "Bob"]}
    shares = totals(make_plan(data).lazy()).shares
    assert set(shares) == set(BREAKDOWNS) - {"variant", "carrier"}
    assert {share.value for each in shares.values() for share in each}.isdisjoint({"Ann", "Bob"})


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["9195550100", "4165550123", "6052215555", "2125550101", "n/a"]),
            st.integers(0, 10**6),
            st.text(st.sampled_from("aé{ж€😀"), max_size=400),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_breakdown_adds_up_to_the_totals(rows):
    data = {
        "phone": [str(int(phone) + number % 800) if phone != "n/a" else phone
                  for phone, number, _ in rows],
        "code": [code for *_, code in rows],
    }  # fmt: skip
    plan = make_plan(data, variants=VARIANTS, template="")
    added = totals(plan.lazy(), has_variants=True)
    sent = plan.filter(pl.col("reason").is_null())
    cost = sum(map(Fraction, sent["cost_estimated"]), Fraction())
    whole = (sent.height, sent["segments"].sum(), cost * 1_000_000)
    assert (added.messages, added.segments, added.cost_micros) == whole
    assert added.cost_low_micros == added.cost_high_micros == cost * 1_000_000
    assert added.messages + sum(added.skipped.values()) == added.rows == plan.height
    assert set(added.shares) == set(BREAKDOWNS) - {"carrier"}
    for shares in added.shares.values():
        sums = [sum(part) for part in zip(*((s.messages, s.segments, s.cost_micros)
                                            for s in shares), strict=True)]  # fmt: skip
        assert tuple(sums or (0, 0, 0)) == whole

    assert len(added.dearest) == min(DEAREST, sent.height)


def test_the_dearest_messages_are_named_by_row():
    codes = ["x" * (160 * number) for number in (1, 5, 3, 5)]
    numbers = [f"919555010{number}" for number in range(4)]
    plan = make_plan({"phone": numbers, "code": codes}).lazy()
    assert [row for row, *_ in totals(plan).dearest] == [2, 4, 3, 1]
