"""Prices: found by prefix, sender and date; exact to the millionth; never guessed."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RateCardError
from pipeline.model import Channel
from pipeline.prepare.pricing import (
    Price,
    RateCard,
    SenderType,
    add_cost,
    load_card,
    require_prices,
    sender_type,
)

TODAY = date(2026, 6, 1)
SENDER = "+19195550100"
TOLL_FREE = "+18885550100"


def price(prefix, base, sender=None, **more):
    return Price(channel=Channel.SMS, sender=sender, prefix=prefix, base=Decimal(base), **more)


def card(*prices):
    return RateCard(name="test", currency="USD", prices=prices)


def cost(rates, to, sender=SENDER, *, segments=1, channel="sms"):
    frame = pl.LazyFrame(
        {"to": [to], "from": [sender], "channel": [channel], "segments": [segments]}
    )
    return frame.pipe(add_cost, rates, TODAY).collect()["cost_estimated"].item()


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        pytest.param([price("1", "0.001"), price("1919", "0.002")], "0.002", id="longest prefix"),
        pytest.param([price("1", "0.001"), price("", "0.002")], "0.001", id="prefix over default"),
        pytest.param([price("", "0.002")], "0.002", id="default where nothing else fits"),
        pytest.param([price("1", "0.001"), price("1", "0.002", SenderType.TEN_DLC)], "0.002",
                     id="the sender type over default"),
        pytest.param([price("1", "0.001", SenderType.TEN_DLC), price("1919", "0.002")], "0.002",
                     id="the prefix before the sender type"),
        pytest.param([price("1", "0.001"), price("1", "0.002", SenderType.TOLL_FREE)], "0.001",
                     id="not the price of another sender type"),
        pytest.param([price("1", "0.001", effective=date(2026, 1, 1)),
                      price("1", "0.002", effective=date(2026, 5, 1)),
                      price("1", "0.003", effective=date(2026, 6, 2))], "0.002",
                     id="the newest price that has come"),
        pytest.param([price("1", "0.001"), price("1", "0.002", effective=TODAY)], "0.002",
                     id="a price holds from its first day"),
        pytest.param([price("1", "0.001"), price("1919", "0.002", effective=date(2026, 6, 2))],
                     "0.001", id="a longer prefix of tomorrow does not hide a price of today"),
        pytest.param([price("1", "0.001", surcharge=Decimal("0.0045"))], "0.0055", id="surcharge"),
    ],
)  # fmt: skip
def test_the_price_is_the_one_that_fits_best(prices, expected):
    assert cost(card(*prices), "+19195550123") == Decimal(expected)
    assert cost(card(*reversed(prices)), "+19195550123") == Decimal(expected)


def test_a_message_costs_its_segments():
    assert cost(card(price("1", "0.000001")), "+19195550123", segments=7) == Decimal("0.000007")


@given(st.integers(0, 9_999_999_999), st.integers(1, 31))
def test_no_fraction_is_ever_lost(micros, segments):
    base = Decimal(micros) / 1_000_000
    assert cost(card(price("1", str(base))), "+19195550123", segments=segments) == base * segments


def test_a_row_without_segments_costs_nothing_known():
    assert cost(card(price("1", "0.001")), "+19195550123", segments=None) is None


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("+19195550100", "10dlc"),
        ("+18005550100", "toll_free"),
        ("+18335550100", "toll_free"),
        ("+18445550100", "toll_free"),
        ("+18555550100", "toll_free"),
        ("+18665550100", "toll_free"),
        ("+18775550100", "toll_free"),
        ("+18885550100", "toll_free"),
        ("+18225550100", "10dlc"),
        ("12345", "short_code"),
        ("123456", "short_code"),
        ("ACME-1", "alphanumeric"),
        ("8Ball", "alphanumeric"),
        ("+442079460123", "10dlc"),
    ],
)
def test_the_type_of_a_sender_follows_from_its_form(sender, kind):
    assert sender_type(sender) == kind
    rates = card(price("", "1"), price("", "2", SenderType(kind)))
    assert cost(rates, "+19195550123", sender) == Decimal(2)


def test_a_missing_price_is_refused_with_all_that_is_missing():
    frame = pl.LazyFrame(
        {
            "to": ["+19195550123", "+442079460123", "+442079460124", "+493023125042", None],
            "from": [SENDER, TOLL_FREE, TOLL_FREE, SENDER, None],
            "channel": ["sms"] * 5,
        }
    )
    rates = card(price("1", "0.004"), price("44", "0.04", SenderType.TEN_DLC))
    with pytest.raises(RateCardError) as refusal:
        require_prices(frame, rates, TODAY)

    first, second = str(refusal.value).splitlines()
    assert "no sms price on 2026-06-01 for a 10dlc sender and prefix 49 (recipients: 1)" in first
    assert "for a toll_free sender and prefix 44 (recipients: 2); add a [[price]] row" in second


def test_a_price_of_another_channel_is_no_price():
    assert cost(card(price("1", "0.004")), "+19195550123", channel="mms") is None


@pytest.mark.parametrize("kind", ["+19195550100", "+18885550100", "12345"])
@pytest.mark.parametrize("channel", ["sms", "mms"])
def test_the_built_in_card_prices_north_america(kind, channel):
    assert cost(load_card(None), "+19195550123", kind, channel=channel) > 0
