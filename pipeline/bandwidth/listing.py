"""Everything that the listing knows about a stretch of time, however much that is.

14 days at most a question       longer stretches are cut into windows
10,000 messages at most a search a fuller stretch is halved until each half fits
3,500 requests in 5 minutes      `Quota` waits before the provider has to refuse
429, 5xx, no answer              asked again, after the wait that the provider asks for
a page token that is refused     its stretch is begun anew; what was told is not told again
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

import anyio

from pipeline.bandwidth.client import BandwidthClient, Filter
from pipeline.bandwidth.connection import RequestFailed
from pipeline.bandwidth.patience import asked_again
from pipeline.bandwidth.wire import ListItem, MessagesPage

#: How wide a date range the provider searches (API reference, listMessages).
WINDOW = timedelta(days=14)
#: How far pages reach: `limit` and what lies before the page, together.
REACH = 10_000
PAGE = 1_000
#: A stretch with more is halved; the rest of the reach is for what arrives while it is read.
_FULL = REACH - PAGE

_MILLISECOND = timedelta(milliseconds=1)
_BAD_REQUEST = 400

_Identities = set[tuple[str, str | None]]


class Quota:
    """The provider's limit on listings from one address: so many requests in any so many seconds.

    Two seconds are kept in hand for what requests spend on their way.
    """

    def __init__(self, requests: int = 3_500, seconds: float = 302.0) -> None:
        self._seconds = seconds
        self._asked: deque[float] = deque(maxlen=requests)

    async def slot(self) -> None:
        """Wait until one more request may leave."""
        while len(self._asked) == self._asked.maxlen:
            wait = self._asked[0] + self._seconds - time.monotonic()
            if wait <= 0:
                break

            await anyio.sleep(wait)

        self._asked.append(time.monotonic())


async def messages_between(
    client: BandwidthClient,
    start: datetime,
    end: datetime,
    *,
    quota: Quota,
    **filters: Filter,
) -> AsyncIterator[ListItem]:
    """Yield every listed message that the provider took between two moments, the oldest first.

    Each is told once: an entry a recipient, for a group message. What becomes visible late, or
    changes so that another `filters` would find it, may be missed: absence proves nothing.

    Args:
        client: Asks; nothing is sent.
        start: Aware; the millisecond it lies in belongs to the stretch.
        end: Aware; likewise.
        quota: Shared by everything that lists from this address.
        filters: As `BandwidthClient.list_messages` takes them, without dates, sort and paging.

    Raises:
        CredentialsError: the provider does not know us, or does not allow it.
        RequestFailed: a page did not come, not even after `patience.TRIES`; or more than 10,000
            messages came in one millisecond.
    """
    ask = partial(_ask, client, quota, filters)
    stretches, told = list(_windows(start, end)), _Told()
    while stretches:
        begin, until = stretches.pop()
        page = await ask(begin, until)
        if page.total_count > _FULL and (middle := _middle(begin, until)):
            stretches += [(middle, until), (begin, middle)]
            continue

        _refuse_too_many(page)
        try:
            async for item in _items(page, partial(ask, begin, until)):
                if told.is_news(item, until):
                    yield item
        except RequestFailed as error:  # a token that is over, or a page out of reach by now
            if error.http_status != _BAD_REQUEST or not told.begin_anew():
                raise

            stretches.append((begin, until))
        else:
            told.go_on()


class _Told:
    """Which messages were told and may be listed again.

    Neighbouring stretches are both searched at the moment between them, and a stretch whose next
    page is refused is read anew.
    """

    def __init__(self) -> None:
        self._before, self._here, self._edge = _Identities(), _Identities(), _Identities()
        self._anew = _Identities()

    def is_news(self, item: ListItem, until: datetime) -> bool:
        identity = (item.message_id, item.destination_tn)
        if item.receive_time is None or item.receive_time >= until - _MILLISECOND:
            self._edge.add(identity)

        if identity in self._before or identity in self._here:
            return False

        self._here.add(identity)
        return True

    def begin_anew(self) -> bool:
        """Tell whether reading the same stretch again may get further than the last time."""
        has_news = bool(self._here)
        self._anew |= self._here
        self._before |= self._here
        self._here, self._edge = _Identities(), _Identities()
        return has_news

    def go_on(self) -> None:
        self._before = self._edge | self._anew
        self._here, self._edge = _Identities(), _Identities()


async def _items(
    page: MessagesPage, ask: Callable[[str], Awaitable[MessagesPage]]
) -> AsyncIterator[ListItem]:
    while True:
        for item in page.messages:
            yield item

        token = page.page_info.next_page_token
        if not token:
            return

        page = await ask(token)


async def _ask(
    client: BandwidthClient,
    quota: Quota,
    filters: dict[str, Filter],
    begin: datetime,
    until: datetime,
    token: str | None = None,
) -> MessagesPage:
    async def once() -> MessagesPage:
        await quota.slot()
        return await client.list_messages(
            **filters,
            from_date_time=begin,
            to_date_time=until,
            sort="receiveTime:asc",
            limit=PAGE,
            page_token=token,
        )

    return await asked_again(once)


def _windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a stretch into windows, the latest first; neighbours share the moment between them."""
    start, end = _floor(start), _floor(end) + _MILLISECOND
    while end - start > WINDOW:
        yield end - WINDOW, end
        end -= WINDOW

    if start < end:
        yield start, end


def _middle(begin: datetime, until: datetime) -> datetime | None:
    middle = _floor(begin + (until - begin) / 2)
    return middle if begin < middle else None


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _refuse_too_many(page: MessagesPage) -> None:
    if page.total_count > REACH:
        raise RequestFailed(
            "messages cannot be listed: more than 10,000 came in one millisecond; search for fewer "
            "with another filter, such as part of the recipient's number",
            http_status=400,
        )
