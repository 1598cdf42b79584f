"""A stretch of time is listed whole, once and in order, within the provider's limits."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import repeat

import anyio
import pytest

from pipeline.bandwidth.connection import RequestFailed
from pipeline.bandwidth.listing import PAGE, REACH, Quota, messages_between
from pipeline.errors import CredentialsError
from tests.bandwidth.archive import Archive
from tests.bandwidth.provider import in_process, on_a_port, talk

START = datetime(2026, 11, 1, tzinfo=UTC)
MILLISECOND, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)


def listed(archive, start=START, end=START + timedelta(days=1), carrier=in_process, **filters):
    """The ids, in order."""

    async def collect(client):
        found = messages_between(client, start, end, quota=Quota(), **filters)
        return [item.message_id async for item in found]

    return talk(carrier, archive, collect)


def ids(archive):
    order = sorted(range(len(archive.moments)), key=lambda number: archive.moments[number])
    return [f"m{number}" for number in order]


@pytest.mark.parametrize("is_end_included", [True, False], ids=["closed", "half-open"])
@pytest.mark.parametrize(
    ("count", "apart"),
    [
        pytest.param(0, MILLISECOND, id="none"),
        pytest.param(1, MILLISECOND, id="one"),
        pytest.param(PAGE * 2, timedelta(seconds=1), id="pages"),
        pytest.param(REACH, timedelta(seconds=1), id="as many as a search reaches"),
        pytest.param(25_000, timedelta(seconds=2), id="more than a search reaches"),
        pytest.param(12_000, MILLISECOND, id="a burst"),
        pytest.param(12_000, timedelta(microseconds=300), id="several a millisecond"),
    ],
)
def test_every_message_is_told_once_and_the_oldest_first(count, apart, is_end_included):
    moments = [_whole(START + number * apart) for number in range(count)]
    archive = Archive(moments, is_end_included=is_end_included)

    found = listed(archive)

    assert sorted(found) == sorted(ids(archive))
    at = dict(zip((item["messageId"] for item in archive.items), moments, strict=True))
    assert [at[each] for each in found] == sorted(moments)


def _whole(moment):
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_the_first_and_the_last_moment_belong_to_the_stretch():
    end = START + timedelta(hours=1)
    archive = Archive([START - MILLISECOND, START, end, end + 2 * MILLISECOND])

    assert listed(archive, START, end) == ["m1", "m2"]


def test_a_longer_time_is_searched_in_windows_of_14_days():
    moments = [START + timedelta(days=day, hours=5) for day in range(60)]
    archive = Archive(moments)

    assert listed(archive, START, START + timedelta(days=60)) == ids(archive)
    assert len(archive.queries) == 5


def test_more_in_a_millisecond_than_can_be_had_is_said_and_not_left_out():
    archive = Archive([START] * (REACH + 1))

    with pytest.raises(RequestFailed, match="in one millisecond"):
        listed(archive)


def test_a_stretch_that_fills_up_while_it_is_read_is_begun_anew_and_told_once():
    """What becomes visible late may bring the last pages out of the search's reach."""
    archive = Archive([START + number * SECOND for number in range(PAGE * 8)])
    archive.late = {6: [START + number * SECOND for number in range(PAGE * 5)]}

    found = listed(archive)

    assert len(found) == len(set(found)) == PAGE * 13


def test_a_page_token_that_is_refused_costs_no_message_and_tells_none_twice():
    """Nobody says how long a token lives, and a wait that the provider asks for may be long."""
    archive = Archive([START + number * SECOND for number in range(PAGE * 4)])
    archive.refused_tokens = iter([False, True])

    assert listed(archive) == ids(archive)
    assert len(archive.queries) == 3 + 4


def test_a_page_that_is_always_refused_ends_the_listing():
    archive = Archive([START + number * SECOND for number in range(PAGE * 4)])
    archive.refused_tokens = repeat(True)

    with pytest.raises(RequestFailed, match="HTTP 400"):
        listed(archive)


def test_filters_go_with_every_question():
    archive = Archive([START + number * MILLISECOND for number in range(PAGE * 2)])

    listed(archive, source_tn="+19195550100", carrier_name="AT&T")

    assert len(archive.queries) == 2
    for query in archive.queries:
        assert (query["sourceTn"], query["carrierName"]) == ("+19195550100", "AT&T")


@pytest.mark.parametrize("status", [429, 500, 502])
def test_what_may_pass_is_asked_again_after_the_wait_that_is_asked_for(status):
    archive = Archive([START])
    archive.refusals = [(status, {"Retry-After": "1"}), (status, {})]

    began = time.monotonic()
    assert listed(archive) == ["m0"]
    assert time.monotonic() - began >= 1
    assert len(archive.queries) == 3


def test_it_does_not_ask_for_ever():
    archive = Archive([START])
    archive.refusals = [(503, {})] * 100

    with pytest.raises(RequestFailed, match="HTTP 503 trouble"):
        listed(archive)

    assert len(archive.queries) == 6


@pytest.mark.parametrize(
    ("status", "error"), [(400, RequestFailed), (404, RequestFailed), (403, CredentialsError)]
)
def test_what_will_not_pass_is_asked_once(status, error):
    archive = Archive([START])
    archive.refusals = [(status, {})]

    with pytest.raises(error):
        listed(archive)

    assert len(archive.queries) == 1


def test_a_port_lists_as_a_process_does():
    archive = Archive([START + number * timedelta(seconds=2) for number in range(12_000)])

    assert listed(archive, carrier=on_a_port) == ids(archive)


def test_the_limit_of_requests_is_kept_before_the_provider_refuses():
    """No more than the quota in any span of its length, by a log of when requests left."""

    async def burst():
        quota, left = Quota(requests=5, seconds=0.3), []
        for _ in range(17):
            await quota.slot()
            left.append(time.monotonic())

        return left

    left = anyio.run(burst)
    assert all(later - earlier >= 0.299 for earlier, later in zip(left, left[5:], strict=False))
    assert left[4] - left[0] < 0.25


def test_the_quota_is_that_of_the_provider():
    quota = Quota()

    async def fill():
        for _ in range(3_500):
            await quota.slot()

        with anyio.move_on_after(0.2) as more:
            await quota.slot()

        return more.cancelled_caught

    assert anyio.run(fill)
