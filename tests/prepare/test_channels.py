"""A campaign that leaves the channel to the price: MMS where it is possible and costs less."""

import dataclasses
from decimal import Decimal

import polars as pl
import pytest

from pipeline.errors import RateCardError
from pipeline.model import Channel, Columns
from pipeline.prepare.advice import Advisor
from pipeline.prepare.plan import draft, fingerprint, media_column, totals
from pipeline.prepare.pricing import Price
from pipeline.prepare.rate_card import Carrier, Surcharge
from pipeline.prepare.shards import read_shard, shard_payloads

from .plans import CAMPAIGN, CARD, TODAY

PICTURE = "https://example.com/a.png"
AUTO = dataclasses.replace(CAMPAIGN, template="{text}", channel=None, media=(PICTURE,))
LONG = "y" * 153 * 4  # 16 mills by SMS, 15 by MMS
WORLD = dataclasses.replace(
    CARD,
    prices=(
        *CARD.prices,
        *(Price(channel=channel, sender=None, prefix="44", base=Decimal(base))
          for channel, base in ((Channel.SMS, "0.04"), (Channel.MMS, "0.01"))),
    ),
)  # fmt: skip


def drafted(texts, campaign=AUTO, card=WORLD, phone="9195550123", **more):
    phones = [phone] * len(texts)
    data = {"phone": phones, "text": texts, "key": list(map(str, range(len(texts)))), **more}
    return draft(pl.LazyFrame(data), campaign, card, on=TODAY)


def planned(*args, **changes):
    return drafted(*args, **changes).frame.collect(engine="streaming")


def channels(*args, **changes):
    return planned(*args, **changes)["channel"].to_list()


def test_a_message_is_an_mms_where_that_is_strictly_cheaper():
    even = dataclasses.replace(CARD, prices=(
        CARD.prices[0], dataclasses.replace(CARD.prices[1], base=Decimal("0.016")),
    ))  # fmt: skip
    texts = ["Hi", "y" * 153 * 3, LONG, "y" * 153 * 5, "😀" * 300]
    plan = planned(texts)
    assert plan["channel"].to_list() == ["sms", "sms", "mms", "mms", "mms"]
    assert plan["segments"].to_list() == [1, 3, 1, 1, 1]
    assert plan["units"].to_list() == [2, 459, 612, 765, 600]
    assert plan["cost_estimated"].to_list() == [
        Decimal(cost) for cost in ("0.004", "0.012", "0.015", "0.015", "0.015")
    ]
    assert channels(texts, card=even) == ["sms", "sms", "sms", "mms", "mms"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, "mms", id="a number to a number"),
        pytest.param({"campaign": dataclasses.replace(AUTO, senders=("12345",))}, "mms",
                     id="a short code"),
        pytest.param({"campaign": dataclasses.replace(AUTO, senders=("ACME",))}, "sms",
                     id="a name sends no pictures"),
        pytest.param({"phone": "+442079460123"}, "sms", id="abroad there is no MMS"),
        pytest.param({"card": dataclasses.replace(CARD, prices=CARD.prices[:1])}, "sms",
                     id="a card without a price of an MMS"),
    ],
)  # fmt: skip
def test_an_mms_is_only_what_can_be_one(changes, said):
    assert channels([LONG], **changes) == [said]


def test_a_text_too_long_for_an_mms_stays_an_sms():
    assert channels(["y" * 1000, "y" * 1001]) == ["mms", "sms"]


def test_a_row_needs_a_picture_of_its_own_where_the_campaign_has_none():
    campaign = dataclasses.replace(AUTO, media=(), columns=Columns(media="picture", key="key"))
    own = {"picture": [PICTURE, " ", None, "C:\\a.png"]}
    plan = planned([LONG] * 4, campaign, **own)
    assert plan["channel"].to_list() == ["mms", "sms", "sms", None]
    assert plan["reason"].to_list() == [None, None, None, "invalid_media"]


def test_an_empty_text_is_not_sent_since_an_sms_would_be_cheaper():
    campaign = dataclasses.replace(AUTO, template="{text|}")
    assert planned([" ", LONG], campaign)["reason"].to_list() == ["empty_text", None]


def test_an_sms_price_is_needed_for_everybody():
    only_mms = dataclasses.replace(CARD, prices=CARD.prices[1:])
    with pytest.raises(RateCardError, match=r"no sms price .* \(recipients: 1\)"):
        drafted([LONG], card=only_mms)


def test_what_is_expected_decides_and_the_bounds_follow():
    card = dataclasses.replace(
        CARD,
        carriers=tuple(Carrier(name=name, prefix="1", share=Decimal("0.5")) for name in "AB"),
        surcharges=tuple(
            Surcharge(carrier=name, channel=channel, sender=None, amount=Decimal(amount))
            for name, channel, amount in (
                ("A", Channel.SMS, "0"), ("A", Channel.MMS, "0.004"),
                ("B", Channel.SMS, "0.001"), ("B", Channel.MMS, "0"),
            )
        ),
    )  # fmt: skip
    texts = ["y" * 153 * 3, LONG]
    plan = planned(texts, card=card).select("channel", "cost_low", "cost_estimated", "cost_high")
    assert plan.rows() == [
        ("sms", Decimal("0.012"), Decimal("0.0135"), Decimal("0.015")),
        ("mms", Decimal("0.015"), Decimal("0.017"), Decimal("0.019")),
    ]


def test_an_sms_takes_no_picture_along():
    campaign = dataclasses.replace(AUTO, columns=Columns(media="picture", key="key"))
    plan = planned(["Hi", "Hi", LONG, LONG], campaign, picture=[PICTURE, None, PICTURE, None])
    own = media_column(campaign, plan.columns)
    ((_, payload),) = shard_payloads(plan.lazy(), media=("https://b/c",), media_column=own)
    assert [(message.channel, message.segments, message.media) for message in
            read_shard(payload)] == [
        ("sms", 1, ()), ("sms", 1, ()), ("mms", 1, (PICTURE,)), ("mms", 1, ("https://b/c",))
    ]  # fmt: skip


def test_it_never_costs_more_than_either_channel_alone():
    texts = ["y" * length for length in range(1, 1000, 37)]
    costs = [
        totals(planned(texts, dataclasses.replace(AUTO, channel=channel)).lazy()).cost_micros
        for channel in (None, Channel.SMS, Channel.MMS)
    ]
    assert costs[0] < min(costs[1:])


def test_the_fingerprint_knows_it():
    campaigns = [AUTO, dataclasses.replace(AUTO, channel=Channel.MMS)]
    auto, mms = (fingerprint(each, CARD, recipients_digest="0") for each in campaigns)
    assert {name for name in auto if auto[name] != mms[name]} == {"channel"}


@pytest.mark.parametrize(
    ("changes", "advised"),
    [
        pytest.param({"channel": Channel.SMS, "media": ()}, True, id="an SMS campaign"),
        pytest.param({"channel": Channel.SMS, "media": (), "senders": ("ACME",)}, False,
                     id="one that could not"),
        pytest.param({}, False, id="one that does it already"),
    ],
)  # fmt: skip
def test_mms_is_advised_where_it_could_be_one_and_is_not(changes, advised):
    campaign = dataclasses.replace(AUTO, **changes)
    made = drafted([LONG], campaign)
    plan = made.frame.collect(engine="streaming").lazy()
    advice = Advisor(
        plan=plan,
        campaign=campaign,
        views=made.views,
        grid=made.grid,
        has_picture=made.has_picture,
    ).advise()
    assert ("mms" in {each.code for each in advice}) == advised
