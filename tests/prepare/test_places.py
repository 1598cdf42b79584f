"""Places: the country, the time zones and the area of a number are phonenumbers' own."""

import random
from pathlib import Path

import phonenumbers
import polars as pl
import pytest
from phonenumbers import timezone

import pipeline.prepare.places
from pipeline.prepare import columns
from pipeline.prepare.places import AREA, COUNTRY, ZONES, add_places
from tests import make_prefixes


def places(numbers):
    frame = pl.LazyFrame({columns.NUMBER: numbers}, schema={columns.NUMBER: pl.Int64})
    return frame.pipe(add_places).collect(engine="streaming")


@pytest.mark.parametrize(
    ("number", "country", "zones", "area"),
    [
        (19195550123, "US", "America/New_York", "North Carolina"),
        (16052215555, "US", "America/Chicago", "South Dakota"),
        (14165550123, "CA", "America/Toronto", "Ontario"),
        (442079460123, "GB", "Europe/London", None),
        (None, None, None, None),
    ],
)
def test_a_number_has_a_place(number, country, zones, area):
    row = places([number]).row(0, named=True)
    assert (row[COUNTRY], row[ZONES], row[AREA]) == (country, zones, area)


def test_zones_are_those_of_phonenumbers_for_every_area_code():
    chance = random.Random(3)
    numbers = [
        10**10 + area * 10**7 + exchange * 10**4 + chance.randint(0, 9999)
        for area in range(201, 990)
        for exchange in (203, 555, chance.randint(200, 999))
    ]
    valid = [each for each in numbers if phonenumbers.is_valid_number(parsed(each))]
    assert len(valid) > 1_000
    zones = places(valid)[ZONES].to_list()
    assert zones == [
        "|".join(timezone.time_zones_for_geographical_number(parsed(each))) for each in valid
    ]


def test_zones_abroad_are_those_of_phonenumbers_too():
    examples = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in (
            phonenumbers.PhoneNumberType.FIXED_LINE,
            phonenumbers.PhoneNumberType.MOBILE,
        )
    ]
    numbers = [
        int(phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164)[1:])
        for each in examples
        if each is not None
    ]
    assert len(numbers) > 400
    assert places(numbers)[ZONES].to_list() == [
        "|".join(timezone.time_zones_for_geographical_number(parsed(each))) for each in numbers
    ]


def test_the_table_is_what_the_script_makes(tmp_path, monkeypatch):
    monkeypatch.setattr(make_prefixes, "PREPARE", tmp_path)
    make_prefixes.write_prefixes()
    kept = Path(pipeline.prepare.places.__file__).with_name("prefixes.csv")
    assert (tmp_path / "prefixes.csv").read_text() == kept.read_text()


def test_rows_keep_their_order():
    numbers = [19195550123, 442079460123] * 5_000
    assert places(numbers)[columns.NUMBER].to_list() == numbers


def parsed(number):
    return phonenumbers.parse(f"+{number}")
