"""All numbers of a cell, where a campaign asks for them: a row for each, right below one another.

    Ann, 919-555-0101 / 919-555-0102    ->    Ann, ..., file_row 1, file_number 919-555-0101
                                              Ann, ..., file_row 1, file_number 919-555-0102

Works before rows are numbered: whatever comes later knows only rows with one number. Without being
asked nobody adds rows, and the first valid number of a cell is used (see `mending`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count

import polars as pl

from pipeline.model import EXAMPLE_ROWS, Campaign, Columns, Finding
from pipeline.prepare import columns, phones
from pipeline.prepare.mending import MAYBE_SEVERAL, parts_of
from pipeline.prepare.readings import READING, number_of
from pipeline.prepare.recipients import find_named, find_phone_columns
from pipeline.prepare.unused import find_unused

#: The added columns of the user's side; each gets another name where the file has one so called.
FILE_ROW = "file_row"  #: Int64, 1-based data row of the recipient file
FILE_NUMBER = "file_number"  #: String, the number that the row is for, where its cell holds several

_NUMBERS, _LEFT, _ROWS, _PLACE, _COLUMN, _IS_PART = (
    columns.WORKING + name for name in ("numbers", "left", "rows", "place", "column", "is_part")
)
#: A cell, or one of the parts of a cell that holds several numbers.
_PARTS = {
    _PLACE: pl.UInt32,
    _COLUMN: pl.Int64,
    _IS_PART: pl.Boolean,
    phones.CELL: pl.String,
    phones.REGION: pl.String,
}
_SPLIT = pl.Struct({_NUMBERS: pl.List(pl.String), _LEFT: pl.Int64})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """Recipients with a row for each of their numbers."""

    #: The user's columns, repeated, then `FILE_ROW` and `FILE_NUMBER`.
    frame: pl.LazyFrame
    #: The roles, with `FILE_NUMBER` as the preferred phone column; where a column lists the
    #: recipients of a message, `FILE_ROW` tells the groups.
    roles: Columns
    #: How many rows were added, and what of a cell got none; their rows are those of the file.
    findings: tuple[Finding, ...]


def expand(recipients: pl.LazyFrame, *, roles: Columns, region: str, file: str) -> Expanded:
    """Give every valid number of a cell a row: of the first phone column that holds a valid one.

    Args:
        recipients: the user's columns; the phone columns are read once, in streaming mode.
        roles: which columns play a part.
        region: how numbers without a country code are read.
        file: names the recipients in an error.

    Raises:
        InputError: a column is missing or ambiguous.
    """
    schema = recipients.collect_schema()
    views = {
        name: columns.text_view(name, dtype)
        for name, dtype in schema.items()
        if columns.has_text(dtype)
    }
    phone = find_phone_columns(list(views), roles.phone, file=file)
    said = roles.region and views[find_named(roles.region, list(views), file=file)]
    cells = [views[name] for name in phone]
    if roles.recipients:  # a list: there a blank before a plus, and a tab, stand between numbers
        cells = [
            cell.str.replace_all(r"(\d)\s+\+", "${1};+").str.replace_all("\t", ";")
            for cell in cells
        ]

    split = _split_cells(cells, said, region)
    row, number = _free(FILE_ROW, schema), _free(FILE_NUMBER, schema)
    frame = (
        recipients.with_row_index(row, offset=1)
        .with_columns(pl.col(row).cast(pl.Int64), split.struct.field(_NUMBERS).alias(number))
        .select(*schema, row, number)
        .explode(number)
    )
    return Expanded(
        frame=frame,
        roles=replace(
            roles, phone=(number, *phone), group=row if roles.recipients else roles.group
        ),
        findings=tuple(_findings(recipients.select(split.alias(_NUMBERS)), row, number)),
    )


def rows_of(
    recipients: pl.LazyFrame, campaign: Campaign, *, file: str
) -> tuple[pl.LazyFrame, Campaign, tuple[Finding, ...]]:
    """Return the rows of a plan: the file's, or one for each number where all are asked for."""
    unused = tuple(find_unused(recipients.collect_schema().names(), campaign))
    if not (campaign.all_numbers or campaign.columns.recipients):
        return recipients, campaign, unused

    expanded = expand(recipients, roles=campaign.columns, region=campaign.region, file=file)
    campaign = replace(campaign, columns=expanded.roles)
    return expanded.frame, campaign, (*unused, *expanded.findings)


def _free(name: str, taken: Iterable[str]) -> str:
    names = chain([name], (f"{name}_{position}" for position in count(2)))
    folded = set(map(columns.fold, taken))
    return next(each for each in names if columns.fold(each) not in folded)


def _split_cells(phone: list[pl.Expr], said: pl.Expr | str | None, region: str) -> pl.Expr:
    """Return the numbers of each row, null unless there are several, and how many parts are none.

    By batches, because a cell is split in Python; only of rows where one may hold several numbers.
    """
    maybe = pl.any_horizontal(each.str.contains(MAYBE_SEVERAL) for each in phone)
    cells = [each.alias(f"{phones.CELL}_{position}") for position, each in enumerate(phone)]
    if isinstance(said, pl.Expr):
        cells.append(said.alias(phones.REGION))

    return (
        pl.when(maybe)
        .then(pl.struct(cells))
        .map_batches(partial(_split, region=region), return_dtype=_SPLIT, is_elementwise=True)
    )


def _split(rows: pl.Series, *, region: str) -> pl.Series:
    places = rows.is_not_null().arg_true()
    has_region = phones.REGION in rows.struct.fields
    parts = pl.DataFrame(list(_parts(rows.gather(places))), schema=_PARTS, orient="row")
    number, numbers = pl.col(columns.NUMBER), pl.col(_NUMBERS)
    first_column = pl.col(_COLUMN).filter(number.is_not_null()).min().over(_PLACE)
    found = (
        parts.lazy()
        .drop(() if has_region else phones.REGION)
        .pipe(phones.add_readings, region)
        .with_columns(number_of(pl.col(READING)).alias(columns.NUMBER))
        .filter(pl.col(_COLUMN) == first_column, _IS_PART)
        .group_by(_PLACE)
        .agg(
            pl.col(phones.CELL)
            .filter(number.is_not_null() & number.is_first_distinct())
            .alias(_NUMBERS),
            number.is_null().sum().cast(pl.Int64).alias(_LEFT),
        )
        .with_columns(pl.when(numbers.list.len() > 1).then(numbers))
        .collect()
    )
    nowhere = pl.Series([], dtype=pl.UInt32).extend_constant(None, rows.len())
    position = pl.int_range(found.height, dtype=pl.UInt32, eager=True)
    where = nowhere.scatter(places.gather(found[_PLACE]), position)
    return pl.DataFrame([found[name].gather(where) for name in (_NUMBERS, _LEFT)]).to_struct(
        rows.name
    )


def _parts(rows: pl.Series) -> Iterator[tuple[int, int, bool, str | None, str | None]]:
    """Yield the parts of each cell that holds several numbers, and each other cell as it is."""
    for place, row in enumerate(rows):
        region = row.pop(phones.REGION, None)
        for column, cell in enumerate(row.values()):
            parts = parts_of(cell or "")
            for part in parts or [cell]:
                yield place, column, bool(parts), part, region


def _findings(split: pl.LazyFrame, row: str, number: str) -> Iterator[Finding]:
    added = pl.col(_NUMBERS).list.len().cast(pl.Int64) - 1
    found = (
        split.unnest(_NUMBERS)
        .with_row_index(_ROWS, offset=1)
        .select(_ROWS, added.fill_null(0).alias(_NUMBERS), pl.col(_LEFT).fill_null(0))
        .filter((pl.col(_NUMBERS) > 0) | (pl.col(_LEFT) > 0))
        .collect(engine="streaming")
    )
    sentence = (
        "rows were added: their cells hold several phone numbers, and each gets a row, right below "
        f"the first; '{row}' says which row of the file it is, and '{number}' which number"
    )
    yield from _finding("numbers_added", sentence, found, _NUMBERS, is_repair=False)
    sentence = "parts of cells with several phone numbers are no valid number, and get no row"
    yield from _finding("numbers_left", sentence, found, _LEFT, is_repair=True)


def _finding(
    code: str, sentence: str, found: pl.DataFrame, column: str, *, is_repair: bool
) -> Iterator[Finding]:
    concerned = found.filter(pl.col(column) > 0)
    if not concerned.is_empty():
        yield Finding(
            code=code,
            sentence=sentence,
            count=int(concerned[column].sum()),
            rows=tuple(concerned[_ROWS].head(EXAMPLE_ROWS)),
            is_repair=is_repair,
        )
