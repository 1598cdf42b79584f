"""Whose a number is, where the user knows: a table of prefixes or numbers, and a column of names.

prefix,carrier
1919555,T-Mobile
19195550123,AT&T
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipeline.errors import InputError
from pipeline.model import EXAMPLE_ROWS
from pipeline.prepare import columns
from pipeline.prepare.prefixes import Prefixes
from pipeline.prepare.price_grid import gathered
from pipeline.prepare.recipients import is_phone_name

_PREFIX, _CARRIER = "prefix", "carrier"


class CarrierTable:
    """The carrier of each number that begins with a known prefix; the longest counts."""

    def __init__(self, table: pl.DataFrame) -> None:
        """Sort the table.

        Args:
            table: `prefix` (String, distinct) and `carrier` (String).
        """
        names = table[_CARRIER].unique(maintain_order=True)
        codes = pl.int_range(1, names.len() + 1, dtype=pl.UInt32, eager=True)
        self._names = pl.concat([pl.Series([None], dtype=pl.String), names])
        self._prefixes = Prefixes(table[_PREFIX], table[_CARRIER].replace_strict(names, codes))

    def carrier_of(self, number: pl.Expr) -> pl.Expr:
        """Return a name (String) for numbers (Int64, E.164 without its plus); null is not known."""
        return gathered(self._names, self._prefixes.find(number))


def carrier_of(
    number: pl.Expr, *, own: pl.Expr | None, table: CarrierTable | None
) -> pl.Expr | None:
    """Return what a row says itself, before what the table says of its number.

    Args:
        number: Int64, E.164 without its plus.
        own: the row's own word (String), where rows have one.
        table: whose numbers are, where there is one.

    Returns:
        The name of the carrier (String, null where it is not known); None where nobody knows any.
    """
    known: list[pl.Expr] = []
    if own is not None:
        known.append(pl.when(own.str.strip_chars() != "").then(own))

    if table is not None:
        known.append(table.carrier_of(number))

    return pl.coalesce(known) if known else None


def read_table(frame: pl.LazyFrame, *, file: str) -> CarrierTable:
    """Read a table of carriers.

    Args:
        frame: a column of prefixes or whole numbers, in E.164 with or without the plus, and a
            column named carrier; read, in streaming mode.
        file: names the table in an error.

    Raises:
        InputError: a column is missing, a row holds no prefix or no carrier, or two rows differ.
    """
    schema = frame.collect_schema()
    prefix = _column(schema, _is_prefix, "prefix", file)
    carrier = _column(schema, _is_carrier, "carrier", file)
    table = (
        frame.select(
            columns.text_view(prefix, schema[prefix])
            .str.replace_all(r"[\s+()-]", "")
            .alias(_PREFIX),
            columns.text_view(carrier, schema[carrier]).str.strip_chars().alias(_CARRIER),
        )
        .with_row_index(columns.ROW, offset=1)
        .filter((pl.col(_PREFIX) != "") | (pl.col(_CARRIER) != ""))
        .collect(engine="streaming")
    )
    is_whole = pl.col(_PREFIX).str.contains("^[1-9][0-9]{0,14}$") & (pl.col(_CARRIER) != "")
    _refuse(
        table.filter(~is_whole.fill_null(value=False)),
        "a row needs a carrier and the beginning of a number with its country code, such as 1919",
        file,
    )
    distinct = table.unique([_PREFIX, _CARRIER], keep="first", maintain_order=True)
    _refuse(
        distinct.filter(pl.col(_PREFIX).is_duplicated()),
        "the same prefix has two carriers: leave one of them",
        file,
    )
    return CarrierTable(distinct)


def _is_prefix(name: str) -> bool:
    return is_phone_name(name) or columns.fold(name) in (_PREFIX, "number")


def _is_carrier(name: str) -> bool:
    return columns.fold(name) == _CARRIER


def _column(schema: pl.Schema, fits: Callable[[str], bool], needed: str, file: str) -> str:
    usable = [name for name, dtype in schema.items() if columns.has_text(dtype)]
    found = [name for name in usable if fits(name)]
    if len(found) == 1:
        return found[0]

    listed = ", ".join(f"'{name}'" for name in found or usable)
    raise InputError(
        f"a table of carriers needs one column named {needed}; there are {listed}", file=file
    )


def _refuse(rows: pl.DataFrame, sentence: str, file: str) -> None:
    if rows.height:
        examples = ", ".join(map(str, rows[columns.ROW].head(EXAMPLE_ROWS)))
        raise InputError(f"{sentence} (row {examples}; rows: {rows.height})", file=file)
