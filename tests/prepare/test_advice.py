"""Advice: each change, made to the campaign for real, saves exactly what was said."""

import dataclasses

import polars as pl
import pytest

from pipeline.model import Campaign, Channel, Columns, Variant
from pipeline.prepare.advice import Advisor
from pipeline.prepare.plan import draft, totals

from .plans import CARD, TODAY

CAMPAIGN = Campaign(name="spring", senders=("+19195550100",), template="x")
PRICE = 4_000  # micros a segment


def phones(count):
    return [f"91955{number:05}" for number in range(count)]


def planned(data, **changes):
    campaign = dataclasses.replace(CAMPAIGN, **changes)
    made = draft(pl.LazyFrame(data), campaign, CARD, on=TODAY)
    plan = made.frame.collect(engine="streaming").lazy()
    return plan, Advisor(
        plan=plan, campaign=campaign, views=made.views, grid=made.grid, has_picture=made.has_picture
    )


def advised(data, **changes):
    _, advisor = planned(data, **changes)
    return {each.code: each for each in advisor.advise()}


def cost(data, **changes):
    return totals(planned(data, **changes)[0]).cost_micros


def test_nothing_to_save_is_no_advice():
    assert advised({"phone": phones(3)}, template="Hi") == {}


def test_a_template_character_that_forces_ucs2_is_priced():
    data, template = {"phone": phones(3)}, "It’s {phone|x}" + "y" * 100
    found = advised(data, template=template)["template_characters"]
    assert found.sentence.endswith("write ' instead of ’ (U+2019 RIGHT SINGLE QUOTATION MARK)")
    assert (found.messages, found.saving_micros) == (3, 3 * PRICE)
    without = cost(data, template=template.replace("’", "'"))
    assert found.saving_micros == cost(data, template=template) - without


@pytest.mark.parametrize(
    ("character", "says"),
    [
        pytest.param("–", "write - instead of – (U+2013 EN DASH)", id="a look-alike"),
        pytest.param("\u00a0", "write a space instead of (U+00A0 NO-BREAK SPACE)", id="a space"),
        pytest.param("ł", "write l instead of ł (U+0142", id="the letter without its accent"),
        pytest.param("\u200b", "leave out (U+200B ZERO WIDTH SPACE)", id="nothing to see"),
        pytest.param("ж", "leave out ж (U+0436", id="no look-alike"),
        pytest.param("\x07", "leave out (U+0007 control character)", id="a control character"),
    ],
)
def test_advice_says_what_to_write_instead_of_a_template_character(character, says):
    found = advised({"phone": phones(1)}, template=character + "y" * 100)["template_characters"]
    assert says in found.sentence
    assert (found.messages, found.saving_micros) == (1, PRICE)


def test_a_look_alike_longer_than_its_character_is_priced_with_its_length():
    """Three dots for an ellipsis: 160 septets, and 161, instead of three parts of UCS-2."""
    data = {"phone": phones(2), "name": ["y" * 152, "y" * 153]}
    found = advised(data, template="Hi {name}, …")["template_characters"]
    assert (found.messages, found.saving_micros) == (2, (2 + 1) * PRICE)


def test_smart_characters_are_priced_over_template_and_columns():
    names = ["O’Hara", "Ann", "Łukasz", "😀"]
    data, template = {"phone": phones(4), "name": names}, "Hi {name}! " + "y" * 100
    found = advised(data, template=template)["smart"]
    assert found.sentence.startswith("smart = true")
    assert (found.messages, found.saving_micros) == (1, PRICE)
    on = cost(data, template=template, smart=True)
    assert found.saving_micros == cost(data, template=template) - on
    typographic = template.replace("!", "…")
    found = advised(data, template=typographic)["smart"]
    assert (found.messages, found.saving_micros) == (2, 2 * PRICE)
    on = cost(data, template=typographic, smart=True)
    assert found.saving_micros == cost(data, template=typographic) - on


def test_smart_characters_keep_the_accents_that_a_campaign_takes_off():
    data, template = {"phone": phones(1), "name": ["Ł’"]}, "Hi {name}! " + "y" * 100
    assert "smart" not in advised(data, template=template)
    found = advised(data, template=template, smart_accents=True)["smart"]
    assert (found.messages, found.saving_micros) == (1, PRICE)


def test_smart_characters_of_variants_and_of_own_texts_are_priced():
    variants = (Variant(name="a", template="’" + "y" * 100), Variant(name="b", template="…"))
    found = advised({"phone": phones(50)}, template="", variants=variants)["smart"]
    before, after = (
        cost({"phone": phones(50)}, template="", variants=variants, smart=smart)
        for smart in (False, True)
    )
    assert found.saving_micros == before - after == found.messages * PRICE > 0
    data = {"phone": phones(2), "message": ["’" + "y" * 100, "ł" + "y" * 100]}
    found = advised(data, template="", columns=Columns(text="message"))["smart"]
    assert (found.messages, found.saving_micros) == (1, PRICE)


def test_a_campaign_with_smart_characters_is_not_told_about_them():
    data, template = {"phone": phones(2), "name": ["Ann", "ж"]}, "It’s {name}" + "y" * 100
    found = advised(data, template=template, smart=True)
    assert not {"smart", "template_characters"} & set(found)
    assert "’" not in found["column_characters"].sentence


def test_advice_for_a_campaign_with_smart_characters_replaces_them_in_what_it_prices():
    """Without the ж the text is GSM-7 only because the apostrophe of the template is replaced."""
    data, template = {"phone": phones(1), "name": ["ж"]}, "It’s {name}" + "y" * 100
    found = advised(data, template=template, smart=True)["column_characters"]
    plain = cost({**data, "name": ["?"]}, template=template, smart=True)
    assert found.saving_micros == cost(data, template=template, smart=True) - plain == PRICE
    found = advised(data, template=template.replace("{name}", "ж"), smart=True)
    said = found["template_characters"]
    assert "U+2019" not in said.sentence
    assert (said.messages, said.saving_micros) == (1, PRICE)


def test_two_template_characters_save_only_together():
    _, advisor = planned({"phone": phones(2)}, template="“Sale” " + "y" * 100)
    found = [each for each in advisor.advise() if each.code == "template_characters"]
    assert [(each.messages, each.saving_micros) for each in found] == [(2, 2 * PRICE)]
    assert "U+201C" in found[0].sentence
    assert "U+201D" in found[0].sentence


def test_a_character_in_a_default_or_a_variant_belongs_to_the_template():
    data = {"phone": phones(2), "name": [None, "Ann"]}
    found = advised(data, template="Hi {name|…}" + "y" * 100)["template_characters"]
    assert (found.messages, found.saving_micros) == (1, PRICE)
    variants = (Variant(name="a", template="… {name|x}" + "y" * 100),)
    found = advised(data, template="", variants=variants)["template_characters"]
    assert (found.messages, found.saving_micros) == (2, 2 * PRICE)


def test_a_column_that_brings_characters_is_priced_with_its_characters_and_rows():
    names = ["Łukasz", "Ann", "Łóż", "Björn"]
    data, template = {"phone": phones(4), "name": names}, "Hi {name}, " + "y" * 100
    found = advised(data, template=template)["column_characters"]
    assert "column 'name', which brings others into 2 messages" in found.sentence
    assert "Ł (U+0141 LATIN CAPITAL LETTER L WITH STROKE) in 2" in found.sentence
    assert "ö" not in found.sentence
    assert (found.messages, found.saving_micros) == (2, 2 * PRICE)
    plain = {**data, "name": ["?ukasz", "Ann", "???", "Björn"]}
    assert found.saving_micros == cost(data, template=template) - cost(plain, template=template)


def test_a_column_of_whole_texts_is_looked_at_too():
    data = {"phone": phones(2), "message": ["ł" + "y" * 100, "Hi"]}
    found = advised(data, template="", columns=Columns(text="message"))["column_characters"]
    assert (found.messages, found.saving_micros) == (1, PRICE)


def test_the_typical_long_message_says_how_many_characters_are_too_many():
    data = {"phone": phones(3), "name": ["Ann", "Bob", "Maximiliane"]}
    template = "Hi {name}! " + "y" * 153  # Ann and Bob: 161, and 169
    found = advised(data, template=template)["shorten"]
    assert found.sentence.startswith("a template shorter by 1:")
    assert (found.messages, found.saving_micros) == (2, 2 * PRICE)
    shorter = cost(data, template=template.removesuffix("y"))
    assert found.saving_micros == cost(data, template=template) - shorter


def test_a_template_that_is_all_placeholders_cannot_be_shortened():
    assert "shorten" not in advised({"phone": phones(1), "code": ["y" * 170]}, template="{code}")


def test_messages_that_pay_for_their_last_word_are_counted():
    texts = ["y" * 150 + " and goodbye", "y" * 170, "z " * 76 + " bye"]
    data = {"phone": phones(3), "text": texts}
    found = advised(data, template="{text}")["last_word"]
    assert (found.messages, found.saving_micros) == (1, PRICE)


def test_mms_is_advised_only_where_it_is_strictly_cheaper():
    """An MMS costs 15 mills here, a segment 4: from four segments on."""
    texts = ["y" * 153 * parts for parts in (1, 3, 4, 5)]
    data = {"phone": phones(4), "text": texts}
    found = advised(data, template="{text}")["mms"]
    assert (found.messages, found.saving_micros) == (2, (16_000 - 15_000) + (20_000 - 15_000))
    assert "mms" not in advised(data, template="{text}", channel=Channel.MMS)


@pytest.mark.parametrize("template", ["a{{b}}c{x|d}e{?x}f{/}", "{x}", ""])
def test_rewriting_a_template_touches_what_it_says_itself_and_nothing_else(template):
    from pipeline.prepare.template import literals, rewrite

    assert rewrite(template, str) == template
    changed = rewrite(template, str.upper)
    assert changed == {"a{{b}}c{x|d}e{?x}f{/}": "A{{B}}C{x|D}E{?x}F{/}"}.get(template, template)
    assert "".join(literals(template)) == ("abcdef" if "a" in template else "")


def test_advice_comes_with_the_most_saving_first():
    data = {"phone": phones(2), "name": ["ł", "x"]}
    _, advisor = planned(data, template="Hi {name} ’ " + "y" * 70)
    savings = [each.saving_micros for each in advisor.advise()]
    assert savings == sorted(savings, reverse=True)
    assert len(savings) > 1


def test_where_the_price_decides_the_channel_advice_looks_at_what_became_mms_too():
    """Curly quotes make four segments of two, and the MMS cheaper: without them it is an SMS."""
    data, media = {"phone": phones(2)}, ("https://example.com/a.png",)
    changes = {"template": "It’s " + "y" * 255, "channel": None, "media": media}
    plan, advisor = planned(data, **changes)
    assert set(plan.collect()["channel"]) == {"mms"}
    found = {each.code: each for each in advisor.advise()}
    saved = cost(data, **changes) - cost(data, **changes, smart=True)
    assert found["smart"].saving_micros == saved > 0
    assert "mms" not in found
