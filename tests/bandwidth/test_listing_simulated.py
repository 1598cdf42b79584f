"""Listing everything meets the simulator: its reach of 10,000, its quota, its Retry-After."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from pipeline.bandwidth.listing import REACH, Quota, messages_between
from pipeline.model import Message
from pipeline.simulator import account_queue
from pipeline.simulator.clock import StoppedClock
from tests.bandwidth.door import Door, talk_in_process
from tests.bandwidth.samples import OURS
from tests.simulator.stage import NOON

HOUR = timedelta(hours=1)


def texted(number):
    to = f"+1{2120000000 + number}"
    return Message(row=1, key="k", to=(to,), sender=OURS, text="Hi", segments=1)


async def everything(client, quota=None, *, start=NOON - HOUR, end=NOON + 60 * HOUR, **filters):
    found = messages_between(client, start, end, quota=quota or Quota(), **filters)
    return [item async for item in found]


def test_more_than_a_search_reaches_is_listed_whole_once_and_in_order():
    count, door = REACH + 200, Door()

    async def send_and_list(client):
        async def send_some(first):
            for number in range(first, count, 8):
                await client.send(texted(number), tag="r.1.1")

        async with anyio.create_task_group() as lanes:
            for first in range(8):
                lanes.start_soon(send_some, first)

        now = datetime.now(UTC)
        return await everything(client, start=now - HOUR, end=now + HOUR)

    items = talk_in_process(door, send_and_list)

    assert len({item.message_id for item in items}) == len(items) == count
    assert items == sorted(items, key=lambda item: item.receive_time)
    assert {400, 429}.isdisjoint(door.statuses)


def test_filters_and_dates_mean_the_same_on_both_sides():
    clock = StoppedClock(NOON)

    async def send_and_list(client):
        for number in range(5):
            await client.send(texted(number), tag="r.1.1")
            clock.advance_to(3_600.0 * (number + 1))

        berlin = datetime.fromisoformat("2026-11-25T15:00:00+01:00")  # 14:00 in UTC
        late = await everything(client, start=berlin)
        one = await everything(client, destination_tn=["+12120000001", "+12120000003"])
        none = await everything(client, message_direction="INBOUND")
        return [[item.destination_tn[-1] for item in found] for found in (late, one, none)]

    assert talk_in_process(Door(clock=clock), send_and_list) == [list("234"), list("13"), []]


@pytest.fixture
def small_quota(monkeypatch):
    """The provider's quota in small: 4 requests a second."""
    monkeypatch.setattr(account_queue, "LISTING_REQUESTS", 4)
    monkeypatch.setattr(account_queue, "LISTING_SECONDS", 1)


async def list_often(client, quota):
    await client.send(texted(1), tag="r.1.1")
    now = datetime.now(UTC)
    return [len(await everything(client, quota, start=now - HOUR, end=now)) for _ in range(10)]


def test_the_quota_is_kept_before_the_provider_has_to_refuse(small_quota):
    door, quota = Door(), Quota(requests=4, seconds=1.1)

    assert talk_in_process(door, lambda client: list_often(client, quota)) == [1] * 10
    assert door.statuses == [202] + [200] * 10


def test_a_refusal_for_the_quota_is_waited_out_and_costs_no_message(small_quota):
    door, quota = Door(), Quota(requests=1_000)

    began = time.monotonic()
    assert talk_in_process(door, lambda client: list_often(client, quota)) == [1] * 10
    assert time.monotonic() - began >= 2
    assert 1 <= door.statuses.count(429) <= 3  # one for each wait, and none in haste
