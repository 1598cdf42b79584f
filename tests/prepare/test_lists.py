"""Lists of people who want no texts: every number of every phone column and cell bars."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.prepare.list_columns import phone_columns_of
from pipeline.prepare.lists import read_list

A, B, C = 19195550100, 19195550150, 19195550101


def listed(region="US", **columns):
    return read_list(pl.LazyFrame(columns), region=region, file="stop.csv")


def found(result):
    return {each.code: (each.count, each.rows) for each in result.findings}


def test_every_phone_column_of_a_row_bars():
    result = listed(
        name=["Ann", "Bob", "Cleo"],
        mobile=["+19195550100", None, "n/a"],
        home=["+19195550150", "+19195550101", "+19195550102"],
    )
    assert sorted(result.numbers) == [A, C, 19195550102, B]
    assert (result.rows, result.found, result.columns) == (3, 4, ("mobile", "home"))
    assert (result.without, found(result)) == (0, {"suppression_parts": (1, (3,))})


CELLS = {
    "slash": ("+19195550100 / +19195550150", [A, B], 0),
    "semicolon": ("+19195550100;+19195550150", [A, B], 0),
    "or": ("+19195550100 or +19195550150", [A, B], 0),
    "comma and labels": ("home 919-555-0100, cell 919-555-0150", [A, B], 0),
    "contacts of Google": ("+19195550100 ::: +1 919-555-0150", [A, B], 0),
    "a blank before a plus": ("+19195550100 +19195550150", [A, B], 0),
    "a tab": ("9195550100\t9195550150", [A, B], 0),
    "a line end": ("9195550100\n9195550150", [A, B], 0),
    "labels behind": ("919-555-0100 (home) 919-555-0150 (work)", [A, B], 1),
    "JSON": ('["+19195550100","+19195550150"]', [A, B], 0),
    "three, of which one twice": ("9195550100/9195550150/919-555-0100", [A, B], 0),
    "a number and a word": ("+19195550100 / n/a", [A], 1),
    "a number and a broken one": ("+19195550100 / 91955501", [A], 1),
    "a number and what would make it another one": ("919-555-0100 / 55", [A], 1),
    "two and a broken one": ("+19195550100; +19195550150; 12", [A, B], 1),
    "an extension": ("919-555-0100, ext. 5", [A], 0),
    "a sentence": ("please never again: 919-555-0100 after 5pm", [A], 1),
    "a wish behind a number": ("919-555-0100 do not text", [A], 1),
    "digits that are lost": ("9.1955501E+09", [], 1),
    "no number": ("n/a", [], 1),
    "a lost plus": ("4915112345678", [4915112345678], 0),
}


@pytest.mark.parametrize(("cell", "numbers", "left"), CELLS.values(), ids=CELLS)
def test_every_number_of_a_cell_bars_and_what_is_none_is_counted(cell, numbers, left):
    result = listed(phone=[cell], other=["x"])
    assert sorted(result.numbers) == sorted(numbers)
    assert result.without == (not numbers)
    assert [each.code for each in result.findings] == (
        ["suppression_parts" if numbers else "suppression_rows"] * bool(left)
    )


@pytest.mark.parametrize(
    ("region", "cell", "numbers"),
    [
        ("DE", "0171/2345678", [491712345678]),
        ("DE", "0171/2345678, 0172/2345678", [491712345678, 491722345678]),
        ("DE", "0171/2345678 0172/2345678", [491712345678, 491722345678]),
        ("DE", "0171 2345678 / 0172 2345678", [491712345678, 491722345678]),
        ("FR", "06.12.34.56.78 - 06.12.34.56.79", [33612345678, 33612345679]),
        ("DK", "20123456 20123457", [4520123456, 4520123457]),
        ("US", "919-555-0100 / 919-555-0150 ext 5", [A, B]),
    ],
)
def test_a_separator_may_be_part_of_a_number(region, cell, numbers):
    assert sorted(listed(region, phone=[cell]).numbers) == numbers


BETWEEN = [";", " / ", ",", " or ", " & ", "\n", "\t", " ::: ", "; ", " | ", " und "]
SPELLINGS = [
    lambda number: f"+{number}",
    lambda number: f"({number // 10**7 % 1000}) {number // 10**4 % 1000}-{number % 10**4:04}",
    lambda number: f"{number % 10**10}",
    lambda number: f"cell {number // 10**7 % 1000}-{number // 10**4 % 1000}-{number % 10**4:04}",
]
number = st.tuples(st.integers(19195550100, 19195550199), st.sampled_from(SPELLINGS))
cell = st.tuples(st.lists(number, max_size=3), st.sampled_from(BETWEEN))


@settings(max_examples=200)
@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=4))
def test_whatever_stands_between_numbers_each_of_them_bars_and_every_row_is_counted(rows):
    texts = [
        [between.join(spelled(each) for each, spelled in numbers) for numbers, between in row]
        for row in rows
    ]
    result = listed(mobile=[row[0] for row in texts], phone_2=[row[1] for row in texts])
    there = [[each for numbers, _ in row for each, _ in numbers] for row in rows]
    assert set(result.numbers) == {each for row in there for each in row}
    assert result.without == sum(not row for row in there)
    assert {each.code for each in result.findings} <= {"suppression_blanks"}


def test_rows_without_a_number_are_counted_and_named_the_blank_ones_too():
    result = listed(
        Phone=["919-555-0103", "9195550104", "notanumber", None, "919-555-0103", "+44 7700 900123"],
        Reason=["asked", "", "", "", "again", ""],
    )  # fmt: skip
    assert (result.rows, result.found, result.numbers.len(), result.without) == (6, 3, 2, 3)
    assert found(result) == {"suppression_rows": (2, (3, 6)), "suppression_blanks": (1, (4,))}


NAMES = {
    "one named otherwise": (["who"], ["who"]),
    "a repeated name": (["name", "phone", "phone_2"], ["phone", "phone_2"]),
    "HubSpot": (["Record ID", "Phone Number", "Mobile Phone Number", "Create Date"],
                ["Phone Number", "Mobile Phone Number"]),
    "Google": (["First Name", "Phone 1 - Label", "Phone 1 - Value", "Phone 2 - Value"],
               ["Phone 1 - Value", "Phone 2 - Value"]),
    "Outlook": (["Home Phone", "Home Phone 2", "Business Phone", "Business Fax", "E-mail"],
                ["Home Phone", "Home Phone 2", "Business Phone"]),
    "in one word": (["homephone", "WorkPhone", "PrimaryPhoneNumber", "email"],
                    ["homephone", "WorkPhone", "PrimaryPhoneNumber"]),
    "German": (["Name", "Telefon privat", "Telefon geschäftlich", "Diensthandy", "Handynr. 2"],
               ["Telefon privat", "Telefon geschäftlich", "Diensthandy", "Handynr. 2"]),
    "French": (["nom", "Téléphone domicile", "portable"], ["Téléphone domicile", "portable"]),
    "beside another": (["mobile", "home", "work"], ["mobile", "home", "work"]),
    "about a phone": (["phone", "phone type", "Phone Consent"], ["phone"]),
    "to": (["to", "subscribed to"], ["to"]),
}  # fmt: skip


@pytest.mark.parametrize(("names", "wanted"), NAMES.values(), ids=NAMES)
def test_a_column_of_a_list_is_a_phone_column_by_a_generous_reading_of_its_name(names, wanted):
    assert phone_columns_of(names, file="stop.csv") == wanted


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["name", "home"], "in the first line, name those with the numbers 'phone'"),
        (["column_1", "column_2"], "write a first line that names the columns"),
    ],
    ids=["header", "no header"],
)
def test_a_list_without_a_phone_column_is_refused_with_what_to_do(names, words):
    with pytest.raises(InputError, match=words) as refused:
        phone_columns_of(names, file="stop.csv")

    assert "campaign" not in str(refused.value)


def test_a_column_that_is_not_read_and_looks_like_numbers_is_told():
    result = listed(phone=["9195550100"], ann=["(919) 555-0101"], day=["2026-03-01 10:00"])
    (finding,) = result.findings
    assert (finding.code, finding.count) == ("suppression_columns", 1)
    assert "'ann'" in finding.sentence
    assert "'day'" not in finding.sentence


def test_a_phone_column_that_holds_lists_is_refused():
    with pytest.raises(InputError, match="column 'phones'"):
        listed(mobile=["9195550100"], phones=[["9195550101"]])


def test_a_number_that_was_taken_for_the_header_bars_too():
    result = listed("DK", **{"20 12 34 56": ["20 12 34 57"]})
    assert sorted(result.numbers) == [4520123456, 4520123457]
    assert found(result) == {"suppression_header": (1, ())}
    assert result.columns == ("column 1",)


def test_a_list_is_read_by_the_region_it_is_given():
    assert list(listed("DE", Handy=["0171 2345678"]).numbers) == [491712345678]


def test_numbers_of_a_typed_file_are_read_as_people_would_write_them():
    assert list(listed(phone=[9195550100.0, None], mobile=[None, 9195550150]).numbers.sort()) == [
        A,
        B,
    ]
