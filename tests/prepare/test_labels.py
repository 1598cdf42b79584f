"""Letters behind a number are a label like those before it; a number spelled in letters is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prepare.mending import read_cell
from pipeline.prepare.readings import Fault, Repair

from .test_phones import read, unpack


@pytest.mark.parametrize(
    ("region", "cell", "number"),
    [
        ("US", "home 919-555-0118", 19195550118),
        ("US", "919-555-0116 cell", 19195550116),
        ("US", "919-555-0117 (work)", 19195550117),
        ("US", "919-555-0117(work)", 19195550117),
        ("US", "919-555-0119 (Mobile)", 19195550119),
        ("US", "919-555-0120 - home", 19195550120),
        ("US", "919-555-0120 \u2013 home", 19195550120),
        ("US", "919-555-0120-home", 19195550120),
        ("US", "919-555-0121 cell, work", 19195550121),
        ("US", "919-555-0123\nwork", 19195550123),
        ("DE", "+49 171 2345672 (privat)", 491712345672),
        ("DE", "0171 2345675 dienstl.", 491712345675),
        ("DE", "0171 2345685 (Büro)", 491712345685),
        ("DE", "030 901820 (privat)", 4930901820),
    ],
)
def test_a_label_behind_a_number_is_no_damage(region, cell, number):
    assert read([cell], region) == [(number, None, None)]


@pytest.mark.parametrize(
    ("region", "cell", "repair"),
    [
        ("US", "919-555-0123 x12 work", Repair.EXTENSION),
        ("DE", "49 171 2345672 privat", Repair.PLUS),
        ("DE", "171 2345672 (privat)", Repair.ZERO),
        ("US", "'919-555-0123 (work)", Repair.APOSTROPHE),
        ("US", "919-555-0123 (work) / 919-555-0124 (home)", Repair.SEVERAL),
    ],
)
def test_what_is_mended_before_a_label_is_told_as_ever(region, cell, repair):
    number = 491712345672 if region == "DE" else 19195550123
    assert read([cell], region) == [(number, None, repair)]


@pytest.mark.parametrize(
    ("region", "cell", "fault"),
    [
        ("US", "1-800-FLOWERS", Fault.LETTERS),
        ("US", "1 800 FLOWERS", Fault.LETTERS),
        ("US", "800-GO-FEDEX", Fault.LETTERS),
        ("US", "1-800-FLOWERS (work)", Fault.LETTERS),
        ("US", "(800) FLO-WERS", Fault.LETTERS),
        ("US", "919-555-0116cell", Fault.LETTERS_BEHIND),
        ("US", "919-555-0116 between 8 and 10 pm", Fault.LETTERS_BEHIND),
        ("US", "919-555-011 cell", Fault.TOO_SHORT),
        ("US", "919-155-0116 cell", Fault.UNASSIGNED),
        ("US", "919-555-0110/11 cell", Fault.TAIL),
        ("US", "555-0116 cell", Fault.AREA_CODE),
        ("US", "919-555-0116 O", Fault.LETTERS_BEHIND),
        ("DE", "030 901820 privat", Fault.LETTERS_BEHIND),
        ("DE", "030 2345-TAXI", Fault.LETTERS_BEHIND),
        ("US", "call me", Fault.LETTERS),
        ("US", "n/a", Fault.LETTERS),
    ],
)
def test_letters_that_may_be_part_of_the_number_are_refused_with_a_true_sentence(
    region, cell, fault
):
    assert read([cell], region) == [(None, fault, None)]


@pytest.mark.parametrize(
    "cell",
    [
        "919-555-0116 do not text", "919-555-0116 (DO NOT TEXT)", "919-555-0116 - no texts",
        "919-555-0116 STOP", "919-555-0116 (opted out)", "919-555-0116 wrong number",
        "919-555-0116 don't call", "919-555-0116 DNC", "919-555-0116 (fax)",
        "919-555-0116 (unsub)", "919-555-0116 (STOPPED)", "919-555-0116 (do_not_text)",
        "919-555-0116 (DND)", "919-555-0116 (deceased)", "919-555-0116 (abgemeldet)",
        "919-555-0116 (baja)", "919-555-0116 (не писать)", "919-555-0116 cell (landline)",
        "919-555-0116 [Ann's cell]", "call 919-555-0116 first", "1-800-356-9377 FLOWERS",
        "919-555-0116 (bitte nicht anrufen)", "919-555-0116 keine SMS", "919-555-0116 (no) (Ann)",
    ],
)  # fmt: skip
def test_words_that_are_no_label_may_be_the_wish_not_to_be_texted(cell):
    assert read([cell]) == [(None, Fault.LETTERS_BEHIND, None)]


@given(
    st.sampled_from(
        ["919-555-0116", "+49 171 2345672", "0171 2345672", "030 901820", "07911 123456"]
    ),
    st.sampled_from([" ", "-", " (", " - ", "", "/", ".", " x", "\n"]),
    st.text(st.characters(categories=["L", "P", "Zs"]), max_size=12),
    st.sampled_from(["US", "DE", "GB"]),
)
def test_what_stands_behind_a_number_never_makes_it_another(number, between, label, region):
    alone = unpack(read_cell(number, region))[0]
    assert unpack(read_cell(f"{number}{between}{label}", region))[0] in (alone, None)
