"""A cause is named only where the text, counted by its rule, comes to what was billed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Channel
from pipeline.prepare.segments import count_segments
from pipeline.settle.recounts import Cause, Counted, cause_of
from pipeline.simulator.segments import Counting
from pipeline.simulator.segments import count_segments as as_provider

EMOJI = "\U0001f60e"  # two UTF-16 units
ZHE = "ж"  # Cyrillic: no GSM-7, and no form in it


def cause(text, billed, *, channel="sms", is_of_answer=True):
    counted = Counted(
        text=text,
        channel=Channel(channel),
        encoding=count_segments(text).encoding,
        billed=billed,
        is_of_answer=is_of_answer,
    )
    return cause_of(counted)


CASES = {
    "an escape pair at the border of a part": ("a" * 152 + "€" + "a" * 152, 2, Cause.PAIRS_SPLIT),
    "a surrogate pair at the border": (ZHE * 66 + EMOJI + ZHE * 66, 2, Cause.PAIRS_SPLIT),
    "153 septets are not 152": ("a" * 306, 3, Cause.LONG_HEADERS),
    "67 units are not 66": (ZHE * 134, 3, Cause.LONG_HEADERS),
    "an extension character counted as one": ("a" * 159 + "€", 1, Cause.PAIRS_AS_ONE),
    "an emoji counted as one": (EMOJI * 40, 1, Cause.PAIRS_AS_ONE),
    "GSM-7 sent as UCS-2": ("a" * 100, 2, Cause.UCS2_FOR_GSM7),
    "GSM-7 with pairs sent as UCS-2": ("{}" * 40, 2, Cause.UCS2_FOR_GSM7),
    "curly quotes replaced": ("“" + "a" * 98 + "”", 1, Cause.CHARACTERS_REPLACED),
    "an ellipsis is three dots": ("a" * 159 + "…", 2, Cause.CHARACTERS_REPLACED),
    "a lost accent": ("ê" + "a" * 99, 1, Cause.CHARACTERS_REPLACED),
    "a space that does not break": ("\xa0" + "a" * 99, 1, Cause.CHARACTERS_REPLACED),
    "letters of no other form, a septet each": (ZHE * 100, 1, Cause.GSM7_FOR_UCS2),
    "a long text billed as one": ("a" * 500, 1, Cause.SMS_AS_MMS),
    "a count that nothing explains": ("a" * 100, 7, Cause.UNKNOWN),
    "no segment at all": ("a" * 100, 0, Cause.UNKNOWN),
}


@pytest.mark.parametrize(("text", "billed", "expected"), CASES.values(), ids=CASES.keys())
def test_the_first_rule_that_comes_to_the_count_is_the_cause(text, billed, expected):
    assert count_segments(text).segments != billed
    assert cause(text, billed) is expected


def test_one_segment_from_a_receipt_may_be_one_part_and_from_an_answer_is_not():
    assert cause("a" * 500, 1, is_of_answer=False) is Cause.ONE_PART_TOLD
    assert cause("a" * 500, 5, is_of_answer=False) is Cause.UNKNOWN


def test_an_mms_that_is_billed_as_its_text_would_be_was_billed_as_an_sms():
    assert cause("a" * 500, 4, channel="mms") is Cause.MMS_AS_SMS
    assert cause("a" * 500, 5, channel="mms") is Cause.UNKNOWN
    assert cause("", 2, channel="mms") is Cause.UNKNOWN


def test_where_several_rules_explain_a_count_the_smaller_difference_is_named():
    dollars = "a" * 152 + "€" + "a" * 152  # 2 by a division, and also with € as one
    assert cause(dollars, 2) is Cause.PAIRS_SPLIT
    assert cause("”" * 71, 1) is Cause.CHARACTERS_REPLACED  # also by a septet each, and as an MMS


RULES = {
    Counting.CEIL: Cause.PAIRS_SPLIT,
    Counting.LONG_HEADER: Cause.LONG_HEADERS,
    Counting.CHARACTERS: Cause.PAIRS_AS_ONE,
    Counting.UCS2: Cause.UCS2_FOR_GSM7,
    Counting.GSM7: Cause.GSM7_FOR_UCS2,
    Counting.ONE: Cause.SMS_AS_MMS,
}

letters = st.sampled_from(["a", "a", "a", "é", "€", "{", "^", "“", "…", "ê", ZHE, EMOJI])
runs = st.lists(st.tuples(letters, st.integers(1, 160)), min_size=1, max_size=12)


@pytest.mark.parametrize(("counting", "expected"), RULES.items(), ids=list(RULES))
@given(runs=runs)
def test_each_way_of_the_simulator_is_explained_by_its_rule_or_an_earlier_one(
    counting, expected, runs
):
    text = "".join(letter * times for letter, times in runs)
    billed = as_provider(text, counting)
    if billed == count_segments(text).segments:
        return

    found, order = cause(text, billed), list(Cause)
    assert order.index(found) <= order.index(expected)
