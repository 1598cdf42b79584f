"""All numbers of a cell, when asked: a row for each, and no row changes that has only one."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.errors import InputError
from pipeline.model import Columns
from pipeline.prepare import columns
from pipeline.prepare.readings import READING, number_of
from pipeline.prepare.recipients import read_numbers
from pipeline.prepare.several import FILE_NUMBER, FILE_ROW, expand

NUMBERS = [f"+1919555{line:04}" for line in range(101, 109)]


def expanded(people, roles=Columns(), region="US"):  # noqa: B008 - frozen
    return expand(pl.LazyFrame(people), roles=roles, region=region, file="people.csv")


def rows(found, *more):
    frame = found.frame.collect(engine="streaming")
    return frame.select(*more, FILE_ROW, FILE_NUMBER).rows()


def read(frame, roles, region="US"):
    """The number of each row, as the plan reads it."""
    schema = frame.collect_schema()
    views = {name: columns.text_view(name, dtype) for name, dtype in schema.items()}
    table = read_numbers(frame, views, roles=roles, region=region, file="people.csv")
    return table.select(number_of(pl.col(READING))).to_series().to_list()


@pytest.mark.parametrize(
    "cell",
    [
        "9195550101; 9195550102",
        "9195550101,9195550102",
        "9195550101 / 9195550102",
        "9195550101|9195550102",
        "9195550101\n9195550102",
        "9195550101 or 9195550102",
        "9195550101 UND 9195550102",
        "9195550101 & 9195550102",
        "9195550101;;9195550102;",
        "9195550101 ::: 9195550102",
        "9195550101:::9195550102",
        "9195550101; +1 919 555 0101; 9195550102",
    ],
)
def test_each_number_of_a_cell_gets_a_row_right_below_whatever_stands_between(cell):
    found = expanded({"name": ["Ann", "Bob", "Cid"], "phone": ["9195550103", cell, None]})
    assert rows(found, "name", "phone") == [
        ("Ann", "9195550103", 1, None),
        ("Bob", cell, 2, "9195550101"),
        ("Bob", cell, 2, "9195550102"),
        ("Cid", None, 3, None),
    ]
    assert read(found.frame, found.roles) == [
        19195550103, 19195550101, 19195550102, None,
    ]  # fmt: skip
    (finding,) = found.findings
    assert (finding.code, finding.count, finding.rows) == ("numbers_added", 1, (2,))
    assert not finding.is_repair


@pytest.mark.parametrize(
    "cell",
    [
        "+19195550101 +19195550102",
        "+1 919-555-0101\u00a0\u200b +1 919-555-0102",
        "+19195550101 ::: +1 919-555-0102",
        "+19195550101 +19195550102 +19195550101",
    ],
)
def test_numbers_that_begin_with_a_plus_may_have_only_blanks_between_them(cell):
    found = expanded({"phone": [cell, "20251224 +19195550103"]})
    assert read(found.frame, found.roles) == [19195550101, 19195550102, None]
    (finding,) = found.findings
    assert (finding.code, finding.count, finding.rows) == ("numbers_added", 1, (1,))


def test_what_is_no_number_gets_no_row_and_is_told():
    cells = [
        "9195550101; 9190000000; 9195550102; call after 5",
        "9190000000; 9195550103",
        "9190000000; 9190000001",
    ]
    found = expanded({"phone": cells})
    assert rows(found) == [(1, "9195550101"), (1, "9195550102"), (2, None), (3, None)]
    told = {each.code: (each.count, each.rows, each.is_repair) for each in found.findings}
    assert told == {"numbers_added": (1, (1,), False), "numbers_left": (3, (1, 2), True)}
    assert read(found.frame, found.roles) == [19195550101, 19195550102, 19195550103, None]


def test_only_the_first_column_that_holds_a_valid_number_is_split():
    two, other = "9195550101; 9195550102", "9195550105; 9195550106"
    people = {
        "mobile": [two, "9195550103", "n/a", None, "9190000000; 9190000001"],
        "home": [other, other, other, other, other],
    }
    found = expanded(people, Columns(phone=("mobile", "home")))
    assert rows(found) == [
        (1, "9195550101"), (1, "9195550102"), (2, None),
        (3, "9195550105"), (3, "9195550106"), (4, "9195550105"), (4, "9195550106"),
        (5, "9195550105"), (5, "9195550106"),
    ]  # fmt: skip
    assert read(found.frame, found.roles)[2] == 19195550103


def test_the_rows_region_reads_its_numbers():
    people = {"phone": ["020 7946 0101; 020 7946 0102"] * 2, "country": ["gb ", ""]}
    found = expanded(people, Columns(region="country"))
    assert rows(found) == [(1, "020 7946 0101"), (1, "020 7946 0102"), (2, None)]


def test_columns_of_the_file_with_the_added_names_stay():
    found = expanded({"phone": ["9195550101;9195550102"], "file_row": ["x"], "file_row_2": ["y"]})
    frame = found.frame.collect()
    assert frame.columns == ["phone", "file_row", "file_row_2", "file_row_3", "file_number"]
    assert frame["file_row"].to_list() == ["x", "x"]


def test_numbers_that_are_no_text_pass_as_they_are():
    found = expanded({"phone": [9195550101, None], "tags": [["a"], ["b"]]})
    assert rows(found, "phone", "tags") == [(9195550101, ["a"], 1, None), (None, ["b"], 2, None)]


def test_a_file_without_a_phone_column_is_refused_as_ever():
    with pytest.raises(InputError, match=r"people\.csv: no column"):
        expanded({"name": ["Ann"]})


cells = st.lists(
    st.one_of(st.sampled_from([*NUMBERS, "call us", "9190000000", "", "+44 20 7946 0101"])),
    max_size=4,
).map("; ".join)


@settings(max_examples=50)
@given(st.lists(cells, min_size=1, max_size=8))
def test_every_row_stays_and_only_rows_with_several_numbers_are_repeated(people):
    plain = pl.LazyFrame({"phone": people}, schema={"phone": pl.String})
    found = expand(plain, roles=Columns(), region="US", file="people.csv")
    frame = found.frame.collect()
    assert frame[FILE_ROW].unique(maintain_order=True).to_list() == [*range(1, len(people) + 1)]
    assert frame[FILE_ROW].is_sorted()
    first = frame.unique(FILE_ROW, keep="first", maintain_order=True)
    assert_frame_equal(first.select("phone"), plain.collect())

    alone, all_of_them = read(plain, Columns()), read(found.frame, found.roles)
    by_row = {}
    for row, number in zip(frame[FILE_ROW], all_of_them, strict=True):
        by_row.setdefault(row, []).append(number)

    for row, cell in enumerate(people, start=1):
        assert by_row[row][0] == alone[row - 1], "the first number is the one used unasked"
        valid = [int(each.replace(" ", "")[1:]) for each in cell.split("; ") if each[:1] == "+"]
        is_several = len(valid) + cell.count("9190000000") > 1
        expected = list(dict.fromkeys(valid)) if is_several and valid else [alone[row - 1]]
        assert by_row[row] == expected

    added = sum(each.count for each in found.findings if each.code == "numbers_added")
    assert frame.height == len(people) + added


def test_our_columns_have_names_that_nobody_takes_for_the_users():
    found = expanded({"phone": [NUMBERS[0]], "File Row": ["7"]})
    assert "file_row_2" in found.frame.collect_schema()
    assert FILE_ROW not in found.frame.collect_schema()
