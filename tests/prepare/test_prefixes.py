"""The longest prefix, found for every number at once."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prepare.prefixes import Prefixes

PREFIXES = st.lists(st.from_regex(r"\A(1|4|44|49)[0-9]{0,10}\Z"), unique=True, max_size=40)
NORTH_AMERICAN = st.from_regex(r"\A1[0-9]{10}\Z")
FOREIGN = st.from_regex(r"\A(4|44|49)[0-9]{5,12}\Z")


def found(prefixes, numbers, engine="streaming"):
    values = pl.int_range(1, len(prefixes) + 1, dtype=pl.UInt32, eager=True)
    table = Prefixes(pl.Series(prefixes, dtype=pl.String), values)
    frame = pl.LazyFrame({"n": pl.Series(numbers, dtype=pl.Int64)})
    return frame.select(table.find(pl.col("n"))).collect(engine=engine).to_series()


def expected(prefixes, number):
    fitting = [prefix for prefix in prefixes if number.startswith(prefix)]
    return 1 + prefixes.index(max(fitting, key=len)) if fitting else 0


@given(PREFIXES, st.lists(st.one_of(NORTH_AMERICAN, FOREIGN), max_size=30), st.data())
def test_the_longest_prefix_is_found(prefixes, numbers, data):
    """Numbers that begin with a prefix, at its very edges, and others."""
    for prefix in prefixes:
        length = 11 if prefix[0] == "1" else data.draw(st.integers(len(prefix), 15))
        numbers += [prefix.ljust(length, digit) for digit in "09" if len(prefix) <= length]

    assert found(prefixes, map(int, numbers)).to_list() == [
        expected(prefixes, number) for number in numbers
    ]


@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
@pytest.mark.parametrize("prefixes", [[], ["1"], ["1", "44", "4420", "49"]], ids=str)
def test_no_number_has_no_prefix(prefixes, engine):
    values = found(prefixes, [None, 19195550123, None], engine)
    assert values.dtype == pl.UInt32
    assert values.to_list() == [0, int("1" in prefixes), 0]
