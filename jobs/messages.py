"""bandcast messages: what the provider knows of the account's messages, and what people wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import anyio
import typer

from jobs import console, filters, listings, options
from pipeline.account import load_account
from pipeline.bandwidth.client import BandwidthClient, Filter, client_of
from pipeline.bandwidth.listing import WINDOW, Quota, messages_between
from pipeline.bandwidth.patience import asked_again
from pipeline.bandwidth.wire import ListItem
from pipeline.errors import SettingsError, UsageError
from pipeline.journal import Heard
from pipeline.journal.opening import find_journal
from pipeline.settle import heard, listed

_LISTED_COLUMNS = {
    "receiveTime": "taken",
    "messageId": "id",
    "sourceTn": "from",
    "destinationTn": "to",
    "messageType": "type",
    "messageStatus": "status",
    "segmentCount": "segments",
    "errorCode": "error",
}
_RECEIVED_COLUMNS = {
    "receiveTime": "written",
    "sourceTn": "from",
    "destinationTn": "to",
    "wish": "wish",
    "media": "media",
    "text": "text",
}
#: The filters that the journal can be asked for.
_OF_RECEIVED = {
    *("message_id", "source_tn", "destination_tn", "from_date_time", "to_date_time"),
    *("sort", "limit"),
}
#: Options of the listing that filter nothing.
_PAGING = frozenset({"page_token", "limit", "limit_total_count"})
_PAGE = 100
#: Of 14 days each: a tenth of what the provider allows in five minutes, and 13 years.
_MOST_WINDOWS = 350
_MILLISECOND = timedelta(milliseconds=1)


class Action(StrEnum):
    """What to do with the messages."""

    LIST = "list"
    RECEIVED = "received"


class _Listed(NamedTuple):
    items: list[ListItem]
    #: Of a single page: how many there are in all, and the next one's token.
    page: dict[str, Any]


@filters.with_filters
def run(
    action: Annotated[
        Action,
        typer.Argument(
            help="list: what the provider knows. received: what people wrote to us, and bandcast "
            "receive kept in the journal."
        ),
    ],
    campaign: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CAMPAIGN]",
            help="received: a campaign's file; the journal is the one beside it.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a FILE.csv or FILE.parquet instead.")
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """List messages: all that the provider took in the time, or so many; or what people wrote."""
    wanted, shown = filters.said(given), listings.Shown(out, as_json, quiet)
    listings.check_file(out)
    limit = wanted.get("limit")
    if isinstance(limit, int) and limit < 1:
        raise UsageError("--limit: must be at least 1")

    match action:
        case Action.LIST:
            if campaign is not None:
                raise UsageError("messages list: lists the account's messages, of no campaign")

            _list(wanted, shown)
        case Action.RECEIVED:
            _show_received(campaign, wanted, shown)


# --- What the provider knows ----------------------------------------------------------------------


def _list(wanted: dict[str, Filter], shown: listings.Shown) -> None:
    sort = wanted.pop("sort", None)
    if "page_token" in wanted and not set(wanted) - _PAGING:
        raise UsageError("--page-token: repeat the filters of the search that it came from")

    order = listings.read_order(sort, listed.SCHEMA)
    account = load_account(os.environ, sends=False)

    async def asking() -> _Listed:
        async with client_of(account) as client:
            if "page_token" in wanted:
                return await _one_page(client, wanted, sort)

            return await _everything(client, wanted, is_sorted=order is not None)

    found = anyio.run(asking)
    frame = listed.listed_frame(found.items)
    arranged = listings.arranged(frame, None if found.page else order, wanted.get("limit"))
    listings.show(arranged, _LISTED_COLUMNS, shown, found.page)
    _explain_nothing(arranged.height, wanted, shown)


def _explain_nothing(count: int, wanted: dict[str, Filter], shown: listings.Shown) -> None:
    asked = [wanted.get(name) for name in ("source_tn", "destination_tn")]
    numbers = [number for each in asked if isinstance(each, list) for number in each]
    if not count and not shown.quiet and any(number[:1].isdigit() for number in numbers):
        console.margin.print("phone numbers, and parts of them, begin with + as in +1919")


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
    end = min(end, datetime.now(UTC) + timedelta(days=1))  # nothing later is there yet
    start = wanted.get("from_date_time", end - WINDOW + _MILLISECOND)  # in one question
    assert isinstance(start, datetime)
    filters.check_stretch(start, end)
    if end - start > _MOST_WINDOWS * WINDOW:
        raise UsageError(
            f"--from-date-time: over {_MOST_WINDOWS} searches of 14 days: name a later one"
        )

    most = None if is_sorted else wanted.get("limit")
    items: list[ListItem] = []
    async for item in messages_between(client, start, end, quota=Quota(), **narrow):
        items.append(item)
        if len(items) == most:
            break

    return _Listed(items, {})


# --- What people wrote ----------------------------------------------------------------------------


def _show_received(campaign: Path | None, wanted: dict[str, Filter], shown: listings.Shown) -> None:
    if others := sorted(set(wanted) - _OF_RECEIVED):
        option = f"--{others[0].replace('_', '-')}"
        raise UsageError(f"messages received: {option} is for messages list")

    if campaign is not None and not campaign.is_file():
        raise SettingsError([f"there is no file '{campaign}', so no journal beside it"])

    start, end = wanted.get("from_date_time"), wanted.get("to_date_time")
    if isinstance(start, datetime) and isinstance(end, datetime):
        filters.check_stretch(start, end)

    order = listings.read_order(wanted.get("sort", "receiveTime:asc"), heard.SCHEMA)
    with _received(options.journal_url(campaign)) as messages:
        frame = heard.heard_frame(each for each in messages if _is_wanted(each, wanted))

    listings.show(
        listings.arranged(frame, order, wanted.get("limit")), _RECEIVED_COLUMNS, shown, {}
    )
    _explain_nothing(frame.height, wanted, shown)


@contextmanager
def _received(url: str) -> Iterator[Iterable[Heard]]:
    journal = find_journal(url)
    if journal is None:
        yield ()
        return

    with closing(journal):
        yield (each for page in journal.heard() for each in page)


def _is_wanted(message: Heard, wanted: dict[str, Filter]) -> bool:
    """Tell whether the filters let a message through, as the provider's would."""
    of_numbers = {"source_tn": message.sender, "destination_tn": message.to}
    for name, number in of_numbers.items():
        numbers = wanted.get(name)
        if isinstance(numbers, list) and not _is_among(number, numbers):
            return False

    start, end = wanted.get("from_date_time"), wanted.get("to_date_time")
    is_early = isinstance(start, datetime) and message.time < start
    is_late = isinstance(end, datetime) and message.time > end
    if is_early or is_late:
        return False

    return wanted.get("message_id") in {None, message.message_id}


def _is_among(number: str, numbers: list[str]) -> bool:
    return number.startswith(numbers[0]) if len(numbers) == 1 else number in numbers
