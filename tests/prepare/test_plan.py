"""The plan: rows in = rows out, and each row has a message or a reason, never both."""

import dataclasses
import re
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from pipeline.errors import InputError, RateCardError, TemplateError
from pipeline.model import Campaign, Channel, Columns
from pipeline.prepare import columns
from pipeline.prepare.plan import (
    fingerprint,
    plan_frame,
)
from pipeline.prepare.pricing import Price, RateCard, SenderType
from tests.prepare.plans import CAMPAIGN, CARD, TODAY, VARIANTS, make_plan


def test_a_plan_has_the_columns_of_the_contract_in_order():
    plan = make_plan(
        {"city": ["Durham"], "phone": ["9195550123"], "code": ["x"], "first_name": ["A"]}
    )
    assert tuple(plan.columns) == (
        "row", "message_key", "to", "from", "channel", "encoding", "units", "segments", "text",
        "reason", "reason_detail", "cost_estimated", "currency",
        "city", "phone", "code", "first_name",
    )  # fmt: skip
    assert plan["cost_estimated"].dtype == pl.Decimal(18, 6)


def test_a_row_that_is_sent_knows_everything():
    data = {"phone": ["(919) 555-0123"], "code": ["[7]"], "first_name": [None]}
    plan = make_plan(data, template="Hi {First Name|there}, code {code}.")
    row = plan.row(0, named=True)
    assert re.fullmatch("m[0-9]{1,20}", row.pop("message_key"))
    assert row == {
        "row": 1,
        "to": "+19195550123",
        "from": "+19195550100",
        "channel": "sms",
        "encoding": "GSM-7",
        "units": 21,
        "segments": 1,
        "text": "Hi there, code [7].",
        "reason": None,
        "reason_detail": None,
        "cost_estimated": Decimal("0.004"),
        "currency": "USD",
        "phone": "(919) 555-0123",
        "code": "[7]",
        "first_name": None,
    }


@pytest.mark.parametrize(
    ("phone", "text", "reason", "detail"),
    [
        pytest.param(None, "x", "missing_number", "no phone number", id="blank number"),
        pytest.param("n/a", "x", "invalid_number", "letters", id="no number"),
        pytest.param("+1 919 555 0100", "x", "duplicate", "duplicate of row 1", id="again"),
        pytest.param("9195550124", None, "missing_value", "column 'text' is empty", id="no value"),
        pytest.param("9195550124", "x" * 2049, "too_long", "2049 characters", id="too long"),
        pytest.param("n/a", None, "invalid_number", "letters", id="the number is named first"),
    ],
)
def test_a_row_that_is_not_sent_says_why(phone, text, reason, detail):
    plan = make_plan({"phone": ["9195550100", phone], "text": ["x", text]}, template="{text}")
    row = plan.row(1, named=True)
    assert row["reason"] == reason
    assert detail in row["reason_detail"]
    assert [row[name] for name in columns.MESSAGE_COLUMNS] == [None] * len(columns.MESSAGE_COLUMNS)
    assert row["input_text"] == text


def test_the_longest_text_the_provider_takes_is_sent():
    plan = make_plan({"phone": ["9195550100"], "text": ["x" * 2048]}, template="{text}")
    assert plan["segments"].to_list() == [14]


def test_a_text_of_nothing_is_not_sent():
    plan = make_plan({"phone": ["9195550100"], "a": [None]}, template="{a|} {a|}")
    assert plan["reason"].to_list() == ["empty_text"]


def test_a_text_of_any_blanks_is_not_sent():
    codes = [code for code in range(0x11000) if not 0xD800 <= code <= 0xDFFF]
    characters = pl.Series([chr(code) for code in codes])
    blanks = characters.filter(characters.str.strip_chars() == "").to_list()
    assert len(blanks) == 25  # Unicode's White_Space
    cells = {"phone": ["9195550100", "9195550101"], "a": [None, "x"]}
    for blank in (*blanks, "".join(blanks)):
        plan = make_plan(cells, template=f"{{a|}}{blank}{{a|}}")
        assert plan["reason"].to_list() == ["empty_text", None]


def test_a_picture_may_come_without_text():
    media = ("https://example.com/a.png",)
    plan = make_plan(
        {"phone": ["9195550100"], "a": [None]}, template="{a|}", channel=Channel.MMS, media=media
    )
    assert plan.select("reason", "segments", "cost_estimated").row(0) == (None, 1, Decimal("0.015"))


def test_blank_lines_are_rows():
    plan = make_plan({"phone": [None, "9195550100", ""], "code": [None, "x", None]})
    assert plan["row"].to_list() == [1, 2, 3]
    assert plan["reason"].to_list() == ["missing_number", None, "missing_number"]


def test_the_users_columns_come_out_untouched():
    data = {
        "phone": [19195550123, None],
        "code": [1.50, None],
        "since": [date(2026, 1, 1), None],
        "tags": [["a", "b"], []],
        "text": [" keep ", "me"],
        "state": ["NC", "NY"],
    }
    plan = make_plan(data)
    own = plan.select("phone", "code", "since", "tags", text="input_text", state="input_state")
    assert own.equals(pl.DataFrame(data))
    assert plan["text"].to_list() == ["Your code: 1.5.", None]


def test_a_phone_column_may_have_a_name_of_the_plan():
    plan = make_plan({"to": ["(919) 555-0123"], "code": ["x"], "row": ["7"]}, template="Row {row}")
    expected = (1, "+19195550123", "Row 7", "(919) 555-0123", "7")
    assert plan.select("row", "to", "text", "input_to", "input_row").row(0) == expected


def test_a_recipient_always_has_the_same_sender_and_all_senders_are_used():
    senders = tuple(f"+1919555{line:04}" for line in range(100, 107))
    phones = [f"+1212555{line:04}" for line in range(100, 200)]
    data = {"phone": phones, "code": ["x"] * 100}
    once = make_plan(data, senders=senders)
    again = make_plan({name: cells[::-1] for name, cells in data.items()}, senders=senders)
    assert set(once["from"]) == set(senders)
    assert dict(once.select("to", "from").rows()) == dict(again.select("to", "from").rows())


def test_a_message_key_tells_campaign_recipient_and_user_key_apart():
    plain = {"phone": ["9195550123", "9195550124"], "code": ["x", "x"]}
    keyed = {"phone": ["9195550123"] * 2, "code": ["x", "x"], "key": ["a", "b"]}
    keys = [
        *make_plan(plain)["message_key"],
        *make_plan(plain, name="autumn")["message_key"],
        *make_plan(keyed)["message_key"],
    ]
    assert len(set(keys)) == 6


def test_a_message_key_does_not_depend_on_spelling_place_text_or_release():
    once = make_plan({"phone": ["9195550123"], "code": ["x"]})["message_key"].item()
    data = {"mobile": ["9195550124", "+1 (919) 555-0123"], "other": [1, 2]}
    again = make_plan(data, template="Hello")["message_key"][1]
    assert once == again == "m8064798783193174486"


def test_a_plan_is_made_batch_by_batch(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("phone,code,key\n9195550123,x,1\n", encoding="utf-8")
    recipients = pl.scan_csv(path, infer_schema=False)
    plan = plan_frame(recipients, CAMPAIGN, CARD, on=TODAY)
    graph = plan.show_graph(engine="streaming", plan_stage="physical", raw_output=True, show=False)
    steps = set(re.findall(r'label="([a-z-]+)', graph))
    assert "zip-strict" in steps
    assert not steps & {"multiplexer", "columnar-function", "in-memory-map"}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param({"name": ["x"], "code": ["x"]}, InputError, id="no phone column"),
        pytest.param({"phone": ["9195550123"]}, TemplateError, id="no column for the template"),
        pytest.param(
            {"phone": ["9195550123"], "code": [["x"]]}, TemplateError, id="a list as value"
        ),
        pytest.param({"phone": ["+442079460123"], "code": ["x"]}, RateCardError, id="no price"),
    ],
)
def test_a_campaign_that_cannot_be_planned_is_refused_as_a_whole(data, error):
    with pytest.raises(error):
        make_plan(data)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"template": "x"}, "template"),
        ({"senders": ("+19195550101",)}, "senders"),
        ({"channel": Channel.MMS}, "channel"),
        ({"media": ("https://example.com/a.png",)}, "media"),
        ({"region": "CA"}, "region"),
        ({"columns": Columns(key="order")}, "columns"),
        ({"all_numbers": True}, "columns"),
        ({"variants": VARIANTS}, "template"),
        ({"exclude": ("winter",)}, "exclusions"),
        ({"frequency_days": 7}, "exclusions"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fingerprint_names_the_part_that_changed(changes, part):
    before = fingerprint(CAMPAIGN, CARD, recipients_digest="0" * 64)
    after = fingerprint(dataclasses.replace(CAMPAIGN, **changes), CARD, recipients_digest="0" * 64)
    assert {name for name in before if before[name] != after[name]} == {part}


def test_the_fingerprint_of_a_campaign_that_was_started_long_ago_stays():
    """It is in journals: another digest for the same words would refuse to go on with them."""
    campaign = Campaign(name="spring", senders=("+19195550100",), template="Hi")
    price = Price(channel=Channel.SMS, sender=None, prefix="1", base=Decimal("0.004"))
    with_all = Price(
        channel=Channel.MMS,
        sender=SenderType.TOLL_FREE,
        prefix="",
        base=Decimal("0.015"),
        surcharge=Decimal("0.0045"),
        effective=date(2026, 5, 1),
    )
    card = RateCard(name="test", currency="USD", prices=(price, with_all))
    assert fingerprint(campaign, card, recipients_digest="0" * 64) == {
        "recipients": "0000000000000000",
        "template": "ebee60392eb04106",
        "senders": "cfec920543932753",
        "channel": "ad88a3b6410f1dec",
        "media": "4f53cda18c2baa0c",
        "region": "b5e86cefc9cfb8c9",
        "columns": "2e7f41fe6d9aa0ee",
        "exclusions": "4911e5ca3e551c5f",
        "rate card": "2449293250e6723b",
    }


def test_a_fingerprint_knows_the_file_and_the_prices():
    before = fingerprint(CAMPAIGN, CARD, recipients_digest="0" * 64)
    other = dataclasses.replace(CARD, prices=CARD.prices[:1])
    after = fingerprint(CAMPAIGN, other, recipients_digest="1" * 64)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"recipients", "rate card"}
