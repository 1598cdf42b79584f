"""Who is written to: finds the phone column, reads every number once and marks the repeated ones.

Only narrow columns are held in memory, about 25 bytes a row; the wide frame is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.errors import InputError
from pipeline.prepare import columns, phones

#: Names of a phone column, as `columns.fold` leaves them.
PHONE_NAMES = frozenset({"phone", "phonenumber", "telephone", "mobile", "cell", "to", "msisdn"})

_KEY = columns.WORKING + "key"


def find_phone_column(names: Sequence[str], *, file: str) -> str:
    """Return the one column that holds the phone numbers.

    Raises:
        InputError: none of the columns of `file`, or more than one, is named like it.
    """
    found = [name for name in names if columns.fold(name) in PHONE_NAMES]
    if len(found) == 1:
        return found[0]

    listed = ", ".join(f"'{name}'" for name in found or names)
    if found:
        raise InputError(
            f"{len(found)} columns could hold the phone numbers ({listed}): "
            "rename those that should not be used",
            file=file,
        )

    raise InputError(
        f"no column is named like phone numbers; there are {listed}: name one of them 'phone'",
        file=file,
    )


def read_numbers(
    recipients: pl.LazyFrame, schema: Mapping[str, pl.DataType], *, region: str, file: str
) -> pl.DataFrame:
    """Read the phone column, once.

    Args:
        recipients: the user's columns; read, in streaming mode.
        schema: its columns that can be read as text.
        region: how numbers without a country code are read.
        file: names the recipients in an error.

    Returns:
        A frame with a row per recipient, in order: `columns.NUMBER` (Int64), `columns.FAULT`
        (`phones.FAULT_TYPE`) and `columns.DUPLICATE_OF` (Int64: the 1-based row that has the number
        already, with the same key where the file has a key column; the first row keeps it).

    Raises:
        InputError: there is no phone column, or more than one.
    """
    phone = find_phone_column(list(schema), file=file)
    narrow = [columns.text_view(phone, schema[phone]).alias(phones.CELL)]
    if key := columns.find_key_column(schema):
        narrow.append(
            columns.text_view(key, schema[key]).str.strip_chars().fill_null("").alias(_KEY)
        )

    numbers = (
        recipients.select(narrow)
        .pipe(phones.add_numbers, region)
        .drop(phones.CELL)
        .collect(engine="streaming")
    )
    return _mark_duplicates(numbers)


def _mark_duplicates(numbers: pl.DataFrame) -> pl.DataFrame:
    """Add `columns.DUPLICATE_OF`, by joining with the few numbers that occur more than once."""
    same = [name for name in (columns.NUMBER, _KEY) if name in numbers.columns]
    first = columns.WORKING + "first"
    rows = (
        numbers.lazy()
        .with_row_index(columns.ROW, offset=1)
        .with_columns(pl.col(columns.ROW).cast(pl.Int64))
    )
    repeated = (
        rows.filter(pl.col(columns.NUMBER).is_not_null())
        .group_by(same)
        .agg(pl.col(columns.ROW).min().alias(first), pl.len())
        .filter(pl.col("len") > 1)
        .drop("len")
    )
    return (
        rows.join(repeated, on=same, how="left", maintain_order="left")
        .select(
            columns.NUMBER,
            columns.FAULT,
            pl.when(pl.col(columns.ROW) != pl.col(first))
            .then(pl.col(first))
            .alias(columns.DUPLICATE_OF),
        )
        .collect(engine="streaming")
    )
