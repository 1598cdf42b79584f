"""Numbers that were there before: exact, the first row wins, whatever the order and the size."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prepare import repeats
from pipeline.prepare.readings import READING, Fault, Repair, packed
from pipeline.prepare.repeats import FIRST_ROW, VERDICT, Barred, add_verdicts

HOME, FOREIGN = 19_195_550_100, 442_079_460_100
NUMBERS = st.one_of(
    st.integers(0, 12).map(lambda line: HOME + line),
    st.integers(0, 6).map(lambda line: FOREIGN + line),
    st.just(packed(Fault.MISSING)),
    st.integers(0, 5).map(lambda line: packed(HOME + line, Repair.DECIMALS)),
)


def number(reading):
    return reading & (2**50 - 1) if reading >= 0 else None


def verdicts(read, *barred):
    table = pl.DataFrame({READING: read}, schema={READING: pl.Int64})
    return add_verdicts(table, barred)[VERDICT].to_list()


def bar(*numbers, reason="suppressed"):
    return Barred(reason=reason, detail="x", numbers=pl.Series(numbers, dtype=pl.Int64))


def expected(read, barred):
    first, found = {}, []
    for row, each in enumerate(map(number, read), start=1):
        if each is None:
            found.append(0)
        elif each in first:
            found.append(FIRST_ROW + first[each])
        else:
            first[each] = row
            places = (i for i, b in enumerate(barred, start=1) if each in b.numbers.to_list())
            found.append(next(places, 0))

    return found


@pytest.mark.parametrize("slice_rows", [1, 2, 3, 1 << 21])
def test_repeats_are_found_across_slices(slice_rows, monkeypatch):
    monkeypatch.setattr(repeats, "_SLICE_ROWS", slice_rows)
    read = [HOME, HOME + 1, HOME, FOREIGN, HOME, FOREIGN, HOME + 1, packed(Fault.MISSING)]
    assert verdicts(read) == expected(read, [])


@given(st.lists(NUMBERS, max_size=40), st.lists(NUMBERS.filter(lambda n: n >= 0), max_size=6))
def test_every_row_gets_the_verdict_of_a_plain_loop(read, barred):
    bars = [bar(*map(number, barred[:3])), bar(*map(number, barred[3:]), reason="excluded")]
    assert verdicts(read, *bars) == expected(read, bars)


def test_the_first_bar_that_fits_is_named():
    assert verdicts([HOME, HOME + 1], bar(HOME + 1), bar(HOME, HOME + 1)) == [2, 1]


def test_nothing_to_compare_is_no_trouble():
    assert verdicts([]) == []
    assert verdicts([packed(Fault.MISSING)], bar(HOME)) == [0]
    assert verdicts([HOME], bar()) == [0]
