"""Whose a number is: a table of prefixes and numbers, read, or refused with its wrong rows."""

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.prepare.carriers import carrier_of, read_table

TABLE = {
    "Prefix": ["1919", "+1 (919) 555-0123", "44", None, "1919"],
    "Carrier": ["T-Mobile", " AT&T", "Vodafone", None, "T-Mobile"],
}


def carriers(table, numbers, own=None):
    frame = pl.LazyFrame({"n": pl.Series(numbers, dtype=pl.Int64), "own": own})
    frame = frame.with_columns(pl.col("own").cast(pl.String))
    expression = carrier_of(pl.col("n"), own=pl.col("own"), table=table)
    return frame.select(expression).collect(engine="streaming").to_series().to_list()


def test_the_longest_prefix_tells_the_carrier():
    table = read_table(pl.LazyFrame(TABLE), file="carriers.csv")
    numbers = [19195550124, 19195550123, 442079460123, 12125550100, None]
    assert carriers(table, numbers) == ["T-Mobile", "AT&T", "Vodafone", None, None]


def test_numbers_may_be_integers_and_other_columns_stay_away():
    frame = pl.LazyFrame({"number": [19195550123], "carrier": ["AT&T"], "since": ["2020"]})
    assert carriers(read_table(frame, file="c"), [19195550123]) == ["AT&T"]


def test_what_a_row_says_itself_comes_first():
    table = read_table(pl.LazyFrame(TABLE), file="carriers.csv")
    numbers, own = [19195550123] * 4, ["Verizon", " ", None, ""]
    assert carriers(table, numbers, own) == ["Verizon", "AT&T", "AT&T", "AT&T"]
    assert carriers(None, numbers, own) == ["Verizon", None, None, None]


def test_nobody_may_know_any():
    assert carrier_of(pl.col("n"), own=None, table=None) is None


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param({"prefix": ["1", "x9"], "carrier": ["A", "B"]}, "(row 2; rows: 1)",
                     id="letters for a prefix"),
        pytest.param({"prefix": ["0919", "1.9E10"], "carrier": ["A", "B"]}, "(row 1, 2; rows: 2)",
                     id="a prefix without its country"),
        pytest.param({"prefix": ["1", None], "carrier": [" ", "A"]}, "(row 1, 2; rows: 2)",
                     id="half a row"),
        pytest.param({"prefix": ["1", "+1"], "carrier": ["A", "B"]},
                     "the same prefix has two carriers: leave one of them (row 1, 2",
                     id="two carriers for one prefix"),
        pytest.param({"prefix": ["1"], "name": ["A"]}, "needs one column named carrier; there are",
                     id="no column of carriers"),
        pytest.param({"area": ["1"], "carrier": ["A"]}, "needs one column named prefix",
                     id="no column of prefixes"),
        pytest.param({"prefix": ["1"], "phone": ["1"], "carrier": ["A"]},
                     "named prefix; there are 'prefix', 'phone'", id="two columns of prefixes"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_says_why(data, complaint):
    with pytest.raises(InputError) as refusal:
        read_table(pl.LazyFrame(data), file="carriers.csv")

    assert complaint in str(refusal.value)
    assert str(refusal.value).startswith("carriers.csv: ")
