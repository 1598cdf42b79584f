"""How a list of messages is shown: a table to read, one JSON document, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from jobs import console
from pipeline.bandwidth.client import Filter
from pipeline.errors import UsageError
from pipeline.spelling import counted
from pipeline.tables import write_csv, write_parquet

#: How many rows a person is shown; a file has them all.
_SHOWN = 100
_WRITERS = {".csv": write_csv, ".parquet": write_parquet}


class Order(NamedTuple):
    """How rows are sorted."""

    field: str
    is_descending: bool


class Shown(NamedTuple):
    """Where a list goes."""

    #: A file instead of stdout.
    out: Path | None
    as_json: bool
    quiet: bool


def check_file(out: Path | None) -> None:
    """Check the name of the file that a list goes to.

    Raises:
        UsageError: its ending tells no kind of table.
    """
    if out is not None and out.suffix.lower() not in _WRITERS:
        raise UsageError(f"--out: '{out}' must end with .csv or .parquet")


def read_order(sort: Filter, columns: Mapping[str, object]) -> Order | None:
    """Read ``field:direction``.

    Raises:
        UsageError: there is no such field or direction.
    """
    if sort is None:
        return None

    field, _, direction = str(sort).partition(":")
    if field not in columns or direction not in {"asc", "desc"}:
        raise UsageError(
            "--sort: write a field and its direction, as sourceTn:desc; "
            f"fields: {', '.join(columns)}"
        )

    return Order(field, direction == "desc")


def arranged(frame: pl.DataFrame, order: Order | None, limit: Filter) -> pl.DataFrame:
    """Return the rows in order, and no more than `limit` of them."""
    if order is not None:
        frame = frame.sort(
            order.field, descending=order.is_descending, maintain_order=True, nulls_last=True
        )

    return frame.head(limit) if isinstance(limit, int) else frame


def show(
    frame: pl.DataFrame, columns: Mapping[str, str], shown: Shown, page: Mapping[str, Any]
) -> None:
    """Show a list.

    Args:
        frame: The messages.
        columns: Those that a person sees, with their headings.
        shown: Where it goes.
        page: Of a single page: how many there are in all, and the next one's token.

    Raises:
        UsageError: the file cannot be written.
    """
    about: dict[str, Any] = {"count": frame.height, **page}
    if shown.out is not None:
        _write(frame, shown.out)
        about["file"] = str(shown.out)

    if shown.as_json:
        rows = [] if shown.out else [_said(row) for row in frame.iter_rows(named=True)]
        console.print_json({**about, **({} if shown.out else {"messages": rows})})
    elif not shown.quiet:
        _print(frame, columns, about, is_written=shown.out is not None)


def _write(frame: pl.DataFrame, out: Path) -> None:
    try:
        _WRITERS[out.suffix.lower()](frame.lazy(), out)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from None


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """Return what was said of a message, as JSON has it."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, datetime)
        else msgspec.to_builtins(value)
        for name, value in row.items()
        if value is not None
    }


def _print(
    frame: pl.DataFrame, columns: Mapping[str, str], about: dict[str, Any], *, is_written: bool
) -> None:
    if not is_written and frame.height:
        rows = frame.head(_SHOWN).select(list(columns)).iter_rows(named=True)
        cells = [[console.printable(str(_said(row).get(name, ""))) for name in row] for row in rows]
        for line in _aligned([list(columns.values()), *cells]):
            console.paper.print(line, markup=False)

    more = "" if is_written or frame.height <= _SHOWN else f", {_SHOWN} of them shown"
    console.paper.print(f"{counted(frame.height, 'message')}{more}")
    for name in ("total", "next_page_token", "file"):
        if about.get(name) is not None:
            console.paper.print(f"{name.replace('_', ' ')}: {about[name]}", markup=False)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return lines as wide as they need to be: a number that is folded is no number."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
