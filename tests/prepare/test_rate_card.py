"""Rate cards: read as written, or refused with everything that is wrong."""

from datetime import date
from decimal import Decimal

import pytest

from pipeline.errors import RateCardError
from pipeline.model import Channel
from pipeline.prepare.rate_card import SenderType, load_card

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
    assert price.micros == 8500


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
