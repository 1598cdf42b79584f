"""Smart characters: everywhere or nowhere in a text, always GSM-7, and every one is counted."""

import dataclasses
import unicodedata
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prepare import alphabet, smart
from pipeline.prepare.plan import fingerprint
from pipeline.prepare.segments import count_segments
from pipeline.prepare.smart import (
    ORIGINAL,
    add_smart_text,
    count_replaced,
    findings_of,
    smart_text,
)
from tests.prepare.plans import CAMPAIGN, CARD, make_plan

LOOK_ALIKES = smart.replacements(look_alikes=True, accents=False)
ACCENTS = smart.replacements(look_alikes=False, accents=True)
BOTH = smart.replacements(look_alikes=True, accents=True)
PARTS = pytest.mark.parametrize(
    "table", [LOOK_ALIKES, ACCENTS, BOTH], ids=["look-alikes", "accents", "both"]
)
TEXTS = st.text(
    st.one_of(st.sampled_from("ab €[é’“–…\u00a0\u200bçÁ😀ж漢`\t\n"), st.sampled_from([*BOTH]))
)


def replaced(texts, table):
    frame = pl.LazyFrame({"text": pl.Series(texts, dtype=pl.String)}).pipe(add_smart_text, table)
    return frame.collect(engine="streaming")["text"].to_list()


# --- What it never does --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("…" * 5 + "y" * 2_041, id="it would be too long for the provider"),
        pytest.param("…" * 55 + " soon", id="it would need more segments"),
    ],
)
def test_a_text_that_would_be_worse_off_stays_as_it_is(text):
    assert smart_text(text, LOOK_ALIKES) == text
    assert replaced([text], LOOK_ALIKES) == [text]


@given(st.text(st.sampled_from("…—’“é€[ y😀ж"), max_size=300))
def test_no_text_ever_needs_more_segments(text):
    made = smart_text(text, BOTH)
    assert count_segments(made).segments <= count_segments(text).segments
    assert replaced([text], BOTH) == [made]


# --- The table -----------------------------------------------------------------------------------


def test_the_table_has_no_character_twice_and_each_has_a_reason():
    rows = smart._table()
    assert len({row["code_point"] for row in rows}) == len(rows) == len(LOOK_ALIKES) + len(ACCENTS)
    assert all(row["group"] and row["reason"] for row in rows)
    assert BOTH == {**LOOK_ALIKES, **ACCENTS}


def test_nothing_is_replaced_unless_it_is_asked_for():
    assert smart.replacements(look_alikes=False, accents=False) == {}
    assert smart.replacements_of(CAMPAIGN) == {}


def test_what_is_replaced_is_not_gsm_7_and_what_it_becomes_is():
    assert [letter for letter in BOTH if letter in alphabet.GSM7] == []
    assert [to for to in BOTH.values() if not alphabet.GSM7.issuperset(to)] == []


def test_look_alikes_are_no_letters_of_a_language():
    """The only letters are the same ones in another form, as Unicode itself says."""
    letters = {letter: to for letter, to in LOOK_ALIKES.items() if letter.isalpha()}
    assert {letter: unicodedata.normalize("NFKC", letter) for letter in letters} == letters


def test_every_latin_letter_with_an_accent_becomes_the_nearest_that_is_gsm_7():
    def nearest(letter):
        decomposed = unicodedata.normalize("NFD", letter)
        for length in range(len(decomposed) - 1, 0, -1):
            shorter = unicodedata.normalize("NFC", decomposed[:length])
            if shorter in alphabet.GSM7:
                return shorter

        return None

    letters = map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)))
    expected = {
        letter: nearest(letter)
        for letter in letters
        if letter.isalpha() and letter not in alphabet.GSM7 and nearest(letter)
    }
    assert len(expected) > 400
    assert {letter: ACCENTS.get(letter) for letter in expected} == expected


# --- Texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        pytest.param("It’s “here”, ‘now’", "It's \"here\", 'now'", id="quotes, every one"),
        pytest.param("2–3 — soon…", "2-3 - soon...", id="dashes and an ellipsis"),
        pytest.param("10\u00a0%\u202foff\u200b!\ufeff", "10 % off!", id="spaces seen and unseen"),
        pytest.param("\uff21\uff22\uff23\uff01\u3000\uff11", "ABC! 1", id="full width"),
        pytest.param("a`b\tc", "a'b c", id="ASCII that is not GSM-7"),
        pytest.param("one\u2028two", "one\ntwo", id="a line separator"),
        pytest.param("é ñ € [ok]", "é ñ € [ok]", id="GSM-7 stays"),
        pytest.param("“ça va”", "“ça va”", id="a letter that stays keeps the text as it is"),
        pytest.param("“Hi” 😀", "“Hi” 😀", id="so does an emoji"),
        pytest.param("「漢字，」…", "「漢字，」…", id="so does Chinese, with its punctuation"),
        pytest.param("👩\u200d🚀", "👩\u200d🚀", id="a joined emoji stays joined"),
        pytest.param("\u200b", "", id="nothing may be left"),
        pytest.param("", "", id="nothing"),
        pytest.param(None, None, id="no text"),
    ],
)
def test_look_alikes_are_replaced_where_the_text_becomes_gsm_7(text, becomes):
    assert replaced([text], LOOK_ALIKES) == [becomes]
    if text is not None:
        assert smart_text(text, LOOK_ALIKES) == becomes


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        pytest.param("Ça coûte, garçon", "Ça coute, garcon", id="what GSM-7 has is kept"),
        pytest.param("ÁÀÂ áâ ő ǚ", "AAA aa o ü", id="the nearest letter"),
        pytest.param("Łódź straße Œuvre", "Lodz straße OEuvre", id="letters of their own"),
        pytest.param("re\u0301sume\u0301", "resume", id="accents that follow their letter"),
        pytest.param("O\u02bbahu", "O'ahu", id="an okina is a letter"),
        pytest.param("“garçon”", "“garçon”", id="look-alikes are another question"),
        pytest.param("Привет, garçon", "Привет, garçon", id="other scripts"),
    ],
)
def test_accents_are_taken_off_only_when_asked(text, becomes):
    assert replaced([text], ACCENTS) == [becomes]
    assert smart_text(text, ACCENTS) == becomes
    assert smart_text(text, LOOK_ALIKES) in (text, text.replace("“", '"').replace("”", '"'))


@PARTS
def test_every_character_of_the_table_alone_and_twice_in_a_text(table):
    texts = [*table, *(f"a{letter}b{letter}[é" for letter in table)]
    expected = [*table.values(), *(f"a{to}b{to}[é" for to in table.values())]
    assert replaced(texts, table) == expected
    assert [smart_text(text, table) for text in texts] == expected


def test_no_other_character_is_touched():
    characters = [
        chr(code)
        for code in range(0x110000)
        if not 0xD800 <= code <= 0xDFFF and chr(code) not in BOTH
    ]
    assert replaced(characters, BOTH) == characters


@PARTS
@given(texts=st.lists(TEXTS, max_size=20))
def test_frame_and_function_agree_and_a_second_time_changes_nothing(table, texts):
    once = replaced(texts, table)
    assert once == [smart_text(text, table) for text in texts]
    assert replaced(once, table) == once


@PARTS
@given(text=TEXTS)
def test_a_text_is_changed_at_every_place_or_at_none(table, text):
    after = smart_text(text, table)
    assert after == text or (alphabet.GSM7.issuperset(after) and not set(after) & set(table))


@given(text=st.text(st.sampled_from("abc é’“–\u00a0\u200bçÁ😀"), max_size=400))
def test_a_character_for_a_character_costs_no_segment_more(text):
    assert count_segments(smart_text(text, BOTH)).segments <= count_segments(text).segments


# --- Counting ------------------------------------------------------------------------------------


@given(texts=st.lists(TEXTS, min_size=1, max_size=20))
def test_every_replacement_is_counted(texts):
    changed = [text for text in texts if smart_text(text, BOTH) != text]
    counts = sum(
        (Counter(letter for letter in text if letter in BOTH) for text in changed), Counter()
    )
    rows = sum((Counter(set(text) & set(BOTH)) for text in changed), Counter())
    frame = (
        pl.LazyFrame({"text": texts})
        .with_row_index("row", offset=1)
        .with_columns(pl.col("text").alias(ORIGINAL))
        .pipe(add_smart_text, BOTH)
    )
    found = count_replaced(frame, BOTH)
    assert {each.character: each.count for each in found} == counts
    assert {each.character: each.rows for each in found} == rows
    assert all(each.character in texts[each.first_row - 1] for each in found)
    assert [each.rows for each in found] == sorted(rows.values(), reverse=True)


def test_findings_name_the_ten_commonest_and_count_the_rest():
    found = [
        smart.Replaced(character=letter, replacement=to, count=3, rows=2, first_row=number)
        for number, (letter, to) in enumerate(list(LOOK_ALIKES.items())[:25], start=1)
    ]
    *named, rest = findings_of(found)
    assert [each.rows for each in named] == [(number,) for number in range(1, 11)]
    assert (rest.count, rest.rows) == (15, (11, 12, 13, 14, 15))
    assert not any(each.is_repair for each in (*named, rest))
    assert findings_of(()) == ()


# --- The plan ------------------------------------------------------------------------------------


def plan_of(codes, **changes):
    data = {"phone": [f"91955501{row:02}" for row in range(len(codes))], "code": codes}
    return make_plan(data, template="Here’s “{code}”…", **changes)


def test_a_plan_replaces_in_template_and_values_and_counts_afterwards():
    codes = ["A", "B–C", "😀", "garçon"]
    off, on = plan_of(codes), plan_of(codes, smart=True)
    assert off["text"].to_list() == [f"Here’s “{code}”…" for code in codes]
    assert on["text"].to_list() == [
        'Here\'s "A"...',
        'Here\'s "B-C"...',
        "Here’s “😀”…",
        "Here’s “garçon”…",
    ]
    assert off["encoding"].to_list() == ["UCS-2"] * 4
    assert on["encoding"].to_list() == ["GSM-7", "GSM-7", "UCS-2", "UCS-2"]
    assert on["units"].to_list() == [13, 15, 12, 16]
    both = plan_of(codes, smart=True, smart_accents=True)
    assert both["text"][3] == 'Here\'s "garcon"...'
    assert both.drop("text", "encoding", "units")[:3].equals(
        on.drop("text", "encoding", "units")[:3]
    )


def test_a_text_may_be_empty_after_replacement_and_never_too_long():
    data = {"phone": ["9195550123", "9195550124"], "code": ["…" * 700, "\u200b"]}
    plan = make_plan(data, template="{code}", smart=True)
    assert plan["reason"].to_list() == [None, "empty_text"]
    assert plan["text"][0] == "…" * 700


def test_another_choice_is_another_plan():
    choices = [
        fingerprint(
            dataclasses.replace(CAMPAIGN, smart=smart, smart_accents=accents),
            CARD,
            recipients_digest="0" * 64,
        ).get("smart")
        for smart in (False, True)
        for accents in (False, True)
    ]
    assert len(set(choices)) == 4
