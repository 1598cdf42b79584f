"""Rate cards: read as written, or refused with everything that is wrong."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import RateCardError
from pipeline.model import Channel
from pipeline.prepare.card_file import LIST_PRICES, load_card
from pipeline.prepare.rate_card import Carrier, Direction, SenderType, Surcharge

GOOD = """
name = "Contract"
currency = "EUR"
[[price]]
channel = "sms"
sender = "default"
prefix = "default"
base = "0.004"
surcharge = "0.0045"
effective = 2026-05-01
"""


def refusal(folder, text):
    file = folder / "rates.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RateCardError) as caught:
        load_card(file)

    return str(caught.value).replace(f"{file}: ", "")


def test_a_card_is_read(tmp_path):
    file = tmp_path / "rates.toml"
    file.write_text(GOOD, encoding="utf-8")
    card = load_card(file)
    assert (card.name, card.currency) == ("Contract", "EUR")
    (price,) = card.prices
    assert (price.channel, price.sender, price.prefix) == (Channel.SMS, None, "")
    assert (price.base, price.surcharge) == (Decimal("0.004"), Decimal("0.0045"))
    assert price.effective == date(2026, 5, 1)
    assert (price.direction, card.carriers, card.surcharges) == ("outbound", (), ())


def test_the_built_in_card_says_what_it_is():
    card = load_card(None)
    assert "list prices" in card.name
    assert "contract" in card.name
    assert card.currency == "USD"
    assert {price.sender for price in card.prices} == {
        SenderType.TEN_DLC,
        SenderType.TOLL_FREE,
        SenderType.SHORT_CODE,
    }


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('base = "0.004"', "base = 0.004", 'write base in quotes, such as "0.004"',
                     id="a float is not exact"),
        pytest.param('"0.0045"', '"0.0000001"', "surcharge has more than six decimals",
                     id="smaller than a millionth"),
        pytest.param('"0.004"', '"-1"', "base is an amount such as", id="negative"),
        pytest.param('"0.004"', '"NaN"', "base is an amount such as", id="not a number"),
        pytest.param('"0.004"', '"4e-3"', "base is an amount such as", id="an exponent"),
        pytest.param('base = "0.004"', "", "'base' is missing", id="no price"),
        pytest.param('channel = "sms"', 'channel = "rcs"', "channel is one of sms, mms, not 'rcs'",
                     id="another channel"),
        pytest.param('sender = "default"', 'sender = "tf"', "sender is one of 10dlc, toll_free",
                     id="another sender"),
        pytest.param('prefix = "default"', 'prefix = "+1"', "prefix is the beginning of a number",
                     id="a plus in the prefix"),
        pytest.param('prefix = "default"', "prefix = 1", 'write prefix in quotes: "1"',
                     id="a bare prefix"),
        pytest.param("2026-05-01", '"2026-05-01"', "effective is a date without quotes",
                     id="a date in quotes"),
        pytest.param("2026-05-01", "2026-05-01T00:00:00Z", "effective is a date without quotes",
                     id="a time"),
        pytest.param("surcharge", "surcharges", "no key 'surcharges': did you mean 'surcharge'?",
                     id="unknown key of a price"),
        pytest.param("name", "nmae", "no key 'nmae': did you mean 'name'?",
                     id="unknown key of the card"),
        pytest.param('"EUR"', '"€"', "three capital letters", id="a currency sign"),
        pytest.param('name = "Contract"', "", 'write name = "..."', id="no name"),
        pytest.param("[[price]]", "[price]", "add a [[price]] row", id="a table instead of rows"),
        pytest.param("[[price]]", "[[price", "the rate card is not TOML", id="not TOML"),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_used_says_why(tmp_path, old, new, complaint):
    assert complaint in refusal(tmp_path, GOOD.replace(old, new, 1))


WITH_CARRIERS = """
name = "Contract"
currency = "USD"
[[price]]
channel = "sms"
sender = "default"
prefix = "1"
base = "0.004"
[[carrier]]
name = "T-Mobile"
prefix = "1"
share = "0.4"
[[carrier]]
name = "default"
prefix = "1"
share = "0.6"
[[surcharge]]
carrier = "t-mobile"
channel = "sms"
sender = "10dlc"
direction = "inbound"
amount = "0.0025"
effective = 2026-01-15
[[surcharge]]
carrier = "default"
channel = "mms"
sender = "default"
amount = "0.01"
"""


def test_carriers_are_read(tmp_path):
    file = tmp_path / "rates.toml"
    file.write_text(WITH_CARRIERS, encoding="utf-8")
    card = load_card(file)
    assert card.carriers == (
        Carrier(name="T-Mobile", prefix="1", share=Decimal("0.4")),
        Carrier(name="default", prefix="1", share=Decimal("0.6")),
    )
    assert card.surcharges == (
        Surcharge(
            carrier="T-Mobile",
            channel=Channel.SMS,
            sender=SenderType.TEN_DLC,
            direction=Direction.INBOUND,
            amount=Decimal("0.0025"),
            effective=date(2026, 1, 15),
        ),
        Surcharge(carrier="default", channel=Channel.MMS, sender=None, amount=Decimal("0.01")),
    )
    assert card.mix == {"1": {"T-Mobile": Decimal("0.4"), "default": Decimal("0.6")}}
    assert card.prices[0].surcharge is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('"0.6"', '"0.61"', "prefix 1: the shares of its carriers come to 1.01, not",
                     id="shares of more than a whole"),
        pytest.param('"0.6"', '"0.599999"', "come to 0.999999, not to 1", id="almost a whole"),
        pytest.param('share = "0.6"', "", "prefix 1: give every [[carrier]] a share, or none",
                     id="one without a share"),
        pytest.param('"0.6"', "0.6", "[[carrier]] 2: write share in quotes", id="a float"),
        pytest.param('"0.6"', '"1.6"', "[[carrier]] 2: share is a part of the recipients",
                     id="a share above 1"),
        pytest.param('"0.6"', '"60 %"', "[[carrier]] 2: share is an amount", id="per cent"),
        pytest.param('"t-mobile"', '"T-Mobil"', "[[surcharge]] 1: there is no [[carrier]] "
                     "'T-Mobil': did you mean 'T-Mobile'?", id="an unknown carrier"),
        pytest.param('"t-mobile"', '"Sprint"', "'Sprint': add one, or take the row out",
                     id="a carrier like none"),
        pytest.param('name = "T-Mobile"', "name = 1", "[[carrier]] 1: write the name of a carrier",
                     id="a name that is none"),
        pytest.param("inbound", "incoming", "direction is one of outbound, inbound, not 'incoming'",
                     id="another direction"),
        pytest.param('amount = "0.01"', "", "[[surcharge]] 2: 'amount' is missing", id="no amount"),
        pytest.param("amount", "base", "no key 'base'", id="a key of another table"),
        pytest.param('name = "default"', 'name = "T Mobile"', "[[carrier]] 2: says the same as "
                     "[[carrier]] 1 again: remove one", id="the same carrier twice"),
        pytest.param("[[carrier]]", "[carrier]", "the rate card is not TOML", id="a table"),
    ],
)  # fmt: skip
def test_carriers_that_cannot_be_used_say_why(tmp_path, old, new, complaint):
    assert complaint in refusal(tmp_path, WITH_CARRIERS.replace(old, new, 1))


def test_the_sample_card_is_the_built_in_one():
    sample = Path(__file__).parents[2] / "samples" / "rates" / "bandwidth-2026.toml"
    assert sample.read_bytes() == LIST_PRICES.read_bytes()


def test_every_problem_is_told_at_once(tmp_path):
    text = GOOD.replace("EUR", "euro").replace('"0.004"', "0.004").replace("sms", "fax")
    problems = refusal(tmp_path, text).splitlines()
    assert len(problems) == 3
    assert sum(problem.startswith("[[price]] 1: ") for problem in problems) == 2


def test_two_prices_for_the_same_thing_are_refused(tmp_path):
    row = GOOD[GOOD.index("[[price]]") :]
    assert "[[price]] 2: says the same as [[price]] 1" in refusal(tmp_path, GOOD + row)


def test_a_card_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RateCardError, match="cannot be read: No such file"):
        load_card(tmp_path / "rates.toml")
