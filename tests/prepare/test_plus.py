"""A number that lost its plus or its leading zero is read as itself or refused."""

import random

import phonenumbers
import polars as pl
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from pipeline.prepare import columns, phones
from pipeline.prepare.mending import read_cell
from pipeline.prepare.readings import READING, Fault, Repair

from .test_phones import read, unpack

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
LARGE = (
    *("DE", "AT", "CH", "FR", "GB", "NL", "ES", "IT", "PL", "SE", "DK", "BE", "AU", "BR", "US"),
    *("IN", "MX", "IE", "PT", "NO", "FI", "NZ", "ZA", "JP", "TR", "CZ", "GR", "CN", "RU"),
)
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def mobiles(region, chance, drawn=30):
    """Valid mobile numbers of the region: the example with other digits at its end."""
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    if example is None:
        return

    digits = phonenumbers.national_significant_number(example)
    for _ in range(drawn):
        kept = chance.randint(1, 4)
        others = "".join(chance.choices("0123456789", k=len(digits) - kept))
        number = phonenumbers.parse(f"+{example.country_code}{digits[:kept]}{others}")
        is_mobile = phonenumbers.number_type(number) in MOBILE
        if is_mobile and phonenumbers.is_valid_number_for_region(number, region):
            yield number


def e164(number):
    return int(phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:])


@pytest.mark.parametrize("style", [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL])
def test_a_mobile_number_without_its_plus_is_itself_at_home_or_refused(style):
    chance = random.Random(style)
    for region in REGIONS:
        for number in mobiles(region, chance):
            cell = phonenumbers.format_number(number, style).removeprefix("+")
            read_as = unpack(read_cell(cell, region))[0]
            assert read_as in (e164(number), None), (region, cell)


@pytest.mark.parametrize("region", LARGE)
def test_most_mobile_numbers_without_their_plus_are_read_at_home(region):
    found = [
        unpack(read_cell(phonenumbers.format_number(number, style)[1:], region))
        for number in mobiles(region, random.Random(region))
        for style in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL)
    ]
    assert sum(number is not None for number, _, _ in found) > len(found) * 0.9


@pytest.mark.parametrize("home", ["US", "DE", "AT", "GB", "FR", "IT", "BR", "IN"])
def test_a_foreign_mobile_number_without_its_plus_is_itself_or_refused(home):
    chance = random.Random(home)
    for region in ["DE", "AT", "CH", "FR", "GB", "NL", "BE", "AU", "BR", "IN", "TR", "UA"]:
        for number in mobiles(region, chance):
            cell = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
            if len(cell) >= 11:
                read_as = unpack(read_cell(cell, home))[0]
                assert read_as in (e164(number), None), (home, region, cell)


def test_the_national_spelling_of_a_mobile_number_is_read_as_ever():
    chance = random.Random("national")
    for region in LARGE:
        for number in mobiles(region, chance):
            cell = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            assert unpack(read_cell(cell, region)) == (e164(number), None, None), (region, cell)


@pytest.mark.parametrize(
    ("region", "cell", "number"),
    [
        ("DE", "4915112345678", 4915112345678),
        ("DE", "4917612345679", 4917612345679),
        ("DE", "49 171 2345677", 491712345677),
        ("DE", "49171-2345677", 491712345677),
        ("DE", "(49) 171 2345677", 491712345677),
        ("DE", "49 (0)171 2345677", 491712345677),
        ("DE", "4915112345678.0", 4915112345678),
        ("FR", "33612345682", 33612345682),
        ("FR", "Tel. 33612345682", 33612345682),
        ("DE", "Tel. 4915112345678", 4915112345678),
        ("ES", "34612345678", 34612345678),
        ("US", "44 7911 123456", 447911123456),
        ("US", "44-7911-123456", 447911123456),
        ("US", "971 50 123 4567", 971501234567),
    ],
)
def test_a_lost_plus_is_put_back_and_told(region, cell, number):
    told = Repair.DECIMALS if cell.endswith(".0") else Repair.PLUS
    told = Repair.TRUNK_ZERO if "(0)" in cell else told
    assert read([cell], region) == [(number, None, told)]


@pytest.mark.parametrize(
    ("region", "cell"),
    [("DE", "49 171/2345677"), ("DE", "491804364261"), ("BR", "905545226579")],
)
def test_digits_that_two_countries_would_read_differently_are_refused(region, cell):
    assert read([cell], region) == [(None, Fault.AMBIGUOUS, None)]


@pytest.mark.parametrize(
    ("region", "cell", "number", "repair"),
    [
        ("FR", "612345681", 33612345681, Repair.ZERO),
        ("DE", "1712345676", 491712345676, Repair.ZERO),
        ("DE", "171/2345678", 491712345678, Repair.ZERO),
        ("GB", "7911 123456", 447911123456, Repair.ZERO),
        ("DE", "0171/2345678", 491712345678, None),
        ("FR", "+33612345682", 33612345682, None),
        ("FR", "0033612345682", 33612345682, None),
        ("ES", "612345678", 34612345678, None),
        ("DK", "32123456", 4532123456, None),
        ("IT", "3471234567", 393471234567, None),
        ("IT", "0612345678", 390612345678, None),
        ("IN", "9876543210", 919876543210, None),
        ("AU", "1800123456", 611800123456, None),
        ("PL", "483007443", 48483007443, None),
        ("US", "9195550123", 19195550123, None),
        ("US", "919 555-0123 x1", 19195550123, Repair.EXTENSION),
        ("US", "19195550123", 19195550123, None),
        ("BS", "19195550123", 19195550123, None),
    ],
)
def test_a_lost_zero_is_told_only_where_people_write_it(region, cell, number, repair):
    assert read([cell], region)[0][::2] == (number, repair)


@pytest.mark.parametrize(
    "cell",
    [
        "919-555-0112-13", "919.555.0110.22",
        "9-1-919-555-0128", "336-555-12345", "919 555 0110 22", "212-555-0110-11",
        "212 555 011012", "49171/2345677", "919-555-0116 /17/18",
    ],
)  # fmt: skip
def test_a_national_number_with_a_tail_is_not_taken_for_a_foreign_one(cell):
    assert read([cell]) == [(None, Fault.TOO_LONG, None)]


@pytest.mark.parametrize(
    "cell", ["919555010.5", "9195550124.50", "19195550124.5", "9195550124,50", "1.91955501234E+10"]
)
@pytest.mark.parametrize("region", ["US", "DE"])
def test_a_number_with_a_fraction_is_no_phone_number(cell, region):
    assert read([cell], region) == [(None, Fault.FRACTION, None)]


def test_a_cell_of_a_workbook_with_a_fraction_is_no_phone_number():
    cells = pl.LazyFrame({phones.CELL: [919555010.5, 49151123456.25, 9195550123.0]})
    view = cells.select(columns.text_view(phones.CELL, pl.Float64()))
    found = view.pipe(phones.add_readings, "US").collect()[READING].to_list()
    assert [unpack(each)[1] for each in found] == [Fault.FRACTION, Fault.FRACTION, None]


@pytest.mark.parametrize(
    ("region", "cell"),
    [
        ("AT", "0664 1234567/89"), ("AT", "+43 664 1234567/8"), ("DE", "030 901820/21"),
        ("DE", "4930901820/21"), ("US", "919-555-0110/11"), ("US", "919 555 0110 / 11"),
        ("US", "(919) 555-0114/0115"), ("US", "+1 919 555 0110/11"),
    ],
)  # fmt: skip
def test_digits_behind_a_slash_are_no_part_of_a_number_that_is_complete(region, cell):
    assert read([cell], region) == [(None, Fault.TAIL, None)]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0171/2345674", 491712345674), ("0171/234/5674", 491712345674),
        ("030/901820", 4930901820), ("+49 171/2345674", 491712345674),
        ("0043 2622/12345", 43262212345), ("030 / 90 18 20 - 21", 493090182021),
    ],
)  # fmt: skip
def test_a_slash_behind_an_area_code_is_as_good_as_a_blank(cell, number):
    assert read([cell], "DE") == [(number, None, None)]


@pytest.mark.parametrize(
    ("region", "cell", "number"),
    [
        ("DE", "0171/2345678, 0172/2345678", 491712345678),
        ("DE", "0171/2345678 oder 0172/2345678", 491712345678),
        ("DE", "0171/2345678 (privat), 0172/2345678 (d)", 491712345678),
        ("DE", "+49 171/2345678, +49 172/2345678", 491712345678),
        ("IT", "312/3456789, 312/3456780", 393123456789),
        ("US", "919-555-0116/919-555-0117", 19195550116),
    ],
)
def test_a_slash_inside_a_number_does_not_tear_it(region, cell, number):
    assert unpack(read_cell(cell, region))[0] == number


def test_more_digits_than_a_number_can_have_are_refused():
    assert read(["030 234567 234568"], "DE") == [(None, Fault.TOO_LONG, None)]
