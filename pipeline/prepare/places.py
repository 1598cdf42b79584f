"""Where a number is at home: country, time zones and area, by the longest prefix that is known.

The table, prefixes.csv, is made from phonenumbers' data by tests/make_prefixes.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

from pipeline.prepare import columns

COUNTRY = columns.WORKING + "country"  #: String, ISO 3166; null where a prefix has several
#: String, IANA names joined by `|`: a quiet hour in one of them is a quiet hour.
ZONES = columns.WORKING + "zones"
AREA = (
    columns.WORKING + "area"
)  #: String, in English, such as ``North Carolina``; null where nothing is known

_DIGITS = columns.WORKING + "digits"
_PREFIX = columns.WORKING + "prefix"


def add_places(lf: pl.LazyFrame) -> pl.LazyFrame:
    """Join the table of prefixes.

    Args:
        lf: has `columns.NUMBER` (Int64); rows without a number get no place.

    Returns:
        The frame, in its order, with `COUNTRY`, `ZONES` and `AREA` (String), each from the longest
        prefix that tells it.
    """
    lf = lf.with_columns(pl.col(columns.NUMBER).cast(pl.String).alias(_DIGITS))
    found: dict[str, list[str]] = {COUNTRY: [], ZONES: [], AREA: []}
    for length, table in _tables():
        names = {name: f"{name}_{length}" for name in found}
        lf = lf.with_columns(pl.col(_DIGITS).str.slice(0, length).alias(_PREFIX)).join(
            table.lazy().rename(names), on=_PREFIX, how="left", maintain_order="left"
        )
        for name, column in names.items():
            found[name].append(column)

    return lf.with_columns(pl.coalesce(each).alias(name) for name, each in found.items()).drop(
        _DIGITS, _PREFIX, *(column for each in found.values() for column in each)
    )


@cache
def _tables() -> list[tuple[int, pl.DataFrame]]:
    """Return a table for each length of prefix, the longest first."""
    table = pl.read_csv(Path(__file__).with_name("prefixes.csv"), infer_schema=False).rename(
        {"prefix": _PREFIX, "country": COUNTRY, "zones": ZONES, "area": AREA}
    )
    length = pl.col(_PREFIX).str.len_chars()
    lengths = table.select(length.unique().sort(descending=True)).to_series()
    return [(each, table.filter(length == each)) for each in lengths]
