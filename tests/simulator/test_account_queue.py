import itertools
import math
import random

import pytest

from pipeline.simulator.account_queue import (
    LISTING_REQUESTS,
    LISTING_SECONDS,
    AccountQueue,
    ListingLimit,
    Waiting,
)


class Line:
    """A queue, and what happened in it: (what, name, when)."""

    def __init__(self, rate, **options):
        self.queue = AccountQueue(rate, **options)
        self.happened = []

    def offer(self, name, segments=1, *, now, **options):
        message = Waiting(
            segments=segments,
            leave=lambda at: self.happened.append(("left", name, pytest.approx(at))),
            expire=lambda at: self.happened.append(("expired", name, pytest.approx(at))),
            **options,
        )
        return self.queue.offer(message, now=now)


def test_the_queue_drains_at_the_rate_in_segments():
    line = Line(10.0)
    for name, segments in (("a", 1), ("b", 3), ("c", 1)):
        line.offer(name, segments, now=100.0)

    assert line.queue.settle(100.2) == pytest.approx(100.4)
    assert line.happened == [("left", "a", 100.0), ("left", "b", 100.1)]
    line.queue.settle(101.0)
    assert line.happened[2:] == [("left", "c", 100.4)]


def test_an_idle_queue_saves_nothing_up():
    line = Line(10.0)
    line.offer("a", now=0.0)
    line.offer("b", now=50.0)
    line.offer("c", now=50.0)
    line.queue.settle(60.0)
    assert line.happened == [("left", "a", 0.0), ("left", "b", 50.0), ("left", "c", 50.1)]


def test_the_queue_holds_fifteen_minutes_and_takes_more_as_it_drains():
    line = Line(1.0)
    assert [line.offer(n, now=0.0) for n in range(901)] == [True] * 900 + [False]
    assert not line.offer("early", now=0.5)
    assert line.offer("late", now=1.0)
    line.queue.settle(2_000.0)
    assert line.happened[-1] == ("left", "late", 900.0)


def test_a_message_of_several_segments_must_fit_whole():
    line = Line(1.0, depth_seconds=10)
    assert line.offer("a", 8, now=0.0)
    assert not line.offer("b", 3, now=0.0)
    assert line.offer("c", 2, now=0.0)


def test_an_account_without_a_rate_never_fills():
    line = Line(None)
    assert all(line.offer(n, 31, now=5.0) for n in range(10_000))
    assert all(at == 5.0 for *_, at in line.happened)


def test_high_priority_overtakes_what_waits_and_counts_all_the_same():
    line = Line(1.0, depth_seconds=4)
    line.offer("first", now=0.0)
    line.offer("waits", now=0.0)
    assert line.offer("high", now=0.0, is_high=True)
    assert line.offer("higher", now=0.0, is_high=True)
    assert not line.offer("too many", now=0.0, is_high=True)
    assert line.queue.settle(10.0) == float("inf")
    assert [name for _, name, _ in line.happened] == ["first", "high", "higher", "waits"]
    assert line.happened[-1] == ("left", "waits", 3.0)


def test_what_expires_in_the_queue_does_not_leave_and_makes_room():
    line = Line(1.0, depth_seconds=3)
    line.offer("first", now=0.0)
    line.offer("brief", now=0.0, expires_at=0.5)
    line.offer("last", now=0.0)
    assert not line.offer("no room", now=0.25)
    assert line.queue.settle(0.25) == 0.5
    assert line.offer("room", now=0.75)
    line.queue.settle(10.0)
    assert line.happened == [
        ("left", "first", 0.0),
        ("expired", "brief", 0.5),
        ("left", "last", 1.0),
        ("left", "room", 2.0),
    ]


def test_high_priority_may_delay_another_beyond_its_expiration():
    line = Line(1.0)
    line.offer("first", now=0.0)
    line.offer("brief", now=0.0, expires_at=1.5)
    line.offer("high", now=0.0, is_high=True)
    line.queue.settle(10.0)
    assert line.happened[1:] == [("left", "high", 1.0), ("expired", "brief", 1.5)]


def test_what_left_in_time_does_not_expire():
    line = Line(1.0)
    line.offer("in time", now=0.0, expires_at=1.0)
    line.queue.settle(10.0)
    assert line.happened == [("left", "in time", 0.0)]


@pytest.mark.parametrize("seed", range(20))
def test_a_random_rush_is_fair_and_keeps_to_the_rate_and_loses_nothing(seed):
    dice = random.Random(seed)
    queue, happened, taken, now = AccountQueue(2.0, depth_seconds=30), [], {}, 0.0
    for name in range(300):
        now += dice.expovariate(1.0)
        message = Waiting(
            segments=dice.randint(1, 6),
            is_high=dice.random() < 0.2,
            expires_at=now + dice.uniform(0, 60) if dice.random() < 0.3 else math.inf,
            leave=lambda at, name=name: happened.append(("left", name, at)),
            expire=lambda at, name=name: happened.append(("expired", name, at)),
        )
        if queue.offer(message, now=now):
            taken[name] = (now, message)

    assert len(taken) < 300
    assert queue.settle(now + 1_000) == math.inf
    assert sorted(name for _, name, _ in happened) == sorted(taken)
    times = [at for *_, at in happened]
    assert times == sorted(times)
    left = [(name, at) for what, name, at in happened if what == "left"]
    for (name, at), (_, following) in itertools.pairwise(left):
        assert following >= at + taken[name][1].segments / 2.0 - 1e-9

    for is_high in (True, False):
        line = [name for name, _ in left if taken[name][1].is_high is is_high]
        assert line == sorted(line)

    for what, name, at in happened:
        offered_at, message = taken[name]
        assert at == message.expires_at if what == "expired" else at <= message.expires_at
        assert at >= offered_at
        # Nobody who is not high leaves while one who is high waits.
        if what == "left" and not message.is_high:
            ends = {other: end for _, other, end in happened}
            assert not any(
                other.is_high and since < at < ends[each]
                for each, (since, other) in taken.items()
                if each != name
            )


@pytest.mark.parametrize(
    ("rate", "figures"),
    [
        pytest.param(
            1.0, ("60 messages per minute", "900 messages (15 minutes)"), id="new account"
        ),
        pytest.param(5.0, ("300 messages per minute", "4500 messages"), id="five a second"),
    ],
)
def test_the_text_of_a_full_queue_names_rate_and_capacity(rate, figures):
    text = AccountQueue(rate).full_text()
    assert all(figure in text for figure in figures)


def test_listing_is_limited_for_each_address_in_a_sliding_time():
    limit = ListingLimit()
    first = [limit.retry_after("127.0.0.1", now=float(i % 2)) for i in range(LISTING_REQUESTS)]
    assert set(first) == {None}
    assert limit.retry_after("127.0.0.1", now=10.0) == LISTING_SECONDS - 10
    assert limit.retry_after("127.0.0.2", now=10.0) is None
    assert limit.retry_after("127.0.0.1", now=LISTING_SECONDS + 1.5) is None
