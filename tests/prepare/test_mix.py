"""Plans by a card with carriers: bounds beside the expected cost, and sums that always agree."""

import dataclasses
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, RateCardError
from pipeline.model import Channel, Columns
from pipeline.prepare import columns
from pipeline.prepare.advice import Advisor
from pipeline.prepare.carriers import read_table
from pipeline.prepare.plan import draft, fingerprint, totals
from pipeline.prepare.pricing import Price
from pipeline.prepare.rate_card import Carrier, Surcharge
from pipeline.prepare.totals import BREAKDOWNS
from tests.prepare.plans import CAMPAIGN, CARD, TODAY, VARIANTS

LONDON = Price(channel=Channel.SMS, sender=None, prefix="44", base=Decimal("0.04"))
CARRIED = dataclasses.replace(
    CARD,
    prices=(*CARD.prices, LONDON),
    carriers=tuple(
        Carrier(name=name, prefix="1", share=Decimal(share))
        for name, share in (("Alpha", "0.333333"), ("Beta", "0.666667"))
    ),
    surcharges=tuple(
        Surcharge(carrier=name, channel=channel, sender=None, amount=Decimal(amount))
        for name, amount in (("Alpha", "0.003"), ("Beta", "0.004501"))
        for channel in Channel
    ),
)  # fmt: skip
TABLE = read_table(
    pl.LazyFrame({"prefix": ["1919555012", "1212"], "carrier": ["Alpha", "beta"]}), file="table"
)


def drafted(data, card=CARRIED, carriers=None, **changes):
    campaign = dataclasses.replace(CAMPAIGN, **changes)
    frame = pl.LazyFrame(data, schema=dict.fromkeys(data, pl.String))
    return draft(frame, campaign, card, on=TODAY, carriers=carriers)


def planned(*args, **changes):
    return drafted(*args, **changes).frame.collect(engine="streaming")


def test_a_plan_has_the_bounds_after_the_contract_and_before_what_is_the_users():
    data = {"phone": ["9195550123"], "code": ["x"], "cost_low": ["mine"]}
    plan = planned(data, variants=VARIANTS)
    assert tuple(plan.columns) == (
        *columns.PLAN_COLUMNS, "cost_low", "cost_high", "variant", "phone", "code", "input_cost_low"
    )  # fmt: skip
    low, high = plan.select("cost_low", "cost_high").row(0)
    assert (low, high) == (Decimal("0.007"), Decimal("0.008501"))
    # 0.333333 x 0.007 + 0.666667 x 0.008501 = 0.008000667500...
    assert plan["cost_estimated"].item() == Decimal("0.008001")


def test_a_column_and_a_table_say_whose_a_number_is():
    data = {
        "phone": ["9195550123", "9195550123", "2125550100", "3055550100", "+442079460123"],
        "network": ["Beta", "", None, " ", "Vodafone"],
        "code": ["a", "b", "c", "d", "e"],
    }
    roles = Columns(carrier="Network", key="code")
    assert planned(data, carriers=TABLE, columns=roles)["cost_estimated"].to_list() == [
        Decimal(cost) for cost in ("0.008501", "0.007", "0.008501", "0.008001", "0.04")
    ]


def test_a_row_may_have_a_sender_and_a_carrier_of_its_own():
    data = {"phone": ["9195550123"], "by": ["12345"], "of": ["Alpha"], "code": ["x"]}
    plan = planned(data, columns=Columns(sender="by", carrier="of"))
    assert plan.select("from", "cost_estimated").row(0) == ("12345", Decimal("0.007"))


def test_a_carrier_that_the_card_does_not_know_refuses_the_plan():
    data = {"phone": ["9195550123", "n/a"], "network": ["Gamma", "Delta"], "code": ["x", "x"]}
    with pytest.raises(
        RateCardError, match=r"no carrier 'Gamma' on .* \(recipients: 1\)"
    ) as refusal:
        planned(data, columns=Columns(carrier="network"))

    assert "Delta" not in str(refusal.value)


def test_a_column_of_carriers_that_is_not_there_is_an_error():
    with pytest.raises(InputError, match="no column 'network'"):
        planned({"phone": ["9195550123"], "code": ["x"]}, columns=Columns(carrier="network"))


def test_a_fingerprint_knows_carriers_surcharges_and_the_table():
    cards = [
        dataclasses.replace(CARRIED, surcharges=CARRIED.surcharges[1:]),
        dataclasses.replace(CARRIED, carriers=CARRIED.carriers[1:]),
    ]
    before = fingerprint(CAMPAIGN, CARRIED, recipients_digest="0")
    after = [fingerprint(CAMPAIGN, card, recipients_digest="0") for card in cards]
    after.append(fingerprint(CAMPAIGN, CARRIED, recipients_digest="0", carriers_digest="1"))
    for each in after:
        assert {name for name in before if before[name] != each[name]} == {"rate card"}


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["9195550123", "919555013{}", "212555010{}", "+4420794601{}3", "?", None]),
        st.integers(0, 9),
        st.text(st.sampled_from("xé€ж"), min_size=1, max_size=400),
        st.sampled_from(["Alpha", "beta", "", None]),
    ),
    max_size=25,
)  # fmt: skip


COSTS = ("cost_low", "cost_estimated", "cost_high")


@settings(max_examples=60)
@given(rows=ROWS, variants=st.sampled_from([(), VARIANTS]), known=st.booleans())
def test_totals_and_every_breakdown_are_the_sums_over_rows(rows, variants, known):
    data = {
        "phone": [phone and phone.format(digit) for phone, digit, *_ in rows],
        "code": [code for *_, code, _ in rows],
        "network": [network for *_, network in rows],
    }
    roles = Columns(carrier="network") if known else Columns()
    made = drafted(data, carriers=TABLE if known else None, columns=roles, variants=variants)
    plan = made.frame.collect(engine="streaming")
    added = totals(plan.lazy(), made.grid.carrier_name(), has_variants=bool(variants))
    sent = plan.filter(pl.col("reason").is_null())
    micros = [sum(int(cost * 10**6) for cost in sent[name]) for name in COSTS]
    assert [added.cost_low_micros, added.cost_micros, added.cost_high_micros] == micros
    absent = {name for name, there in {"variant": variants, "carrier": known}.items() if not there}
    assert set(added.shares) == set(BREAKDOWNS) - absent
    for shares in added.shares.values():
        whole = [
            sum(share.messages for share in shares),
            sum(share.cost_low_micros for share in shares),
            sum(share.cost_micros for share in shares),
            sum(share.cost_high_micros for share in shares),
        ]
        assert whole == [sent.height, *micros]

    for low, expected, high in sent.select(COSTS).iter_rows():
        assert low <= expected <= high


def test_a_plan_is_broken_down_by_carrier_as_the_card_names_it():
    data = {
        "phone": ["9195550123", "9195550123", "3055550100", "+442079460123"],
        "network": ["beta", "", None, "Vodafone"],
        "code": ["a", "b", "c", "d"],
    }
    made = drafted(data, carriers=TABLE, columns=Columns(carrier="network", key="code"))
    plan = made.frame.collect(engine="streaming").lazy()
    shares = totals(plan, made.grid.carrier_name()).shares["carrier"]
    assert {share.value: share.cost_micros for share in shares} == {
        "Alpha": 7_000,
        "Beta": 8_501,
        "default": 40_000,
        None: 8_001,
    }


def test_advice_knows_whose_a_number_is():
    """What is saved by a character less is a segment of this row's carrier."""
    data = {"phone": ["9195550123"], "network": ["Beta"], "code": ["x" * 100]}
    roles, template = Columns(carrier="network"), "It’s {code}"
    made = drafted(data, columns=roles, template=template)
    plan = made.frame.collect(engine="streaming").lazy()
    campaign = dataclasses.replace(CAMPAIGN, columns=roles, template=template)
    advisor = Advisor(
        plan=plan, campaign=campaign, views=made.views, grid=made.grid, has_picture=made.has_picture
    )
    savings = {each.code: each.saving_micros for each in advisor.advise()}
    assert savings == {"template_characters": 8_501, "smart": 8_501}
