"""GET messages: reads the query, picks the entries, cuts the page.

Filters, limits and page tokens follow Bandwidth's listMessages page; unsorted, entries stand in
order of arrival. Documented filters on what no simulated message has (carrier, campaign, latency)
are refused rather than ignored.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from starlette.datastructures import URL, QueryParams

from pipeline.bandwidth.wire import ListItem, MessagesPage, PageInfo
from pipeline.simulator.book import Book, Entry

DEFAULT_LIMIT = 100
MAX_REACH = 10_000  #: `limit` and what lies before the page, together
MAX_NUMBERS = 10  #: in one comma list
MIN_PARTIAL_CHARACTERS = 5

Test = Callable[[Entry], bool]

_MILLISECOND_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)", re.ASCII)
_SORTABLE = {field.encode_name: field.name for field in msgspec.structs.fields(ListItem)}
_WORDS = {
    "messageStatus": {
        *("RECEIVED", "QUEUED", "SENDING", "SENT"),
        *("FAILED", "DELIVERED", "ACCEPTED", "UNDELIVERED"),
    },
    "messageDirection": {"INBOUND", "OUTBOUND"},
    "messageType": {"sms", "mms", "rcs"},
}


class BadQuery(ValueError):
    """A query that is answered with 400; says why."""


def read_page(book: Book, url: URL, *, is_visible: Test, now: float) -> MessagesPage:
    """Answer the query of `url`; `now` is by the clock.

    Raises:
        BadQuery: no filter, an unknown one, or a value that cannot be read.
    """
    query = QueryParams(url.query)
    tests = [is_visible, *_tests(query, now)]
    limit, after = _limit(query), _after(query)
    if limit + after > MAX_REACH:
        raise BadQuery(f"the sum of limit and after cannot be more than {MAX_REACH}")

    entries = [entry for entry in _candidates(book, query) if all(test(entry) for test in tests)]
    items = _items(entries, query, slice(after, after + limit), now)
    total = len(entries)
    return MessagesPage(
        total_count=min(total, MAX_REACH) if query.get("limitTotalCount") == "true" else total,
        page_info=_page_info(url, after=after, limit=limit, total=total),
        messages=items,
    )


# --- Filters --------------------------------------------------------------------------------------


def _tests(query: Mapping[str, str], now: float) -> list[Test]:
    filters = [(name, value) for name, value in query.items() if name not in _PAGING]
    if not filters:
        raise BadQuery("at least one search parameter is required")

    for name, _ in filters:
        if name not in _FILTERS:
            raise BadQuery(f"the simulator has no filter '{name}'")

    return [_FILTERS[name](name, value, now) for name, value in filters]


def _message_id(_name: str, value: str, _now: float) -> Test:
    return lambda entry: entry.text.message_id == value


def _source(name: str, value: str, _now: float) -> Test:
    numbers = _numbers(name, value)
    if len(numbers) == 1:
        return lambda entry: entry.text.sender.startswith(numbers[0])

    return lambda entry: entry.text.sender in numbers


def _destination(name: str, value: str, _now: float) -> Test:
    _numbers(name, value)
    return lambda _entry: True  # the book was only opened at these numbers


def _status(name: str, value: str, now: float) -> Test:
    word = _word(name, value)
    return lambda entry: entry.status(now) == word


def _direction(name: str, value: str, _now: float) -> Test:
    word = _word(name, value)
    return lambda entry: entry.direction == word


def _type(name: str, value: str, _now: float) -> Test:
    word = _word(name, value)
    return lambda entry: entry.channel == word


def _error_code(name: str, value: str, now: float) -> Test:
    code = _whole(name, value)
    return lambda entry: entry.known_error(now) == code


def _from_time(name: str, value: str, _now: float) -> Test:
    moment = _moment(name, value)
    return lambda entry: entry.received_at >= moment


def _to_time(name: str, value: str, _now: float) -> Test:
    moment = _moment(name, value)
    return lambda entry: entry.received_at <= moment


def _from_segments(name: str, value: str, _now: float) -> Test:
    least = _whole(name, value)
    return lambda entry: entry.text.segments >= least


def _to_segments(name: str, value: str, _now: float) -> Test:
    most = _whole(name, value)
    return lambda entry: entry.text.segments <= most


_PAGING = frozenset({"sort", "limit", "pageToken", "limitTotalCount"})
_FILTERS: dict[str, Callable[[str, str, float], Test]] = {
    "messageId": _message_id,
    "sourceTn": _source,
    "destinationTn": _destination,
    "messageStatus": _status,
    "messageDirection": _direction,
    "messageType": _type,
    "errorCode": _error_code,
    "fromDateTime": _from_time,
    "toDateTime": _to_time,
    "fromSegmentCount": _from_segments,
    "toSegmentCount": _to_segments,
}


def _candidates(book: Book, query: Mapping[str, str]) -> list[Entry]:
    if "destinationTn" not in query:
        return book.entries()

    numbers = _numbers("destinationTn", query["destinationTn"])
    if len(numbers) == 1:
        numbers = book.handsets_beginning(numbers[0])

    return book.entries_to(numbers)


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


def _limit(query: Mapping[str, str]) -> int:
    limit = _whole("limit", query.get("limit", str(DEFAULT_LIMIT)))
    if limit < 1:
        raise BadQuery("'limit' must be at least 1")

    return limit


def _after(query: Mapping[str, str]) -> int:
    if "pageToken" not in query:
        return 0

    try:
        return int(
            base64.urlsafe_b64decode(query["pageToken"]).decode("ascii").removeprefix("after:")
        )
    except (binascii.Error, ValueError):
        raise BadQuery("'pageToken' is none that was given out") from None


def _token(after: int) -> str:
    return base64.urlsafe_b64encode(f"after:{after}".encode()).decode()


# --- Values ---------------------------------------------------------------------------------------


def _numbers(name: str, value: str) -> list[str]:
    numbers = value.split(",")
    if len(numbers) > MAX_NUMBERS:
        raise BadQuery(f"'{name}' can have at most {MAX_NUMBERS} telephone numbers")

    if len(numbers) == 1 and len(value) < MIN_PARTIAL_CHARACTERS:
        raise BadQuery(f"'{name}' must be at least {MIN_PARTIAL_CHARACTERS} characters")

    return numbers


def _word(name: str, value: str) -> str:
    if value not in _WORDS[name]:
        raise BadQuery(f"'{name}' must be one of {', '.join(sorted(_WORDS[name]))}")

    return value


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise BadQuery(f"'{name}' must be a whole number")

    return int(value)


def _moment(name: str, value: str) -> datetime:
    if not _MILLISECOND_TIME.fullmatch(value):
        raise BadQuery(
            f"'{name}' must be a date and time with milliseconds, such as 2024-01-01T00:00:00.000Z"
        )

    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise BadQuery(f"'{name}' is no date and time") from None
