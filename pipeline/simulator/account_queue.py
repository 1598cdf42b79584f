"""The limits of an account: the queue that drains at its rate, and how often it may be listed.

Both are arithmetic on a monotonic clock that is passed in: no timers, no tasks.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque

QUEUE_SECONDS = 900.0  #: by default the queue holds a quarter of an hour at the account's rate
LISTING_REQUESTS = 3_500  #: list requests of one address ...
LISTING_SECONDS = 300  #: ... in this time

_ROUNDING_SECONDS = 1e-6  # what adding many fractions of a second may leave


class AccountQueue:
    """First in, first out, in segments; `rate` is segments per second, None for no limit."""

    def __init__(self, rate: float | None, *, depth_seconds: float = QUEUE_SECONDS) -> None:
        self._rate = rate
        self._depth_seconds = depth_seconds
        self._empty_at = 0.0

    def offer(self, segments: int, *, now: float) -> float | None:
        """Queue a message; return when it leaves (clock of `now`), or None: the queue is full."""
        if self._rate is None:
            return now

        leaves_at = max(self._empty_at, now)
        empty_at = leaves_at + segments / self._rate
        if empty_at - now > self._depth_seconds + _ROUNDING_SECONDS:
            return None

        self._empty_at = empty_at
        return leaves_at

    def full_text(self) -> str:
        """Say that the queue is full, with its rate and capacity, as the provider's 429 does."""
        rate = 1.0 if self._rate is None else self._rate  # what a new account is given
        return (
            "The SMS queue for your account is full and cannot accept more messages right now. "
            f"Your allowed rate is {rate * 60:.0f} messages per minute. "
            f"The capacity of this queue is {rate * self._depth_seconds:.0f} messages "
            f"({self._depth_seconds / 60:.0f} minutes). "
            "Reduce your message sending rate, or contact support to increase your allowed rate."
        )


class ListingLimit:
    """At most `LISTING_REQUESTS` in any `LISTING_SECONDS`, for each source address."""

    def __init__(self) -> None:
        self._requests: defaultdict[str, deque[float]] = defaultdict(deque)

    def retry_after(self, address: str, *, now: float) -> int | None:
        """Count a request; return the seconds to wait where it is one too many, else None."""
        requests = self._requests[address]
        while requests and requests[0] <= now - LISTING_SECONDS:
            requests.popleft()

        if len(requests) >= LISTING_REQUESTS:
            return math.ceil(requests[0] + LISTING_SECONDS - now)

        requests.append(now)
        return None
