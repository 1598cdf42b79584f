"""GET messages: reads the query, picks the entries, cuts the page.

Limits and page tokens follow Bandwidth's listMessages page; unsorted, entries stand in order of
arrival. What each filter means is in `filters`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.datastructures import URL, QueryParams

from pipeline.bandwidth.wire import ListItem, MessagesPage, PageInfo
from pipeline.simulator.book import Book, Entry
from pipeline.simulator.filters import BadQuery, Test, boolean, numbers, read_filter, whole

MAX_REACH = 10_000  #: `limit` and what lies before the page, together

_PAGING = frozenset({"sort", "limit", "pageToken", "limitTotalCount"})
_SORTABLE = {field.encode_name: field.name for field in msgspec.structs.fields(ListItem)}
_TOKEN = re.compile(r"after:(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSizes:
    """How many items a page of the listing has.

    Raises:
        ValueError: none, or more than a search reaches.
    """

    #: Where no `limit` is asked for; older documents say 50.
    usual: int = 100
    #: What may be asked for; older documents say 1,000.
    most: int = MAX_REACH

    def __post_init__(self) -> None:
        if not 1 <= self.usual <= self.most <= MAX_REACH:
            raise ValueError(f"a page has 1 to {MAX_REACH} items, and usually no more than at most")


def read_page(
    book: Book, url: URL, *, is_visible: Test, now: float, sizes: PageSizes
) -> MessagesPage:
    """Answer the query of `url`; `now` is by the clock.

    Raises:
        BadQuery: no filter, an unknown one, or a value that cannot be read.
    """
    query = QueryParams(url.query)
    wanted = [is_visible, *_tests(query, now)]
    limit, after = _limit(query, sizes), _after(query)
    if limit + after > MAX_REACH:
        raise BadQuery(f"the sum of limit and after cannot be more than {MAX_REACH}")

    entries = [entry for entry in _candidates(book, query) if all(test(entry) for test in wanted)]
    items = _items(entries, query, slice(after, after + limit), now)
    total = len(entries)
    capped = boolean("limitTotalCount", query.get("limitTotalCount", "false"))
    return MessagesPage(
        total_count=min(total, MAX_REACH) if capped else total,
        page_info=_page_info(url, after=after, limit=limit, total=total),
        messages=items,
    )


def _tests(query: Mapping[str, str], now: float) -> list[Test]:
    filters = [(name, value) for name, value in query.items() if name not in _PAGING]
    if not filters:
        raise BadQuery("at least one search parameter is required")

    return [read_filter(name, value, now) for name, value in filters]


def _candidates(book: Book, query: Mapping[str, str]) -> list[Entry]:
    if "destinationTn" not in query:
        return book.entries()

    wanted = numbers("destinationTn", query["destinationTn"])
    if len(wanted) == 1:
        wanted = book.handsets_beginning(wanted[0])

    return book.entries_to(wanted)


# --- Pages ----------------------------------------------------------------------------------------


def _items(
    entries: list[Entry], query: Mapping[str, str], page: slice, now: float
) -> list[ListItem]:
    if "sort" not in query:
        return [entry.item(now) for entry in entries[page]]

    field, _, direction = query["sort"].partition(":")
    if field not in _SORTABLE or direction not in {"asc", "desc"}:
        raise BadQuery("'sort' must be a field and its direction, as in 'sourceTn:desc'")

    items = [entry.item(now) for entry in entries]
    return sorted(
        items,
        key=lambda item: ((value := getattr(item, _SORTABLE[field])) is not None, value),
        reverse=direction == "desc",
    )[page]


def _page_info(url: URL, *, after: int, limit: int, total: int) -> PageInfo:
    info = PageInfo()
    if after > 0:
        info.prev_page_token = _token(max(after - limit, 0))
        info.prev_page = str(url.include_query_params(pageToken=info.prev_page_token))

    if after + limit < total:
        info.next_page_token = _token(after + limit)
        info.next_page = str(url.include_query_params(pageToken=info.next_page_token))

    return info


def _limit(query: Mapping[str, str], sizes: PageSizes) -> int:
    limit = whole("limit", query.get("limit", str(sizes.usual)))
    if limit < 1:
        raise BadQuery("'limit' must be at least 1")

    if sizes.most < limit <= MAX_REACH:
        raise BadQuery(f"'limit' must be at most {sizes.most}")

    return limit


def _after(query: Mapping[str, str]) -> int:
    if "pageToken" not in query:
        return 0

    try:
        written = base64.b64decode(query["pageToken"], altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        written = ""

    token = _TOKEN.fullmatch(written)
    if token is None:
        raise BadQuery("'pageToken' is none that was given out")

    return int(token[1])


def _token(after: int) -> str:
    return base64.urlsafe_b64encode(f"after:{after}".encode()).decode()
