"""What a row says itself, variants, repairs and bars: and still each row has exactly one fate."""

import dataclasses
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import RateCardError, TemplateError
from pipeline.model import Channel, Columns
from pipeline.prepare import columns
from pipeline.prepare.plan import (
    Barred,
    draft,
    media_column,
    plan_frame,
    read_shard,
    shard_payloads,
    totals,
)
from pipeline.prepare.pricing import Price, SenderType
from tests.prepare.plans import CAMPAIGN, CARD, TODAY, VARIANTS, make_plan


def test_a_row_may_have_its_own_text_sender_and_region():
    data = {
        "phone": ["9195550101", "020 7946 0123", "9195550103"],
        "code": ["x", "y", "z"],
        "message": [" Hello Ann ", None, " "],
        "sender": ["12345", " ", "no sender at all"],
        "country": [None, "CA", ""],
    }
    roles = Columns(text="message", sender="sender", region="country")
    plan = make_plan(data, columns=roles)
    assert plan.select("text", "from", "reason").rows() == [
        (" Hello Ann ", "12345", None),
        ("Your code: y.", None, "invalid_number"),
        ("Your code: z.", None, "invalid_sender"),
    ]


def test_a_column_of_texts_alone_leaves_a_blank_row_out():
    data = {"phone": ["9195550101", "9195550102"], "message": ["Hello", " "]}
    plan = make_plan(data, template="", columns=Columns(text="Message"))
    assert plan.select("text", "reason").rows() == [("Hello", None), (None, "missing_value")]


def test_a_campaign_without_any_text_is_refused():
    with pytest.raises(TemplateError, match="no text"):
        make_plan({"phone": ["9195550101"]}, template="")


def test_a_row_may_have_its_own_pictures():
    data = {
        "phone": ["9195550101", "9195550102", "9195550103"],
        "picture": ["https://example.com/a.png https://example.com/b.png", None, "C:\\a.png"],
    }
    campaign = dataclasses.replace(
        CAMPAIGN,
        template="Hi",
        channel=Channel.MMS,
        media=("https://example.com/all.png",),
        columns=Columns(media="picture"),
    )
    plan = plan_frame(pl.LazyFrame(data), campaign, CARD, on=TODAY).collect()
    assert plan["reason"].to_list() == [None, None, "invalid_media"]
    own = media_column(campaign, plan.columns)
    ((_, payload),) = shard_payloads(plan.lazy(), media=campaign.media, media_column=own)
    assert [message.media for message in read_shard(payload)] == [
        ("https://example.com/a.png", "https://example.com/b.png"),
        ("https://example.com/all.png",),
    ]


def test_a_row_may_have_ten_pictures_of_its_own_and_no_more():
    pictures = [" ".join(["https://example.com/a.png"] * many) for many in (10, 11)]
    plan = plan_frame(
        pl.LazyFrame({"phone": ["9195550101", "9195550102"], "picture": pictures}),
        dataclasses.replace(
            CAMPAIGN, template="Hi", channel=Channel.MMS, columns=Columns(media="picture")
        ),
        CARD,
        on=TODAY,
    ).collect()
    assert plan["reason"].to_list() == [None, "invalid_media"]
    assert "1 to 10 addresses" in plan["reason_detail"][1]


def test_an_mms_without_any_picture_is_not_sent():
    """The provider would make an SMS of it, at another price than was estimated."""
    data = {"phone": ["9195550101", "9195550102"], "picture": ["https://example.com/a.png", " "]}
    changes = {"template": "Hi", "channel": Channel.MMS, "columns": Columns(media="picture")}
    plan = make_plan(data, **changes)
    assert plan.select("reason", "reason_detail").rows() == [
        (None, None),
        ("missing_value", "column 'picture' is empty, and the campaign has no media"),
    ]


def test_variants_are_given_by_weight_and_stay_the_same():
    phones = [f"+1919{2_000_000 + line:07}" for line in range(4_000)]
    data = {"phone": phones, "code": ["x"] * 4_000}
    once = make_plan(data, template="", variants=VARIANTS)
    again = make_plan({name: cells[::-1] for name, cells in data.items()}, variants=VARIANTS)
    assert once.columns[:14] == [*columns.PLAN_COLUMNS, "variant"]
    assert dict(once.select("to", "variant").rows()) == dict(again.select("to", "variant").rows())
    assert 2_850 < once["variant"].to_list().count("a") < 3_150
    assert {(row["variant"], row["text"]) for row in once.iter_rows(named=True)} == {
        ("a", "A x"),
        ("b", "B"),
    }


def test_only_a_variant_that_needs_a_value_misses_it():
    phones = [f"+1919{2_000_000 + line:07}" for line in range(50)]
    plan = make_plan({"phone": phones, "code": [None] * 50}, variants=VARIANTS)
    assert set(plan.select("variant", "reason").rows()) == {("a", "missing_value"), ("b", None)}


def test_a_column_named_variant_stays_where_there_are_no_variants():
    data = {"phone": ["9195550101"], "code": ["x"], "variant": ["mine"]}
    assert make_plan(data)["variant"].to_list() == ["mine"]
    assert make_plan(data, variants=VARIANTS)["input_variant"].to_list() == ["mine"]


def test_strict_refuses_rows_whose_number_had_to_be_repaired():
    data = {"phone": ["9195550101.0", "9195550102"], "code": ["x", "y"]}
    plan = plan_frame(pl.LazyFrame(data), CAMPAIGN, CARD, on=TODAY, strict=True).collect()
    assert plan["reason"].to_list() == ["repaired_number", None]


def test_a_draft_tells_what_was_repaired():
    data = {"phone": ["9195550101.0", "9195550102"], "code": ["x", "y"]}
    (finding,) = draft(pl.LazyFrame(data), CAMPAIGN, CARD, on=TODAY).findings
    assert (finding.code, finding.count, finding.rows) == ("phone_decimals", 1, (1,))


def test_a_price_is_required_for_every_senders_type_that_rows_have():
    card = dataclasses.replace(
        CARD,
        prices=tuple(dataclasses.replace(each, sender=SenderType.TEN_DLC) for each in CARD.prices),
    )
    recipients = pl.LazyFrame({"phone": ["9195550101"], "sender": ["12345"]})
    campaign = dataclasses.replace(CAMPAIGN, template="Hi", columns=Columns(sender="sender"))
    with pytest.raises(RateCardError, match="short_code"):
        plan_frame(recipients, campaign, card, on=TODAY)


CELLS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        [
            "9195550123",
            "+1 (919) 555-0123",
            "212-555-0100",
            "n/a",
            "555-0100",
            "9195550124.0",
            "9195550123; 2125550100",
            "4.479E+11",
            "+442079460123",
            "911",
            "'9195550125",
            "12345",
        ]
    ),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.just(("mobile", "phone")),
        "text": st.just("code"),
        "sender": st.just("first_name"),
        "key": st.just("code"),
    },
)
WORLD = dataclasses.replace(
    CARD,
    prices=(*CARD.prices, Price(channel=Channel.SMS, sender=None, prefix="", base=Decimal("0.1"))),
)
BARRED = Barred(reason="suppressed", detail="x", numbers=pl.Series([12125550100]))


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=30),
    roles=OPTIONS,
    variants=st.sampled_from([(), VARIANTS]),
    strict=st.booleans(),
    barred=st.sampled_from([(), (BARRED,)]),
)
def test_no_row_is_lost_and_each_has_exactly_one_fate(rows, roles, variants, strict, barred):
    names = ("phone", "first_name", "code", "mobile")
    data = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    campaign = dataclasses.replace(
        CAMPAIGN,
        columns=Columns(**{"phone": ("phone",), **roles}),
        variants=variants,
        template="{?first_name}Hi {first_name}! {/}{code}",
    )
    frame = pl.LazyFrame(data, schema=dict.fromkeys(names, pl.String))
    plan = plan_frame(frame, campaign, WORLD, on=TODAY, barred=barred, strict=strict).collect(
        engine="streaming"
    )
    assert plan["row"].to_list() == list(range(1, len(rows) + 1))
    assert {name: plan[name].to_list() for name in data} == data
    for row in plan.iter_rows(named=True):
        present = [row[name] is not None for name in columns.MESSAGE_COLUMNS]
        assert present == [row["reason"] is None] * len(present)
        assert (row["reason"] is None) == (row["reason_detail"] is None)
        assert row["reason"] or (row["to"] and row["text"].strip())

    sent = plan.filter(pl.col("reason").is_null())
    assert sent["message_key"].n_unique() == sent.height
    assert "key" in roles or sent["to"].n_unique() == sent.height
    added = totals(plan.lazy())
    assert added.rows == len(rows) == added.messages + sum(added.skipped.values())
    assert added.messages == sum(added.encodings.values())
