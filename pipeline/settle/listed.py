"""Messages as the provider lists them, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import polars as pl

from pipeline.bandwidth.wire import ListItem

_FIELDS = msgspec.structs.fields(ListItem)
_TYPES = {
    str: pl.String(),
    str | None: pl.String(),
    int | None: pl.Int64(),
    datetime | None: pl.Datetime("ms", "UTC"),
}

#: The columns, by the names of the API reference: String, Int64, and Datetime (ms, UTC).
SCHEMA = {field.encode_name: _TYPES[field.type] for field in _FIELDS}


def listed_frame(items: Iterable[ListItem]) -> pl.DataFrame:
    """Return a row for each item, with the columns of `SCHEMA`; null is what was not said."""
    rows = [tuple(getattr(item, field.name) for field in _FIELDS) for item in items]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
