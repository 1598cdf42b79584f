import pytest

from pipeline.simulator.account_queue import (
    LISTING_REQUESTS,
    LISTING_SECONDS,
    AccountQueue,
    ListingLimit,
)


def test_the_queue_drains_at_the_rate_in_segments():
    queue = AccountQueue(10.0)
    leaves = [queue.offer(segments, now=100.0) for segments in (1, 3, 1)]
    assert leaves == pytest.approx([100.0, 100.1, 100.4])


def test_an_idle_queue_saves_nothing_up():
    queue = AccountQueue(10.0)
    queue.offer(1, now=0.0)
    assert queue.offer(1, now=50.0) == 50.0
    assert queue.offer(1, now=50.0) == pytest.approx(50.1)


def test_the_queue_holds_fifteen_minutes_and_takes_more_as_it_drains():
    queue = AccountQueue(1.0)
    taken = [queue.offer(1, now=0.0) is not None for _ in range(901)]
    assert taken == [True] * 900 + [False]
    assert queue.offer(1, now=0.5) is None
    assert queue.offer(1, now=1.0) == pytest.approx(900.0)


def test_a_message_of_several_segments_must_fit_whole():
    queue = AccountQueue(1.0, depth_seconds=10)
    assert queue.offer(8, now=0.0) is not None
    assert queue.offer(3, now=0.0) is None
    assert queue.offer(2, now=0.0) is not None


def test_an_account_without_a_rate_never_fills():
    queue = AccountQueue(None)
    assert [queue.offer(31, now=5.0) for _ in range(10_000)] == [5.0] * 10_000


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
