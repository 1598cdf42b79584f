"""Phone numbers: whatever the path, the answer is phonenumbers' own."""

import random

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.prepare import columns, phones
from pipeline.prepare.phones import Fault

SPELLINGS = (
    "+1{0}{1}{2}", "1{0}{1}{2}", "{0}{1}{2}", "({0}) {1}-{2}", "{0}-{1}-{2}", "{0}.{1}.{2}",
    "+1 ({0}) {1}-{2}", "1-{0}-{1}-{2}", " {0} {1} {2} ", "+1.{0}.{1}.{2}", "({0} {1} {2}",
    "{0}) {1} {2}", "+1  {0}--{1}. {2}", "1 . {0}{1}{2}", "+ 1 {0} {1} {2}", "001{0}{1}{2}",
    "011 1 {0} {1} {2}", "{0}-{1}-{2} x12", "+44{0}{1}{2}", "{0}{1}{2}.0", "tel:+1-{0}-{1}-{2}",
    "{0}{1}{2}é", "+49{0}{1}", "{1}-{2}", "{0}-{1}-{2}/{0}-{1}-0100", "１{0}{1}{2}", "+1{0}{1}",
    "{0}\u00a0{1}\u2011{2}", "'+1{0}{1}{2}", "++1{0}{1}{2}", "+1+{0}{1}{2}", "{0}\n{1}{2}",
)  # fmt: skip
ODDITIES = [
    "1-800-FLOWERS", "n/a", "", " ", "+", "-", "call me", "９１９５５５０１２３", "٩١٩٥٥٥٠١٢٣", "0",
    "\u200b+19195550123", "+1 919 555 0123\n", "919555012３", "1.9195550123E+10", "+18005550123",
    "+12425550123", "8885550123", "+442079460123", "020 7946 0123", "+39 06 12345678", "9" * 300,
]  # fmt: skip


def read(cells, region="US"):
    frame = pl.LazyFrame({phones.CELL: cells}, schema={phones.CELL: pl.String})
    return (
        frame.pipe(phones.add_numbers, region)
        .select(columns.NUMBER, columns.FAULT)
        .collect(engine="streaming")
        .rows()
    )


def truth(cell, region):
    try:
        number = phonenumbers.parse(cell, region)
    except phonenumbers.NumberParseException:
        return None

    if not phonenumbers.is_valid_number(number):
        return None

    return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def disagreements(cells, region):
    return [
        cell
        for cell, (number, fault) in zip(cells, read(cells, region), strict=True)
        if number != truth(cell, region) or (number is None) == (fault is None)
    ]


@pytest.mark.parametrize("region", ["US", "CA", "BS", "GB"])
def test_every_spelling_is_read_as_phonenumbers_reads_it(region):
    chance = random.Random(region)
    cells = [
        chance.choice(SPELLINGS).format(
            chance.randint(100, 999), chance.choice(["555", chance.randint(100, 999)]), f"{line:04}"
        )
        for line in chance.choices(range(10_000), k=2_500)
    ]
    assert disagreements(cells + ODDITIES, region) == []


def test_every_area_code_is_read_as_phonenumbers_reads_it():
    cells = [f"{area}{exchange}0123" for area in range(100, 1000) for exchange in (155, 255, 555)]
    assert disagreements(cells, "US") == []


@given(st.text(st.sampled_from("0123456789+-.() x/1919555"), max_size=20))
def test_any_string_of_phone_characters_is_read_as_phonenumbers_reads_it(cell):
    assert disagreements([cell], "US") == []


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        pytest.param(None, Fault.MISSING, id="null"),
        pytest.param("", Fault.MISSING, id="empty"),
        pytest.param(" \u00a0", Fault.MISSING, id="blank"),
        pytest.param("n/a", Fault.LETTERS, id="letters"),
        pytest.param("call the office", Fault.LETTERS, id="words"),
        pytest.param("-", Fault.NO_DIGITS, id="a dash"),
        pytest.param("+999 123456789", Fault.COUNTRY, id="a country that does not exist"),
        pytest.param("555-0123", Fault.AREA_CODE, id="no area code"),
        pytest.param("919555012", Fault.TOO_SHORT, id="nine digits"),
        pytest.param("91955501234", Fault.TOO_LONG, id="eleven digits"),
        pytest.param("19195550123.0", Fault.TOO_LONG, id="a number that was a float"),
        pytest.param("000 000 0000", Fault.UNASSIGNED, id="no such area code"),
    ],
)
def test_a_refused_number_says_why(cell, fault):
    assert read([cell]) == [(None, fault)]


@pytest.mark.parametrize("fault", list(Fault))
def test_only_a_blank_cell_is_a_missing_number(fault):
    expected = "missing_number" if fault is Fault.MISSING else "invalid_number"
    assert fault.reason == expected


@pytest.mark.parametrize(
    "cell",
    [
        "+19195550123",
        "9195550123",
        "19195550123",
        "(919) 555-0123",
        "919.555.0123",
        "1 919-555 0123",
    ],
)
def test_usual_north_american_spellings_never_reach_phonenumbers(cell):
    frame = pl.DataFrame({phones.CELL: [cell]})
    assert frame.select(phones._fast_number("US")).item() == 19195550123


def test_a_number_without_country_code_is_read_in_the_region_of_the_campaign():
    assert read(["020 7946 0123"], "GB") == [(442079460123, None)]
    assert read(["020 7946 0123"], "US")[0][0] is None


def test_an_unknown_region_is_refused():
    with pytest.raises(SettingsError, match="region 'XX'"):
        read(["9195550123"], "XX")
