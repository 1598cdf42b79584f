"""The names of columns: what plan and results hold, and how the user's own columns sit beside them.

row message_key to from channel encoding units segments text reason reason_detail
    cost_estimated currency │ (results only: state ... cost) │ the user's own columns
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.model import Channel, Encoding

ROW = "row"  #: Int64, 1-based data row of the recipient file
MESSAGE_KEY = "message_key"  #: String, opaque (see `keys`)
TO = "to"  #: String, E.164
FROM = "from"  #: String, our number
CHANNEL = "channel"  #: `CHANNEL_TYPE`
ENCODING = "encoding"  #: `ENCODING_TYPE`
UNITS = "units"  #: Int32, septets or UTF-16 code units
SEGMENTS = "segments"  #: Int32
TEXT = "text"  #: String
REASON = "reason"  #: String, a code; null where the row will be sent
REASON_DETAIL = "reason_detail"  #: String, a sentence
COST_ESTIMATED = "cost_estimated"  #: Decimal(18, 6)
CURRENCY = "currency"  #: Enum of one word, ISO 4217
VARIANT = "variant"  #: String; a column of the plan only where a campaign has variants
#: Int64, the row that a recipient's group message was made from; null where it is to one. A column
#: of the plan only where a campaign has groups.
GROUP_ROW = "group_row"

#: Words of which there are few are small numbers while a plan is made, and are written so.
CHANNEL_TYPE, ENCODING_TYPE = pl.Enum(Channel), pl.Enum(Encoding)

PLAN_COLUMNS = (
    ROW,
    MESSAGE_KEY,
    TO,
    FROM,
    CHANNEL,
    ENCODING,
    UNITS,
    SEGMENTS,
    TEXT,
    REASON,
    REASON_DETAIL,
    COST_ESTIMATED,
    CURRENCY,
)

COST_LOW, COST_HIGH = "cost_low", "cost_high"  #: Decimal(18, 6)

#: Columns of the plan, after `PLAN_COLUMNS`, only where the rate card has a mix of carriers.
BOUNDS = (COST_LOW, COST_HIGH)

#: What a message has and a row that is not sent has not: null wherever there is a reason.
MESSAGE_COLUMNS = (MESSAGE_KEY, FROM, CHANNEL, ENCODING, UNITS, SEGMENTS, COST_ESTIMATED)

STATE = "state"
ATTEMPTS = "attempts"
MESSAGE_ID = "message_id"
HTTP_STATUS = "http_status"
ERROR_CODE = "error_code"
ERROR = "error"
ACCEPTED_AT = "accepted_at"
FINAL_AT = "final_at"
SEGMENTS_BILLED = "segments_billed"
CARRIER = "carrier"
COST = "cost"
DECISION = "decision"  #: what an operator decided about the row, in his words

#: What results hold beyond the plan, in order.
RESULT_COLUMNS = (
    STATE,
    ATTEMPTS,
    MESSAGE_ID,
    HTTP_STATUS,
    ERROR_CODE,
    ERROR,
    ACCEPTED_AT,
    FINAL_AT,
    SEGMENTS_BILLED,
    CARRIER,
    COST,
    DECISION,
)

#: Names a column of the user cannot keep.
RESERVED = frozenset((*PLAN_COLUMNS, *BOUNDS, *RESULT_COLUMNS))

#: The user's optional column that tells several messages to one recipient apart.
USER_KEY = "key"

#: Columns between two steps; nothing named so ever leaves the package.
WORKING = "__bandcast_"
NUMBER = WORKING + "number"  #: Int64, E.164 without its plus
SENT = WORKING + "sent"  #: Int64, `NUMBER` where the row has no reason
FILE_ROW = WORKING + "file_row"  #: integer, 1-based data row of the recipient file, for errors

_WHOLE_FLOATS_BELOW = 2**53  # beyond it a double no longer holds every whole number


def fold(name: str) -> str:
    """Return `name` as people mean it: without case, spaces, underscores and hyphens."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


def nearest(name: str, names: Sequence[str]) -> str:
    """Return ``did you mean 'phone'?`` for a name that is nearly one of `names`; else nothing."""
    folded = {fold(each): each for each in reversed(names)}
    near = difflib.get_close_matches(fold(name), folded, n=1, cutoff=0.5)
    return f"did you mean '{folded[near[0]]}'?" if near else ""


def output_names(names: Iterable[str], *, taken: frozenset[str] = RESERVED) -> dict[str, str]:
    """Map each column of the user to its name in plan and results.

    A name that is taken becomes ``input_<name>``, again and again until it is free.
    """
    names = list(names)
    free = {name for name in names if name not in taken}
    chosen: dict[str, str] = {}
    for name in names:
        output = name
        while name in taken and (output in taken or output in free):
            output = f"input_{output}"

        free.add(output)
        chosen[name] = output

    return chosen


def has_text(dtype: pl.DataType) -> bool:
    """Tell whether a column can be read as text; lists, structs and raw bytes cannot."""
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object)


def is_filled(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell (String) is not blank (Boolean, never null)."""
    return (cell.str.strip_chars() != "").fill_null(value=False)


def text_view(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return the column as people would write it, without changing the column itself.

    A whole number that came as a float (an integer column with gaps often does) has no ``.0``;
    NaN is an empty cell.

    Returns:
        A String expression, null where the cell is empty.
    """
    column = pl.col(name)
    if not dtype.is_float():
        return column.cast(pl.String, strict=False)

    number = column.fill_nan(None)
    whole = (number == number.floor()) & (number.abs() < _WHOLE_FLOATS_BELOW)
    return (
        pl.when(whole)
        .then(number.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(number.cast(pl.String))
    )


def look_up(
    key: pl.Expr, table: Mapping[Any, Any], dtype: pl.DataType | type[pl.DataType]
) -> pl.Expr:
    """Return the value of `table` for each key, null for a key that is not in it."""

    def values(keys: pl.Series) -> pl.Series:
        found = pl.Series(keys.name, [], dtype).extend_constant(None, keys.len())
        known = keys.is_not_null()
        if not known.any():
            return found

        looked_up = keys.drop_nulls().replace_strict(table, default=None, return_dtype=dtype)
        return looked_up if known.all() else found.scatter(known.arg_true(), looked_up)

    # By batches: for a bare replace_strict the streaming engine would gather the whole frame.
    return key.map_batches(values, return_dtype=dtype, is_elementwise=True)
