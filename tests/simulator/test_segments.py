import pytest

from pipeline.simulator.segments import Counting, count_segments

EMOJI = "\U0001f60e"  # two UTF-16 units
ZHE = "\u0436"  # Cyrillic: no GSM-7


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param("a" * 160, 1, id="a full single part"),
        pytest.param("a" * 161, 2, id="one septet more"),
        pytest.param("a" * 306, 2, id="two full parts"),
        pytest.param("a" * 307, 3, id="two parts and one septet"),
        pytest.param("é" * 160, 1, id="e acute is in the basic alphabet"),
        pytest.param("\n" * 160, 1, id="line feed is in the basic alphabet"),
        pytest.param("]" * 80, 1, id="80 escaped characters are 160 septets"),
        pytest.param("]" * 81, 2, id="81 escaped characters are 162 septets"),
        pytest.param("]" * 153, 3, id="153 septets hold 76 escape pairs"),
        pytest.param("a" * 152 + "€" + "a" * 152, 3, id="an escape pair is not cut"),
        pytest.param("a" * 151 + "€" + "a" * 153, 2, id="an escape pair that ends a part"),
        pytest.param(ZHE * 70, 1, id="a full single UCS-2 part"),
        pytest.param(ZHE * 71, 2, id="one unit more"),
        pytest.param(ZHE * 134, 2, id="two full UCS-2 parts"),
        pytest.param(ZHE * 66 + EMOJI + ZHE * 66, 3, id="a surrogate pair is not cut"),
        pytest.param(EMOJI * 35, 1, id="35 emoji are 70 units"),
        pytest.param(EMOJI * 70, 3, id="67 units hold 33 emoji"),
        pytest.param("a" * 70 + "ç", 2, id="small c cedilla is not in the alphabet"),
        pytest.param("`" + "a" * 69, 1, id="one backtick makes it UCS-2"),
        pytest.param("€" * 2048, 27, id="the longest text, escaped"),
    ],
)
def test_segments_are_counted_as_the_standard_says(text, segments):
    assert count_segments(text) == segments


@pytest.mark.parametrize(
    ("counting", "text", "segments"),
    [
        pytest.param("ceil", "a" * 152 + "€" + "a" * 152, 2, id="ceil cuts an escape pair"),
        pytest.param("ceil", EMOJI * 67, 2, id="ceil cuts a surrogate pair"),
        pytest.param("ceil", "a" * 160, 1, id="ceil leaves a single part alone"),
        pytest.param("16bit", "a" * 160, 1, id="a single part has no header"),
        pytest.param("16bit", "a" * 305, 3, id="152 septets behind a longer header"),
        pytest.param("16bit", ZHE * 133, 3, id="66 units behind a longer header"),
        pytest.param("ucs2", "a" * 71, 2, id="all as UCS-2"),
        pytest.param("gsm7", ZHE * 160, 1, id="all as GSM-7"),
        pytest.param("gsm7", "€" * 81, 2, id="the escape pairs of GSM-7 stay pairs"),
        pytest.param("characters", "€" * 160, 1, id="an escape pair is one character"),
        pytest.param("characters", EMOJI * 70, 1, id="a surrogate pair is one character"),
        pytest.param("one", "a" * 2048, 1, id="all as one"),
    ],
)
def test_segments_are_counted_otherwise_where_that_is_asked_for(counting, text, segments):
    assert count_segments(text, Counting(counting)) == segments
