"""Segments: both counters agree with each other, with the corpus and with the optimum."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Encoding
from pipeline.prepare import alphabet
from pipeline.prepare.segments import add_segments, capacity, count_segments

CORPUS = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "data" / "segments.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
CAPACITIES = {
    (Encoding.GSM7, 6): (160, 153),
    (Encoding.GSM7, 7): (160, 152),
    (Encoding.UCS2, 6): (70, 67),
    (Encoding.UCS2, 7): (70, 66),
}
HEADERS = pytest.mark.parametrize("header", [6, 7])
TRICKY = "ab €[]^~\f\r\n`\x1b\tçéàñΩ\u2019\u00a0ж漢😀👩🏽🇩🇪\U0010ffff\uffff"


def counted(texts, channel="sms", header=6):
    frame = pl.LazyFrame({"text": texts, "channel": [channel] * len(texts)})
    return (
        frame.pipe(add_segments, header_bytes=header)
        .select("encoding", "units", "segments")
        .collect(engine="streaming")
        .rows()
    )


def answer(text, header=6):
    one = count_segments(text, header_bytes=header)
    return (one.encoding, one.units, one.segments)


def has_lone_surrogate(text):
    return any("\ud800" <= character <= "\udfff" for character in text)


def widths(text, encoding):
    doubled = alphabet.EXTENSION if encoding is Encoding.GSM7 else set()
    return [2 if ch in doubled or (not doubled and ch > "\uffff") else 1 for ch in text]


def fewest_parts(text, encoding, header):
    """Dynamic programming over every way to cut the text between characters."""
    single, part = CAPACITIES[encoding, header]
    sizes = widths(text, encoding)
    if sum(sizes) <= single:
        return 1

    best = [0] + [len(text) + 1] * len(text)
    for end in range(1, len(text) + 1):
        used = 0
        for start in range(end - 1, -1, -1):
            used += sizes[start]
            if used > part:
                break

            best[end] = min(best[end], best[start] + 1)

    return best[-1]


def test_one_text_is_counted_as_the_corpus_says():
    wrong = [
        case["note"]
        for case in CORPUS
        if answer(case["text"]) != (case["encoding"], case["units"], case["segments"])
    ]
    assert wrong == []


def test_many_texts_are_counted_as_the_corpus_says():
    cases = [case for case in CORPUS if not has_lone_surrogate(case["text"])]
    assert len(cases) >= len(CORPUS) - 3
    expected = [(case["encoding"], case["units"], case["segments"]) for case in cases]
    assert counted([case["text"] for case in cases]) == expected


def disagreements(codes, around):
    """Code points that the two counters count differently, in the middle of `around`."""
    before, after = around[: len(around) // 2], around[len(around) // 2 :]
    wrong, codes = [], [code for code in codes if not 0xD800 <= code <= 0xDFFF]
    for first in range(0, len(codes), 100_000):  # a hundred thousand texts are 60 MB
        part = codes[first : first + 100_000]
        texts = [before + chr(code) + after for code in part]
        for code, text, row in zip(part, texts, counted(texts), strict=True):
            if answer(text) != row:
                wrong.append(code)

    return wrong


def test_both_counters_agree_on_every_character_there_is():
    assert disagreements(range(0x110000), around="") == []


def test_both_counters_agree_on_every_common_character_inside_a_text():
    """The whole basic plane, and every sixteenth character beyond it."""
    assert disagreements((*range(0x10000), *range(0x10000, 0x110000, 16)), around="a" * 159) == []


@pytest.mark.long
@pytest.mark.parametrize("filler", ["a", "ж", "€", "😀"])
def test_both_counters_agree_on_every_character_inside_a_text(filler):
    assert disagreements(range(0x110000), around=filler * 159) == []


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_a_lone_surrogate_is_a_code_unit_anywhere(code):
    """No polars String can hold one; the function can be asked."""
    assert answer(chr(code)) == (Encoding.UCS2, 1, 1)
    assert answer("a" * 80 + chr(code) + "a" * 79) == (Encoding.UCS2, 160, 3)


@pytest.mark.parametrize("filler", ["a", "ж"])
def test_both_counters_agree_on_every_character_at_the_edge_of_a_part(filler):
    texts = [filler * 152 + chr(code) + filler * 152 for code in (*range(0x2100), 0x1F600)]
    assert counted(texts) == [answer(text) for text in texts]


@HEADERS
@given(texts=st.lists(st.text(st.sampled_from(TRICKY), max_size=400), min_size=1, max_size=5))
def test_both_counters_agree_on_any_text(header, texts):
    assert counted(texts, header=header) == [answer(text, header) for text in texts]


@HEADERS
def test_no_way_of_cutting_needs_fewer_parts(header):
    chance = random.Random(7)
    for _ in range(300):
        pool = chance.choice(["a€", "aaaaaaa€[", "ж😀", "жжжжж😀", "😀", "€"])
        text = "".join(chance.choices(pool, k=chance.randrange(60, 480)))
        one = count_segments(text, header_bytes=header)
        assert one.segments == fewest_parts(text, one.encoding, header)


@HEADERS
@given(text=st.text(st.sampled_from(TRICKY), max_size=500))
def test_the_parts_are_the_text_and_each_fits(header, text):
    one = count_segments(text, header_bytes=header)
    single, part = CAPACITIES[one.encoding, header]
    assert "".join(one.parts) == text
    assert len(one.parts) == one.segments
    limit = single if one.segments == 1 else part
    taken = [sum(widths(piece, one.encoding)) for piece in one.parts]
    assert max(taken) <= limit
    assert one.units_left == limit - taken[-1]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("a" * 160, 1, id="160 septets are one message"),
        pytest.param("a" * 161, 2, id="161 are two"),
        pytest.param("a" * 306, 2, id="two full parts"),
        pytest.param("a" * 307, 3, id="one more"),
        pytest.param("€" * 80, 1, id="80 escape pairs are 160 septets"),
        pytest.param("a" * 152 + "€" + "a" * 152, 3, id="an escape pair is not split"),
        pytest.param("]" * 153, 3, id="a part holds 76 escape pairs"),
        pytest.param("ж" * 70, 1, id="70 code units are one message"),
        pytest.param("ж" * 71, 2, id="71 are two"),
        pytest.param("ж" * 66 + "😀" + "ж" * 66, 3, id="a surrogate pair is not split"),
        pytest.param("😀" * 70, 3, id="an emoji is two code units"),
        pytest.param("é" * 160, 1, id="é is in the default alphabet"),
        pytest.param("ç" + "a" * 69, 1, id="ç is not"),
        pytest.param("", 1, id="an empty text is one"),
    ],
)
def test_segments_are_what_a_handset_receives(text, segments):
    assert count_segments(text).segments == segments
    assert counted([text])[0][2] == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("a" * 160, 1, id="a single message has no header"),
        pytest.param("a" * 304, 2, id="152 septets a part"),
        pytest.param("a" * 305, 3, id="one more"),
        pytest.param("a" * 151 + "€" + "a" * 151, 3, id="an escape pair is not split"),
        pytest.param("ж" * 132, 2, id="66 code units a part"),
        pytest.param("ж" * 133, 3, id="one code unit more"),
        pytest.param("ж" * 65 + "😀" + "ж" * 65, 3, id="a surrogate pair is not split"),
    ],
)
def test_a_header_of_seven_bytes_leaves_less_room(text, segments):
    assert count_segments(text, header_bytes=7).segments == segments
    assert counted([text], header=7)[0][2] == segments


@pytest.mark.parametrize(("encoding", "header"), CAPACITIES)
def test_the_capacities_are_those_of_the_standard(encoding, header):
    single, part = CAPACITIES[encoding, header]
    assert (capacity(encoding), capacity(encoding, header_bytes=header)) == (single, part)


@pytest.mark.parametrize("header", [-1, 137])
def test_a_header_that_leaves_no_room_is_refused(header):
    with pytest.raises(ValueError, match="header"):
        counted(["a"], header=header)


def test_an_mms_is_always_one_segment():
    assert counted(["a" * 2000], channel="mms") == [("GSM-7", 2000, 1)]


def test_a_missing_text_has_no_segments():
    assert counted([None, "a"]) == [(None, None, None), ("GSM-7", 1, 1)]


def test_the_alphabet_is_the_size_the_standard_gives_it():
    assert len(alphabet.BASIC) == 127  # and the escape
    assert len(alphabet.EXTENSION) == 10
    assert not alphabet.BASIC & alphabet.EXTENSION


def test_no_pattern_of_the_scan_is_too_wide_to_be_fast():
    classes = list(alphabet.small_classes(alphabet.odd_ascii()))
    assert all(pattern.count(r"\x{") <= 10 for pattern in classes)
    assert sum(pattern.count(r"\x{") for pattern in classes) == len(alphabet.odd_ascii())
