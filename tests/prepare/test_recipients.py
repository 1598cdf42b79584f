"""Recipients: the right columns, every row kept, and each number read once."""

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.model import Columns
from pipeline.prepare import phones, readings, recipients
from pipeline.prepare.readings import READING
from pipeline.prepare.recipients import find_phone_columns, find_repairs
from pipeline.prepare.repeats import FIRST_ROW, VERDICT


def read_numbers(data, *, own_region=None, strict=False, **roles):
    frame = pl.LazyFrame(data)
    views = {name: pl.col(name).cast(pl.String) for name in frame.collect_schema()}
    return recipients.read_numbers(
        frame,
        views,
        roles=Columns(region=own_region, **roles),
        region="US",
        file="people.csv",
        strict=strict,
    )


def numbers(data, **options):
    read = read_numbers(data, **options)
    return read.select(readings.number_of(pl.col(READING))).to_series().to_list()


def repeats(data, **options):
    verdicts = read_numbers(data, **options)[VERDICT].to_list()
    return [each - FIRST_ROW if each else None for each in verdicts]


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
        "Mobile phone",
        "Cell Phone",
        "mobile_number",
        "Tel.",
        "Telefon",
        "Telefonnummer",
        "Handy",
        "Handynummer",
        "Mobilnummer",
        "Rufnummer",
        "Téléphone",
        "Te\u0301le\u0301phone",
        "PORTABLE",
        "Numéro de téléphone",
        "Teléfono",
        "Móvil",
        "Celular",
        "Telefono",
        "Cellulare",
        "Telefoon",
        "Telefoonnummer",
        "Phone No.",
        "Phone #",
        "Mobile No",
        "Mobile Phone No.",
        "Phone Numbers",
        "Primary phone",
        "Contact Number",
        "Telefon-Nr.",
        "Handynr.",
        "Téléphone portable",
        "Telefono cellulare",
        "Numero di cellulare",
    ],
)
def test_a_column_named_like_phone_numbers_is_found(name):
    assert find_phone_columns(["first_name", name, "telephone_note"], (), file="people.csv") == [
        name
    ]


def test_the_number_of_a_contact_is_no_phone_number():
    """Business Central's customers and orders have one beside the phone: the key of a person."""
    names = ["Contact No.", "Phone No.", "Name"]
    assert find_phone_columns(names, (), file="people.csv") == ["Phone No."]


def test_no_phone_column_is_an_error_that_lists_the_columns():
    with pytest.raises(
        InputError, match=r"people\.csv: .*'name', 'city': name one of them 'phone'"
    ):
        find_phone_columns(["name", "city"], (), file="people.csv")


def test_two_phone_columns_are_an_error_that_names_both():
    with pytest.raises(InputError, match=r"2 columns .*'phone', 'Mobile'.*phone = "):
        find_phone_columns(["phone", "name", "Mobile"], (), file="people.csv")


def test_of_several_phone_columns_the_mobile_ones_are_proposed_first():
    names = ["Telefon", "name", "Handy", "phone"]
    with pytest.raises(InputError, match=r'phone = \["Handy", "Telefon", "phone"\]'):
        find_phone_columns(names, (), file="people.csv")


@pytest.mark.parametrize("name", ["tel_note", "Fax", "Handy brand", "to_city", "mobile_app"])
def test_a_column_that_only_begins_like_a_phone_column_is_none(name):
    with pytest.raises(InputError, match="no column is named like phone numbers"):
        find_phone_columns(["name", name], (), file="people.csv")


def test_the_columns_that_the_user_names_are_used_in_his_order():
    names = ["Home Phone", "mobile", "phone"]
    assert find_phone_columns(names, ("mobile", "home_phone"), file="x") == ["mobile", "Home Phone"]


def test_a_named_column_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"no column 'mobil'.*'phone', 'mobile'"):
        find_phone_columns(["phone", "mobile"], ("mobil",), file="x")


def test_the_first_column_with_a_valid_number_wins():
    data = {
        "home": ["9195550101", "9195550102", "9195550103", None, None],
        "mobile": ["9195550123", "n/a", None, "555-0100", None],
    }
    read = read_numbers(data, phone=("mobile", "home"))
    assert read.select(
        readings.number_of(pl.col(READING)).alias("number"),
        readings.column_of(pl.col(READING)).alias("column"),
        readings.fault_of(pl.col(READING)).alias("fault"),
    ).rows() == [
        (19195550123, 0, 0),
        (19195550102, 1, 0),
        (19195550103, 1, 0),
        (None, None, 1 + readings.FAULTS.index(readings.Fault.AREA_CODE)),
        (None, None, 1 + readings.FAULTS.index(readings.Fault.MISSING)),
    ]


def test_where_numbers_come_from_is_found_when_there_are_several_columns():
    data = {"mobile": ["9195550123", "n/a"], "home": ["x", "9195550102"]}
    read = read_numbers(data, phone=("mobile", "home"))
    found = [(each.code, each.sentence, each.count, each.rows) for each in
             find_repairs(read, ["mobile", "home"])]  # fmt: skip
    assert found == [
        ("phone_column", "numbers are from the column 'mobile'", 1, (1,)),
        ("phone_column", "numbers are from the column 'home'", 1, (2,)),
    ]


def test_every_repair_is_found_with_its_count_and_its_first_rows():
    phone = ["9195550123.0", "9195550101", "'+19195550102", "9195550103.0"] + ["919555011.0"] * 3
    (first, second) = find_repairs(read_numbers({"phone": phone}), ["phone"])
    assert (first.code, first.count, first.rows) == ("phone_apostrophe", 1, (3,))
    assert (second.code, second.count, second.rows) == ("phone_decimals", 2, (1, 4))
    assert first.is_repair
    assert second.is_repair


def test_strict_refuses_what_would_have_to_be_repaired():
    phone = ["9195550123.0", "(919) 555-0101", "9195550102; 9195550103"]
    assert numbers({"phone": phone}, strict=True) == [None, 19195550101, None]


def test_a_plus_or_a_zero_lost_at_home_is_counted_refused_by_strict_and_hides_no_duplicate():
    phone = ["+4915112345678", "4915112345678", "15112345678", "015112345678"]
    data = {"phone": phone, "country": ["DE"] * 4}
    read = read_numbers(data, own_region="country")
    found = [(each.code, each.count, each.rows) for each in find_repairs(read, ["phone"])]
    assert found == [("phone_plus", 1, (2,)), ("phone_zero", 1, (3,))]
    assert repeats(data, own_region="country") == [None, 1, 1, 1]
    strict = numbers(data, own_region="country", strict=True)
    assert strict == [4915112345678, None, None, 4915112345678]


def test_a_row_may_have_its_own_region():
    data = {"phone": ["020 7946 0123", "9195550101"], "country": ["GB", ""]}
    assert numbers(data) == [None, 19195550101]
    assert numbers(data, own_region="country") == [442079460123, 19195550101]


def test_the_first_of_equal_numbers_wins_however_they_are_written():
    data = {
        "phone": ["+19195550123", "9195550124", "(919) 555-0123", "1-919-555-0123", "n/a", "n/a"]
    }
    assert repeats(data) == [None, None, 1, 1, None, None]


def test_foreign_numbers_are_compared_too():
    phone = ["+442079460123", "9195550101", "+44 20 7946 0123", "+442079460124", "9195550101"]
    assert repeats({"phone": phone}) == [None, None, 1, None, 2]


def test_the_same_number_with_another_key_is_another_message():
    data = {"phone": ["9195550123"] * 4, "Key": ["order 1", "order 2", " order 1 ", None]}
    assert repeats(data) == [None, None, 1, None]


def test_the_user_may_name_the_key():
    data = {"phone": ["9195550123"] * 3, "order": ["1", "2", "1"], "key": ["a", "a", "a"]}
    assert repeats(data, key="order") == [None, None, 1]


def test_a_hundred_thousand_rows_keep_their_order():
    lines = list(range(100_000))
    data = {"phone": [f"919{2000000 + line % 60_000}" for line in lines]}
    expected = [None if line < 60_000 else line - 60_000 + 1 for line in lines]
    assert repeats(data) == expected
    assert phones.CELL not in read_numbers(data).columns


TITLED = [["Spring list", "column_2", "column_3"], ["Spring list", "column_4"]]


@pytest.mark.parametrize("names", TITLED, ids=["in text", "beside a column that is left out"])
@pytest.mark.parametrize("wanted", [(), ("phone",)], ids=["found by its name", "named"])
def test_one_name_above_nameless_columns_is_perhaps_a_title(names, wanted):
    with pytest.raises(InputError) as caught:
        find_phone_columns(names, wanted, file="people.csv")

    sentence = str(caught.value)
    assert "is the first line a title? Delete what is above the names of the columns" in sentence


@pytest.mark.parametrize("names", [["name", "city"], ["name", "city", "column_3"], ["Spring list"]])
def test_names_of_columns_are_no_title(names):
    with pytest.raises(InputError) as caught:
        find_phone_columns(names, (), file="people.csv")

    assert "title" not in str(caught.value)
    assert "no header" not in str(caught.value)


def test_a_file_of_several_columns_without_a_header_is_said_to_have_none():
    with pytest.raises(InputError) as caught:
        find_phone_columns(["column_1", "column_2"], (), file="people.csv")

    assert str(caught.value) == (
        "people.csv: the file has no header, so none of its columns ('column_1', 'column_2') is "
        "known to hold the phone numbers: write under [campaign] in a campaign.toml the one that "
        'does, as in phone = ["column_1"]'
    )


def test_a_wanted_column_that_is_spelled_otherwise_is_offered():
    with pytest.raises(InputError, match=r"did you mean 'Phone Number'\?"):
        find_phone_columns(["First Name", "Phone Number"], ("Phone",), file="x")

    with pytest.raises(InputError, match="spell it like one of them"):
        find_phone_columns(["First Name", "City"], ("Telefon",), file="x")
