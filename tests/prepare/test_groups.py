"""Groups: rows that share a group are one MMS, and every row still has one explained result."""

import dataclasses
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import RateCardError
from pipeline.members import Member
from pipeline.model import Channel, Columns, Variant
from pipeline.prepare import columns, groups
from pipeline.prepare.fingerprints import fingerprint
from pipeline.prepare.plan import draft, totals
from pipeline.prepare.pricing import Price, RateCard
from pipeline.prepare.repeats import Barred
from pipeline.prepare.several import expand
from pipeline.prepare.shards import read_addresses, read_shard, shard_payloads
from tests.prepare.plans import CAMPAIGN, CARD, TODAY

ANN, BOB, CID, DAN, EVE = (f"919555010{n}" for n in range(1, 6))
HOUSEHOLDS = dataclasses.replace(
    CAMPAIGN, template="Hi {name}.", columns=Columns(group="household")
)


def drafted(data, campaign=HOUSEHOLDS, card=CARD, **changes):
    barred = changes.pop("barred", ())
    campaign = dataclasses.replace(campaign, **changes)
    return draft(pl.LazyFrame(data), campaign, card, on=TODAY, barred=barred)


def planned(data, **changes):
    return drafted(data, **changes).frame.collect(engine="streaming")


def people(*rows, **more):
    """Rows of (name, phone, household)."""
    names = ("name", "phone", "household")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)} | more


FAMILY = people(("Ann", ANN, "7"), ("Cid", CID, "8"), ("Bob", BOB, " 7 "), ("Dan", DAN, None))


def messages(plan, **how):
    return [
        message
        for _, payload in shard_payloads(plan.lazy(), has_groups=True, **how)
        for message in read_shard(payload)
    ]


def findings(data, **changes):
    return {each.code: (each.count, each.rows) for each in drafted(data, **changes).findings}


# --- One message, a row each ---------------------------------------------------------------------


def test_rows_that_share_a_group_get_the_text_of_its_first_row_as_one_mms():
    plan = planned(FAMILY)
    assert plan.select("row", "group_row", "to", "channel", "segments", "text").rows() == [
        (1, 1, f"+1{ANN}", "mms", 1, "Hi Ann."),
        (2, None, f"+1{CID}", "sms", 1, "Hi Cid."),
        (3, 1, f"+1{BOB}", "mms", 1, "Hi Ann."),
        (4, None, f"+1{DAN}", "sms", 1, "Hi Dan."),
    ]
    assert plan["reason"].null_count() == 4
    assert plan["message_key"].n_unique() == 4


def test_each_recipient_has_a_price_and_sums_count_recipients():
    found = totals(planned(FAMILY).lazy())
    assert (found.messages, found.segments, found.cost_micros) == (4, 4, 2 * 15_000 + 2 * 4_000)
    for name, shares in found.shares.items():
        assert sum(each.cost_micros for each in shares) == found.cost_micros, name
        assert sum(each.messages for each in shares) == 4, name

    sums = groups.sums(planned(FAMILY).lazy())
    assert sums == groups.GroupSums(groups=1, recipients=2, largest=2)


def test_a_group_is_one_message_with_all_its_recipients():
    plan = planned(FAMILY)
    keys = plan["message_key"].to_list()
    group, *alone = messages(plan)
    assert group.members == (
        Member(1, keys[0], f"+1{ANN}", 15_000),
        Member(3, keys[2], f"+1{BOB}", 15_000),
    )
    assert (group.row, group.key, group.to) == (1, keys[0], (f"+1{ANN}", f"+1{BOB}"))
    assert (group.segments, group.cost_micros, group.channel) == (2, 30_000, Channel.MMS)
    assert [(each.row, each.members, len(each.to)) for each in alone] == [(2, (), 1), (4, (), 1)]


def test_the_price_is_that_of_each_recipients_own_place():
    card = RateCard(
        name="test",
        currency="USD",
        prices=tuple(
            Price(channel=channel, sender=None, prefix=prefix, base=Decimal(base))
            for channel, prefix, base in (
                (Channel.SMS, "1", "0.004"),
                (Channel.MMS, "1", "0.015"),
                (Channel.MMS, "1212", "0.020001"),
            )
        ),
    )
    data = people(("Ann", ANN, "7"), ("Bob", "2125550102", "7"))
    plan = planned(data, card=card)
    assert plan["cost_estimated"].to_list() == [Decimal("0.015"), Decimal("0.020001")]
    (group,) = messages(plan)
    assert group.cost_micros == 35_001


def test_a_card_without_a_price_for_mms_refuses_groups_only():
    sms = RateCard(name="sms", currency="USD", prices=CARD.prices[:1])
    with pytest.raises(RateCardError, match="mms"):
        planned(FAMILY, card=sms)

    alone = people(("Ann", ANN, "7"), ("Cid", CID, "8"))
    assert planned(alone, card=sms)["channel"].to_list() == ["sms", "sms"]


def test_the_sender_variant_and_pictures_are_those_of_the_first_row():
    data = FAMILY | {
        "sender": ["+19195550190", "", "+19195550191", ""],
        "pictures": ["https://a/1.png", "", "https://a/2.png", "https://a/3.png"],
    }
    roles = Columns(group="household", sender="sender", media="pictures")
    plan = planned(data, columns=roles, channel=None)
    assert plan["from"].to_list() == [
        "+19195550190", "+19195550100", "+19195550190", "+19195550100",
    ]  # fmt: skip
    group = messages(plan, media_column="pictures")[0]
    assert (group.sender, group.media) == ("+19195550190", ("https://a/1.png",))

    variants = tuple(Variant(name=name, template=name) for name in "abcdefg")
    many = tuple(f"+1919555019{n}" for n in range(7))
    plan = planned(FAMILY, template="", variants=variants, senders=many)
    first, third = (plan.row(row, named=True) for row in (0, 2))
    assert all(first[name] == third[name] for name in ("from", "variant", "text"))


def test_a_group_needs_no_picture_of_another_row_and_misses_its_own_first_one():
    roles = Columns(group="household", media="pictures")
    data = FAMILY | {"pictures": [None, "https://a/1.png", "https://a/2.png", "https://a/3.png"]}
    plan = planned(data, columns=roles, channel=Channel.MMS)
    assert plan["reason"].to_list() == ["missing_value", None, "missing_value", None]


# --- Who is left out -----------------------------------------------------------------------------


def test_who_may_not_be_texted_is_left_out_and_the_group_is_made_of_the_others():
    barred = (Barred(reason="suppressed", detail="d", numbers=pl.Series([int(f"1{ANN}")])),)
    data = people(("Ann", ANN, "7"), ("Bob", BOB, "7"), ("Cid", CID, "7"), ("Dan", "x", "7"))
    plan = planned(data, barred=barred)
    assert plan.select("reason", "group_row").rows() == [
        ("suppressed", None),
        (None, 2),
        (None, 2),
        ("invalid_number", None),
    ]
    assert plan["text"].to_list()[1:3] == ["Hi Bob.", "Hi Bob."]


def test_a_group_with_one_recipient_who_may_be_texted_is_a_message_to_one():
    plan = planned(people(("Ann", ANN, "7"), ("Bob", "x", "7")))
    assert plan.select("channel", "group_row", "reason").rows() == [
        ("sms", None, None),
        (None, None, "invalid_number"),
    ]


def test_nobody_is_in_two_messages_unless_a_key_tells_them_apart():
    data = people(
        ("Ann", ANN, "7"), ("Ann", ANN, "7"), ("Bob", BOB, "7"), ("Bob", BOB, "8"),
        ("Cid", CID, "8"), ("Ann", ANN, None),
    )  # fmt: skip
    plan = planned(data)
    assert plan["reason"].to_list() == [None, "duplicate", None, "duplicate", None, "duplicate"]
    assert plan["group_row"].to_list() == [1, None, 1, None, None, None]

    plan = planned(data, columns=Columns(group="household", key="household"))
    assert plan["reason"].to_list() == [None, "duplicate", None, None, None, None]
    assert plan["group_row"].to_list() == [1, None, 1, 4, 4, None]
    assert plan["message_key"].n_unique() == 6  # five and null


@pytest.mark.parametrize("limit", [2, 10, 50])
def test_a_group_beyond_the_limit_gets_nothing_and_each_row_says_why(limit):
    numbers = [f"91955501{n:02}" for n in range(limit + 1)]
    full = people(*(("A", number, "7") for number in numbers[:-1]))
    assert planned(full, group_limit=limit)["group_row"].to_list() == [1] * limit
    plan = planned(people(*(("A", number, "7") for number in numbers)), group_limit=limit)
    assert set(plan["reason"]) == {"group_too_large"}
    assert f"more than {limit} recipients" in plan["reason_detail"][0]
    assert plan.select(columns.MESSAGE_COLUMNS).null_count().row(0) == (limit + 1,) * 7


def test_a_recipient_abroad_is_left_out_of_a_group_and_may_be_texted_alone():
    abroad = Price(channel=Channel.SMS, sender=None, prefix="44", base=Decimal("0.04"))
    card = dataclasses.replace(CARD, prices=(*CARD.prices, abroad))
    data = people(
        ("Ann", ANN, "7"), ("Bob", BOB, "7"), ("Una", "+447400123456", "7"),
        ("Ugo", "+447400123457", "8"),
    )  # fmt: skip
    plan = planned(data, card=card)
    assert plan["reason"].to_list() == [None, None, "group_abroad", None]
    assert plan["channel"].to_list() == ["mms", "mms", None, "sms"]


def test_what_is_wrong_with_the_first_rows_text_is_wrong_with_the_group():
    data = people(("Ann", ANN, "7"), ("", BOB, "8"), ("Cid", CID, "8"), ("", DAN, "7"))
    plan = planned(data)
    assert plan["reason"].to_list() == [None, "missing_value", "missing_value", None]
    first, second = plan["reason_detail"].to_list()[1:3]
    assert first.startswith("column 'name' is empty")
    assert second == f"in row 2, whose text the group gets: {first}"
    assert plan["group_row"].to_list() == [1, None, None, 1]


@pytest.mark.parametrize("sender", ["ACME", "12345"])
def test_a_group_is_not_sent_from_a_name_or_a_short_code(sender):
    roles = Columns(group="household", sender="sender")
    plan = planned(FAMILY | {"sender": [sender] * 4}, columns=roles)
    assert plan["reason"].to_list() == ["invalid_sender", None, "invalid_sender", None]


# --- A cell that lists them ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "between", [";", ", ", " / ", "|", "\n", "\r\n", "\t", " or ", " und ", " & ", " ", ";;"]
)
def test_the_numbers_of_a_cell_are_a_group_whatever_stands_between(between):
    spelled = between.join(f"+1{number}" for number in (ANN, BOB, ANN, CID))
    found = listed({"name": ["Eve", "Zed"], "phones": [EVE, spelled]})
    plan = found.frame.collect(engine="streaming")
    assert plan.select("to", "group_row", "text", "file_row").rows() == [
        (f"+1{EVE}", None, "Hi Eve.", 1),
        *((f"+1{number}", 2, "Hi Zed.", 2) for number in (ANN, BOB, CID)),
    ]


def listed(data):
    roles = Columns(phone=("phones",), recipients="phones")
    expanded = expand(pl.LazyFrame(data), roles=roles, region="US", file="people.csv")
    campaign = dataclasses.replace(HOUSEHOLDS, columns=expanded.roles)
    found = draft(expanded.frame, campaign, CARD, on=TODAY)
    return dataclasses.replace(found, findings=(*expanded.findings, *found.findings))


def test_what_is_no_number_in_a_list_is_told_and_the_others_are_the_group():
    found = listed({"name": ["Ann"], "phones": [f"{ANN}; 9190000000; {BOB}; none"]})
    told = {each.code: each.count for each in found.findings}
    assert told["numbers_left"] == 2
    assert found.frame.collect()["group_row"].to_list() == [1, 1]


# --- What its owner should know ------------------------------------------------------------------


def test_the_doctor_tells_groups_lonely_members_and_rows_without_a_group():
    assert findings(FAMILY) == {"groups": (2, (1, 3)), "group_of_one": (1, (2,)),
                                "no_group": (1, (4,))}  # fmt: skip


def test_the_doctor_tells_whose_own_row_would_have_said_something_else():
    found = drafted(FAMILY)
    (told,) = groups.other_texts(found.frame, HOUSEHOLDS, found.views)
    assert (told.code, told.count, told.rows) == ("group_texts", 1, (3,))
    same = drafted(FAMILY, template="Hello.")
    campaign = dataclasses.replace(HOUSEHOLDS, template="Hello.")
    assert list(groups.other_texts(same.frame, campaign, same.views)) == []


# --- Shards, fingerprints ------------------------------------------------------------------------


def test_a_column_of_the_users_that_is_named_like_ours_keeps_its_values():
    plan = planned(FAMILY | {"group_row": ["a", "b", "c", "d"]})
    assert plan["input_group_row"].to_list() == ["a", "b", "c", "d"]
    assert "group_row" in planned(FAMILY | {"group_row": list("abcd")}, columns=Columns()).columns


def test_a_limit_and_a_group_are_in_the_fingerprint_only_where_there_are_groups():
    def parts(**changes):
        campaign = dataclasses.replace(CAMPAIGN, **changes)
        return fingerprint(campaign, CARD, recipients_digest="d")["columns"]

    assert parts() == parts(group_limit=20)
    grouped = Columns(group="household")
    assert len({parts(), parts(columns=grouped), parts(columns=grouped, group_limit=20)}) == 3


@settings(max_examples=40)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=400))
def test_every_sent_row_is_in_exactly_one_message_and_no_group_is_torn(households):
    numbers = [f"919555{place:04}" for place in range(len(households))]
    rows = [("A", number, str(each)) for number, each in zip(numbers, households, strict=True)]
    plan = planned(people(*rows), group_limit=50)
    shards = list(shard_payloads(plan.lazy(), has_groups=True))
    found = [message for _, payload in shards for message in read_shard(payload)]
    sent = plan.filter(pl.col("reason").is_null())
    in_messages = sorted(to for message in found for to in message.to)
    assert in_messages == sorted(sent["to"])
    assert sum(count for count, _ in shards) == sent.height
    assert sum(message.cost_micros for message in found) == 1_000_000 * sent["cost_estimated"].sum()
    firsts = pl.concat([read_addresses(payload) for _, payload in shards])
    assert sorted(firsts["row"]) == sent["row"].to_list()
    for message in found:
        names = {households[member.row - 1] for member in message.members}
        assert len(names) <= 1
        assert len(message.to) == max(len(message.members), 1)

    seen = [households[message.row - 1] for message in found]
    assert len(seen) == len(set(seen))
