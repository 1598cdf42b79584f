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
    return plan, Advisor(plan=plan, campaign=campaign, views=made.views, grid=made.grid)


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
    assert "’ (U+2019 RIGHT SINGLE QUOTATION MARK)" in found.sentence
    assert (found.messages, found.saving_micros) == (3, 3 * PRICE)
    without = cost(data, template=template.replace("’", ""))
    assert found.saving_micros == cost(data, template=template) - without


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
