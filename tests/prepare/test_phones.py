"""Phone numbers: whatever the path, the answer is phonenumbers' own."""

import random

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.prepare import phones, readings
from pipeline.prepare.mending import read_cell
from pipeline.prepare.readings import FAULTS, READING, REPAIRS, Fault, Repair

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


#: Valid by phonenumbers, and still not texted.
UNWANTED = {Fault.LETTERS, Fault.PREMIUM_RATE, Fault.SHARED_COST, Fault.EMERGENCY}


def unpack(reading):
    """Return the number, its fault and its repair."""
    frame = pl.DataFrame({READING: [reading]}).select(
        readings.number_of(pl.col(READING)).alias("number"),
        readings.fault_of(pl.col(READING)).alias("fault"),
        readings.repair_of(pl.col(READING)).alias("repair"),
    )
    number, fault, repair = frame.row(0)
    return number, FAULTS[fault - 1] if fault else None, REPAIRS[repair - 1] if repair else None


def read_frame(region="US", **cells):
    schema = dict.fromkeys(cells, pl.String)
    frame = pl.LazyFrame(cells, schema=schema).pipe(phones.add_readings, region)
    return frame.collect(engine="streaming")[READING].to_list()


def read(cells, region="US"):
    return [unpack(reading) for reading in read_frame(region, **{phones.CELL: cells})]


def truth(cell, region):
    try:
        number = phonenumbers.parse(cell.strip().removesuffix(".0"), region)
    except phonenumbers.NumberParseException:
        return None

    if not phonenumbers.is_valid_number(number):
        return None

    return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])


def disagreements(cells, region):
    return [
        (cell, number, fault)
        for cell, (number, fault, repair) in zip(cells, read(cells, region), strict=True)
        if (number is None) == (fault is None)
        or (repair is None and number != truth(cell, region) and fault not in UNWANTED)
        or (repair is not None and number is None)
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
        pytest.param("000 000 0000", Fault.UNASSIGNED, id="no such area code"),
        pytest.param("1-800-FLOWERS", Fault.LETTERS, id="a number spelled in letters"),
        pytest.param("2.345E+10", Fault.DIGITS_LOST, id="a rounded number"),
        pytest.param("4.479E+11", Fault.DIGITS_LOST, id="a rounded foreign number"),
        pytest.param("9.19556E+09", Fault.DIGITS_LOST, id="a number that lost its last digits"),
        pytest.param("+1 900 555 0123", Fault.PREMIUM_RATE, id="premium rate"),
        pytest.param("+49 180 1234567", Fault.SHARED_COST, id="shared cost"),
        pytest.param("911", Fault.EMERGENCY, id="emergency"),
        pytest.param("12345", Fault.SHORT, id="a short code"),
    ],
)
def test_a_refused_number_says_why(cell, fault):
    assert read([cell]) == [(None, fault, None)]


@pytest.mark.parametrize(
    ("cell", "repair", "number"),
    [
        pytest.param("1.9195550123E+10", Repair.SCIENTIFIC, 19195550123, id="every digit is there"),
        pytest.param("1,9195550123E+10", Repair.SCIENTIFIC, 19195550123, id="a decimal comma"),
        pytest.param("19195550123.0", Repair.DECIMALS, 19195550123, id="a number that was a float"),
        pytest.param("9195550123.0", Repair.DECIMALS, 19195550123, id="ten digits and .0"),
        pytest.param("447911123456.0", Repair.DECIMALS, 447911123456, id="a foreign float"),
        pytest.param("442079460123", Repair.PLUS, 442079460123, id="a lost plus"),
        pytest.param("'+19195550123", Repair.APOSTROPHE, 19195550123, id="an apostrophe"),
        pytest.param("'919-555-0123", Repair.APOSTROPHE, 19195550123, id="and punctuation"),
        pytest.param('="+19195550123"', Repair.APOSTROPHE, 19195550123, id="a formula"),
        pytest.param("\u200b+19195550123", Repair.INVISIBLE, 19195550123, id="zero width"),
        pytest.param("919\u00a0555\u00a00123", Repair.INVISIBLE, 19195550123, id="hard blanks"),
        pytest.param("９１９５５５０１２３", Repair.DIGITS, 19195550123, id="full-width digits"),
        pytest.param("+44 (0)20 7946 0123", Repair.TRUNK_ZERO, 442079460123, id="(0)"),
        pytest.param("+49 (0)30 901820", Repair.TRUNK_ZERO, 4930901820, id="(0) in Germany"),
        pytest.param("919-555-0123 x12", Repair.EXTENSION, 19195550123, id="x12"),
        pytest.param("+1 919 555 0123 ext 12", Repair.EXTENSION, 19195550123, id="ext 12"),
        pytest.param("(919) 555-0123 Ext. 12", Repair.EXTENSION, 19195550123, id="Ext. 12"),
        pytest.param("919-555-0123 #12", Repair.EXTENSION, 19195550123, id="#12"),
        pytest.param("919-555-0123, 12#", Repair.EXTENSION, 19195550123, id="12#"),
        pytest.param("tel:+19195550123;ext=12", Repair.EXTENSION, 19195550123, id=";ext=12"),
        pytest.param("+7 495 123-45-67 доб. 12", Repair.EXTENSION, 74951234567, id="доб. 12"),
        pytest.param("9195550123; 9195550124", Repair.SEVERAL, 19195550123, id="semicolon"),
        pytest.param("9195550123, 9195550124", Repair.SEVERAL, 19195550123, id="comma"),
        pytest.param("919-555-0123/919-555-0124", Repair.SEVERAL, 19195550123, id="slash"),
        pytest.param("9195550123 | 9195550124", Repair.SEVERAL, 19195550123, id="bar"),
        pytest.param("9195550123\n9195550124", Repair.SEVERAL, 19195550123, id="line break"),
        pytest.param("+19195550123 ::: +1 919-555-0124", Repair.SEVERAL, 19195550123, id=":::"),
        pytest.param("+19195550123 +19195550124", Repair.SEVERAL, 19195550123, id="two plus"),
        pytest.param(
            "tel +1 919-555-0123  +49 171 2345678 +1 919",
            Repair.SEVERAL,
            19195550123,
            id="a plus, blanks, a plus",
        ),
        pytest.param("9195550123 or 9195550124", Repair.SEVERAL, 19195550123, id="or"),
        pytest.param("9190000000; 9195550124", Repair.SEVERAL, 19195550124, id="first is invalid"),
    ],
)
def test_a_damaged_number_is_mended_where_nothing_has_to_be_guessed(cell, repair, number):
    assert read([cell]) == [(number, None, repair)]


def test_a_lost_leading_zero_is_put_back():
    assert read(["612345678"], "IT") == [(390612345678, None, Repair.ZERO)]


@pytest.mark.parametrize("cell", ["tel:+1-919-555-0123", "Tel. 919-555-0123"])
def test_a_label_is_no_damage(cell):
    assert read([cell]) == [(19195550123, None, None)]


@given(st.text(st.sampled_from("0123456789+-.,;()|/ Eex'\u00a0\u200b９"), max_size=24))
def test_whatever_a_cell_holds_there_is_one_answer(cell):
    ((number, fault, repair),) = read([cell])
    assert (number is None) == (fault is not None)
    assert fault is None or repair is None
    assert number is None or phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}"))


def test_a_column_of_common_damage_is_read_as_its_cells_are_one_by_one():
    cells = [f"{quote}{plus}{code}919555{line:04}{end}"
             for quote in ("", "'") for plus in ("", "+") for code in ("", "1")
             for line in (123, 4567) for end in ("", ".0", ".00")]  # fmt: skip
    assert read(cells) == [unpack(read_cell(cell, "US")) for cell in cells]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.MISSING, "missing_number"),
        (Fault.LETTERS, "invalid_number"),
        (Fault.UNASSIGNED, "invalid_number"),
        (Fault.DIGITS_LOST, "digits_lost"),
        (Fault.PREMIUM_RATE, "premium_rate"),
        (Fault.SHARED_COST, "shared_cost"),
        (Fault.EMERGENCY, "emergency_number"),
        (Fault.SHORT, "short_number"),
        (Fault.REGION, "invalid_region"),
        (Fault.REPAIRED, "repaired_number"),
    ],
)
def test_each_fault_has_its_reason(fault, reason):
    assert fault.reason == reason


@pytest.mark.parametrize(
    "cell",
    [
        "+19195550123",
        "9195550123",
        "19195550123",
        "(919) 555-0123",
        "919.555.0123",
        "1 919-555 0123",
        " 919 555 0123 ",
        "19195550123.0",
        "'+19195550123",
    ],
)
def test_usual_north_american_spellings_never_reach_phonenumbers(cell, monkeypatch):
    monkeypatch.setattr(phonenumbers, "parse", None)
    read_cell.cache_clear()
    assert read([cell])[0][0] == 19195550123


def test_each_distinct_spelling_is_asked_about_once():
    read_cell.cache_clear()
    read(["+442079460123", "+442079460124"] * 1_000)
    assert read_cell.cache_info().misses == 2


def test_a_row_may_say_its_own_region():
    cells = {
        phones.CELL: ["020 7946 0123", "919-555-0123", "9195550123", "919-555-0123", None],
        phones.REGION: ["gb", None, " ", "XX", "GB"],
    }
    assert [unpack(each)[:2] for each in read_frame(**cells)] == [
        (442079460123, None),
        (19195550123, None),
        (19195550123, None),
        (None, Fault.REGION),
        (None, Fault.MISSING),
    ]


def spelled(count):
    chance = random.Random(7)
    return [
        chance.choice(SPELLINGS).format(
            chance.choice([chance.randint(100, 999), 919]), chance.choice(["555", "155"]), line
        )
        for line in chance.choices(range(1000, 10_000), k=count)
    ] + ODDITIES


@pytest.mark.parametrize("region", ["US", "CA", "GB"])
def test_the_region_of_a_row_reads_like_that_of_the_campaign_and_like_one_cell_alone(region):
    cells = spelled(600)
    by_row = read_frame("DE", **{phones.CELL: cells, phones.REGION: [region] * len(cells)})
    assert by_row == [read_cell(cell, region) for cell in cells]
    assert by_row == read_frame(region, **{phones.CELL: cells})


def test_a_number_without_country_code_is_read_in_the_region_of_the_campaign():
    assert read(["020 7946 0123"], "GB") == [(442079460123, None, None)]
    assert read(["020 7946 0123"], "US")[0][0] is None


def test_an_unknown_region_is_refused():
    with pytest.raises(SettingsError, match="region 'XX'"):
        read(["9195550123"], "XX")
