"""Pace: a clock that never jumps, slots in time, one pause for all."""

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from pipeline.dispatch.pace import COMMON_TROUBLE, PERMIT_LIFE_SECONDS, Pacer, SteadyClock
from pipeline.dispatch.retries import Patience
from pipeline.dispatch.stop import Stop, StopReason
from pipeline.dispatch.worker import FEWEST_LANES, MOST_LANES, lanes_needed
from pipeline.model import NotSent

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def clock_now():
    return SteadyClock(datetime.now(UTC))


def test_a_wall_clock_that_jumps_does_not_move_a_steady_clock():
    ticks = iter([100.0, 107.5])
    clock = SteadyClock(NOON, monotonic=lambda: next(ticks))
    assert clock() == NOON + timedelta(seconds=7.5)


@pytest.mark.parametrize(
    ("rate", "latency", "lanes"),
    [
        (5, 0.1, FEWEST_LANES),
        (50, 0.1, 7),
        (50, 1.0, 65),
        (2000, 0.1, 260),
        (2000, 1.0, MOST_LANES),
    ],
)
def test_lanes_follow_rate_times_latency(rate, latency, lanes):
    assert lanes_needed(rate, latency) == lanes


def test_a_slot_waits_for_its_moment():
    async def story():
        stop, clock = Stop(), clock_now()
        pacer = Pacer(100, clock=clock, stop=stop, patience=Patience())
        start_at = clock() + timedelta(seconds=0.12)
        assert await pacer.slot(start_at, 1)
        assert clock() >= start_at

    anyio.run(story)


def test_permits_that_come_due_together_leave_at_the_rate():
    """What a stalled event loop held back does not leave as one burst."""

    async def story():
        stop, clock, left = Stop(), clock_now(), []
        pacer = Pacer(100, clock=clock, stop=stop, patience=Patience())
        due = clock()

        async def lane():
            assert await pacer.slot(due, 1)
            left.append(time.monotonic())

        async with anyio.create_task_group() as lanes:
            for _ in range(40):
                lanes.start_soon(lane)

        in_100_ms = max(sum(1 for b in left if a <= b < a + 0.1) for a in left)
        assert in_100_ms <= 13
        assert max(left) - min(left) >= 0.36

    anyio.run(story)


def test_permits_leave_in_order_whatever_their_size():
    async def story():
        stop, clock, left = Stop(), clock_now(), []
        pacer = Pacer(500, clock=clock, stop=stop, patience=Patience())
        due = clock()

        async def lane(number, segments):
            await pacer.slot(due, segments)
            left.append(number)

        async with anyio.create_task_group() as lanes:
            for number in range(12):
                lanes.start_soon(lane, number, 1 + 7 * (number % 2))

        assert left == list(range(12))

    anyio.run(story)


def test_a_permit_of_a_process_that_froze_is_forfeited():
    async def story():
        stop, clock = Stop(), clock_now()
        pacer = Pacer(1000, clock=clock, stop=stop, patience=Patience())
        start_at = clock() + timedelta(seconds=0.05)

        async def freeze():
            time.sleep(PERMIT_LIFE_SECONDS + 0.15)  # noqa: ASYNC251 - the whole process stands still

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(freeze)
            assert not await pacer.slot(start_at, 1)

    anyio.run(story)


def test_a_stop_wakes_who_waits_for_a_far_slot():
    async def story():
        stop, clock = Stop(), clock_now()
        pacer = Pacer(100, clock=clock, stop=stop, patience=Patience())

        async def ask():
            await anyio.sleep(0.05)
            stop.request(StopReason.ASKED, "asked")

        with anyio.fail_after(2):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                assert not await pacer.slot(clock() + timedelta(seconds=60), 1)

    anyio.run(story)


def test_only_the_first_reason_to_stop_counts():
    async def story():
        stop = Stop()
        stop.request(StopReason.REFUSED, "first")
        stop.request(StopReason.ASKED, "second")
        assert (stop.reason, stop.because) == (StopReason.REFUSED, "first")

    anyio.run(story)


@pytest.mark.parametrize(
    ("outcome", "pauses"),
    [
        (NotSent(reason="429", http_status=429), True),
        (NotSent(reason="connect refused"), True),
        (NotSent(reason="500", http_status=500), False),
    ],
    ids=["full queue", "unreachable", "one message"],
)
def test_what_concerns_everybody_pauses_everybody(outcome, pauses):
    async def story():
        patience = Patience(first_pause_seconds=0.1)
        pacer = Pacer(100, clock=clock_now(), stop=Stop(), patience=patience)
        pacer.failed(outcome)
        began = time.monotonic()
        await pacer.opened()
        assert (time.monotonic() - began >= 0.1) is pauses

    anyio.run(story)


def test_the_provider_says_how_long():
    async def story():
        pacer = Pacer(100, clock=clock_now(), stop=Stop(), patience=Patience())
        pacer.failed(NotSent(reason="429", http_status=429, retry_after_seconds=0.2))
        began = time.monotonic()
        await pacer.opened()
        assert 0.2 <= time.monotonic() - began < 0.45

    anyio.run(story)


def test_trouble_of_many_messages_in_a_row_is_everybodys():
    async def story():
        pacer = Pacer(100, clock=clock_now(), stop=Stop(), patience=Patience())
        for _ in range(COMMON_TROUBLE):
            assert not pacer.is_in_trouble
            pacer.failed(NotSent(reason="500", http_status=500))

        assert pacer.is_in_trouble
        pacer.succeeded()
        assert not pacer.is_in_trouble

    anyio.run(story)
