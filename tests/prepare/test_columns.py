"""Columns: the user's own come out under names nobody else has."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prepare import columns


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["phone", "city"], ["phone", "city"], id="free names stay"),
        pytest.param(["text", "to"], ["input_text", "input_to"], id="names of the plan"),
        pytest.param(["state", "cost"], ["input_state", "input_cost"], id="names of the results"),
        pytest.param(["Text"], ["Text"], id="another case is another name"),
        pytest.param(["input_text", "text"], ["input_text", "input_input_text"], id="taken twice"),
    ],
)
def test_a_column_whose_name_is_taken_is_kept_as_input(names, expected):
    assert list(columns.output_names(names).values()) == expected


NAMES = st.sampled_from(["text", "input_text", "input_input_text", "row", "input_row", "phone"])


@given(st.lists(NAMES, unique=True))
def test_no_two_columns_ever_share_a_name(names):
    outputs = list(columns.output_names(names).values())
    assert len({*outputs, *columns.RESERVED}) == len(outputs) + len(columns.RESERVED)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param([" a ", None], [" a ", None], id="text stays as it is"),
        pytest.param([5, None], ["5", None], id="integers"),
        pytest.param([19195550123.0, 2.5, float("nan"), float("inf")],
                     ["19195550123", "2.5", None, "inf"], id="whole floats lose their point"),
        pytest.param([True, False], ["true", "false"], id="booleans"),
        pytest.param([date(2026, 6, 1)], ["2026-06-01"], id="dates"),
    ],
)  # fmt: skip
def test_a_value_of_any_type_is_read_as_people_would_write_it(values, texts):
    frame = pl.DataFrame({"value": values}, strict=False)
    view = columns.text_view("value", frame.schema["value"])
    assert frame.select(view)["value"].to_list() == texts


@pytest.mark.parametrize(
    ("dtype", "readable"),
    [(pl.String(), True), (pl.Float64(), True), (pl.List(pl.String), False), (pl.Binary(), False)],
    ids=["text", "float", "list", "bytes"],
)
def test_lists_and_bytes_are_no_text(dtype, readable):
    assert columns.has_text(dtype) is readable
