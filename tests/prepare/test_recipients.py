"""Recipients: one phone column, every row kept, the first of equal numbers wins."""

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.prepare import columns
from pipeline.prepare.recipients import find_phone_column, read_numbers


def duplicates(data):
    frame = pl.LazyFrame(data)
    numbers = read_numbers(frame, frame.collect_schema(), region="US", file="people.csv")
    return numbers[columns.DUPLICATE_OF].to_list()


@pytest.mark.parametrize(
    "name",
    [
        "phone",
        "Mobile",
        "CELL",
        "to",
        "MSISDN",
        "telephone",
        "Phone Number",
        "phone_number",
        " Phone ",
    ],
)
def test_a_column_named_like_phone_numbers_is_found(name):
    assert find_phone_column(["first_name", name, "telephone_note"], file="people.csv") == name


def test_no_phone_column_is_an_error_that_lists_the_columns():
    with pytest.raises(
        InputError, match=r"people\.csv: .*'name', 'city': name one of them 'phone'"
    ):
        find_phone_column(["name", "city"], file="people.csv")


def test_two_phone_columns_are_an_error_that_names_both():
    with pytest.raises(InputError, match=r"2 columns .*'phone', 'Mobile'.*rename"):
        find_phone_column(["phone", "name", "Mobile"], file="people.csv")


def test_the_first_of_equal_numbers_wins_however_they_are_written():
    data = {
        "phone": ["+19195550123", "9195550124", "(919) 555-0123", "1-919-555-0123", "n/a", "n/a"]
    }
    assert duplicates(data) == [None, None, 1, 1, None, None]


def test_the_same_number_with_another_key_is_another_message():
    data = {"phone": ["9195550123"] * 4, "Key": ["order 1", "order 2", " order 1 ", None]}
    assert duplicates(data) == [None, None, 1, None]


def test_numbers_that_came_as_numbers_are_read():
    data = {"phone": [19195550123.0, None, 9195550124.0]}
    frame = pl.LazyFrame(data)
    numbers = read_numbers(frame, frame.collect_schema(), region="US", file="people.parquet")
    assert numbers[columns.NUMBER].to_list() == [19195550123, None, 19195550124]


def test_a_hundred_thousand_rows_keep_their_order():
    lines = list(range(100_000))
    data = {"phone": [f"919{2000000 + line % 60_000}" for line in lines]}
    expected = [None if line < 60_000 else line - 60_000 + 1 for line in lines]
    assert duplicates(data) == expected
