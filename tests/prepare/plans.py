"""A small campaign, and its plan."""

import dataclasses
from datetime import date
from decimal import Decimal

import polars as pl

from pipeline.model import Campaign, Channel, Variant
from pipeline.prepare.plan import plan_frame
from pipeline.prepare.pricing import Price, RateCard

TODAY = date(2026, 6, 1)
CAMPAIGN = Campaign(name="spring", senders=("+19195550100",), template="Your code: {code}.")
CARD = RateCard(
    name="test",
    currency="USD",
    prices=tuple(
        Price(channel=channel, sender=None, prefix="1", base=Decimal(base))
        for channel, base in ((Channel.SMS, "0.004"), (Channel.MMS, "0.015"))
    ),
)


VARIANTS = (Variant(name="a", template="A {code}", weight=3), Variant(name="b", template="B"))


def make_plan(data, **changes):
    campaign = dataclasses.replace(CAMPAIGN, **changes)
    return plan_frame(pl.LazyFrame(data), campaign, CARD, on=TODAY).collect(engine="streaming")
