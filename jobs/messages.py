"""bandcast messages: what the provider knows about the account's messages."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import anyio
import msgspec
import polars as pl
import typer

from jobs import console, filters, options
from pipeline.account import load_account
from pipeline.bandwidth.client import BandwidthClient, Filter, client_of
from pipeline.bandwidth.listing import WINDOW, Quota, messages_between
from pipeline.bandwidth.patience import asked_again
from pipeline.bandwidth.wire import ListItem
from pipeline.errors import UsageError
from pipeline.settle.listed import SCHEMA, listed_frame
from pipeline.tables import write_csv, write_parquet

#: How many rows a person is shown; a file has them all.
_SHOWN = 100
_SHOWN_COLUMNS = {
    "receiveTime": "taken",
    "messageId": "id",
    "sourceTn": "from",
    "destinationTn": "to",
    "messageType": "type",
    "messageStatus": "status",
    "segmentCount": "segments",
    "errorCode": "error",
}
_PAGE = 100
_MILLISECOND = timedelta(milliseconds=1)
_WRITERS = {".csv": write_csv, ".parquet": write_parquet}


class Action(StrEnum):
    """What to do with the messages."""

    LIST = "list"


class _Listed(NamedTuple):
    items: list[ListItem]
    #: Of a single page: how many there are in all, and the next one's token.
    page: dict[str, Any]


@filters.with_filters
def run(
    action: Annotated[Action, typer.Argument(help="list.")],  # noqa: ARG001 - there is one
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a FILE.csv or FILE.parquet instead.")
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """List the account's messages: all that were taken in the time, or so many of them."""
    wanted = filters.said(given)
    order, limit = _order(wanted.pop("sort", None)), wanted.get("limit")
    if out is not None and out.suffix.lower() not in _WRITERS:
        raise UsageError(f"--out: '{out}' must end with .csv or .parquet")

    if isinstance(limit, int) and limit < 1:
        raise UsageError("--limit: must be at least 1")

    account = load_account(os.environ, sends=False)

    async def asking() -> _Listed:
        async with client_of(account) as client:
            if "page_token" in wanted:
                return await _one_page(client, wanted, given["sort"])

            return await _everything(client, wanted, is_sorted=order is not None)

    found = anyio.run(asking)
    _show(_arranged(found, order, limit), found.page, out, as_json=as_json, quiet=quiet)


def _order(sort: Filter) -> tuple[str, bool] | None:
    """Read ``field:direction``; True is descending."""
    if sort is None:
        return None

    field, _, direction = str(sort).partition(":")
    if field not in SCHEMA or direction not in {"asc", "desc"}:
        raise UsageError(
            "--sort: write a field and its direction, as sourceTn:desc; "
            f"fields: {', '.join(SCHEMA)}"
        )

    return field, direction == "desc"


async def _one_page(client: BandwidthClient, wanted: dict[str, Filter], sort: Filter) -> _Listed:
    asked = {"limit": _PAGE, **wanted, "sort": sort}
    page = await asked_again(lambda: client.list_messages(**asked))
    return _Listed(
        page.messages,
        {"total": page.total_count, "next_page_token": page.page_info.next_page_token},
    )


async def _everything(
    client: BandwidthClient, wanted: dict[str, Filter], *, is_sorted: bool
) -> _Listed:
    narrow = {
        name: value
        for name, value in wanted.items()
        if name not in ("from_date_time", "to_date_time", "limit", "limit_total_count")
    }
    end = wanted.get("to_date_time", datetime.now(UTC))
    assert isinstance(end, datetime)
    start = wanted.get("from_date_time", end - WINDOW + _MILLISECOND)  # in one question
    assert isinstance(start, datetime)
    if start > end:
        raise UsageError("--from-date-time: lies after the end of the time that is searched")

    most = None if is_sorted else wanted.get("limit")
    items: list[ListItem] = []
    async for item in messages_between(client, start, end, quota=Quota(), **narrow):
        items.append(item)
        if len(items) == most:
            break

    return _Listed(items, {})


def _arranged(found: _Listed, order: tuple[str, bool] | None, limit: Filter) -> pl.DataFrame:
    frame = listed_frame(found.items)
    if order is not None and not found.page:
        field, descending = order
        frame = frame.sort(field, descending=descending, maintain_order=True, nulls_last=True)

    return frame.head(limit) if isinstance(limit, int) else frame


def _show(
    frame: pl.DataFrame,
    page: dict[str, Any],
    out: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    about: dict[str, Any] = {"count": frame.height, **page}
    if out is not None:
        try:
            _WRITERS[out.suffix.lower()](frame.lazy(), out)
        except OSError as error:
            raise UsageError(f"{out}: cannot be written: {error.strerror}") from None

        about["file"] = str(out)

    if as_json:
        rows = [] if out else [_said(row) for row in frame.iter_rows(named=True)]
        console.print_json({**about, **({} if out else {"messages": rows})})
    elif not quiet:
        _print(frame, about, is_written=out is not None)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the provider said of a message, as JSON has it."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, datetime)
        else msgspec.to_builtins(value)
        for name, value in row.items()
        if value is not None
    }


def _print(frame: pl.DataFrame, about: dict[str, Any], *, is_written: bool) -> None:
    if not is_written and frame.height:
        rows = frame.head(_SHOWN).select(list(_SHOWN_COLUMNS)).iter_rows(named=True)
        cells = [[str(_said(row).get(name, "")) for name in row] for row in rows]
        for line in _aligned([list(_SHOWN_COLUMNS.values()), *cells]):
            console.paper.print(console.printable(line), markup=False)

    more = "" if is_written or frame.height <= _SHOWN else f", {_SHOWN} of them shown"
    console.paper.print(f"{frame.height:,} messages{more}")
    for name in ("total", "next_page_token", "file"):
        if about.get(name) is not None:
            console.paper.print(f"{name.replace('_', ' ')}: {about[name]}", markup=False)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return lines as wide as they need to be: a number that is folded is no number."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
