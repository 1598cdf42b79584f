"""The longest of many prefixes that each of millions of numbers begins with.

A prefix is a range of integers for each length a number may have, so ranges that are cut where one
begins or ends need a single binary search per number.
"""

from __future__ import annotations

import polars as pl

_MOST_DIGITS = 15  # E.164
_NORTH_AMERICA, _ITS_DIGITS = "1", 11  # every number of country code 1 has eleven digits

_FEW_BREAKS = 8  # compared one by one, which vectorises, they cost a tenth of a search

_PREFIX, _VALUE, _LENGTH, _LOW, _HIGH = "prefix", "value", "length", "low", "high"


class Prefixes:
    """Prefixes with a value each."""

    def __init__(self, prefixes: pl.Series, values: pl.Series) -> None:
        """Cut the ranges.

        Args:
            prefixes: distinct (String), beginnings of E.164 numbers without their plus; or whole
                numbers.
            values: of the same length (UInt32, not 0).
        """
        frame = pl.DataFrame({_PREFIX: prefixes, _VALUE: values.cast(pl.UInt32)})
        ranges = pl.concat(_ranges(frame, digits) for digits in range(1, _MOST_DIGITS + 1))
        breaks = pl.concat([ranges[_LOW], ranges[_HIGH]]).unique().sort()
        found = pl.repeat(0, breaks.len(), dtype=pl.UInt32, eager=True)
        for _, part in sorted(ranges.partition_by(_LENGTH, as_dict=True).items()):
            found = _overlaid(found, breaks, part.sort(_LOW))

        is_cut = found != found.shift(1, fill_value=0)
        self._breaks = breaks.filter(is_cut)
        self._values = pl.concat([pl.Series([0], dtype=pl.UInt32), found.filter(is_cut)])

    def find(self, numbers: pl.Expr) -> pl.Expr:
        """Return the value of the longest prefix of each number.

        Args:
            numbers: Int64, E.164 without its plus.

        Returns:
            UInt32; 0 where no prefix fits, or where there is no number.
        """
        if 0 < self._breaks.len() <= _FEW_BREAKS:
            found: pl.Expr = _value(0)
            for value, end in zip(reversed(self._values[:-1]), reversed(self._breaks), strict=True):
                found = pl.when(numbers < end).then(_value(value)).otherwise(found)

            return found

        # A map, because an expression would search the whole column and not batch by batch.
        return numbers.map_batches(self._search, return_dtype=pl.UInt32, is_elementwise=True)

    def _search(self, numbers: pl.Series) -> pl.Series:
        found = self._breaks.search_sorted(numbers, side="right")
        return self._values.gather(found).alias(numbers.name)


def _value(value: int) -> pl.Expr:
    return pl.lit(value, pl.UInt32)


def _ranges(frame: pl.DataFrame, digits: int) -> pl.DataFrame:
    """Return the numbers of so many digits that begin with each prefix."""
    prefix, length = pl.col(_PREFIX), pl.col(_PREFIX).str.len_chars().cast(pl.Int64)
    fits = length <= digits
    if digits != _ITS_DIGITS:
        fits &= ~prefix.str.starts_with(_NORTH_AMERICA)

    step, first = pl.lit(10, pl.Int64).pow(digits - length).cast(pl.Int64), prefix.cast(pl.Int64)
    return frame.filter(fits).select(
        length.alias(_LENGTH),
        (first * step).alias(_LOW),
        ((first + 1) * step).alias(_HIGH),
        _VALUE,
    )


def _overlaid(found: pl.Series, breaks: pl.Series, ranges: pl.DataFrame) -> pl.Series:
    """Let longer prefixes stand over `found`; ranges of one length do not overlap."""
    at = ranges[_LOW].search_sorted(breaks, side="right").cast(pl.Int64) - 1
    nearest = at.clip(lower_bound=0)
    is_inside = (at >= 0) & (breaks < ranges[_HIGH].gather(nearest))
    return ranges[_VALUE].gather(nearest).zip_with(is_inside, found)
