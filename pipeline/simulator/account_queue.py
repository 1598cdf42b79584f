"""The limits of an account: the queue that drains at its rate, and how often it may be listed.

Both are arithmetic on seconds that are passed in: no timers, no tasks. What happened in the queue
since it was last looked at is worked out at the next look (`settle`), in the order it happened in.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

QUEUE_SECONDS = 900.0  #: by default the queue holds a quarter of an hour at the account's rate
LISTING_REQUESTS = 3_500  #: list requests of one address ...
LISTING_SECONDS = 300  #: ... in this time

_ROUNDING_SECONDS = 1e-6  # what adding many fractions of a second may leave


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A message in the queue."""

    #: On the air, of all its recipients together.
    segments: int
    #: Overtakes those that are not.
    is_high: bool = False
    #: It is not sent after this moment.
    expires_at: float = math.inf
    #: Called once with the moment it leaves; not if it expires.
    leave: Callable[[float], None]
    #: Called once with the moment it expires in the queue.
    expire: Callable[[float], None]
    is_waiting: bool = True


class AccountQueue:
    """In segments: `high` first, else first in, first out; `rate` a second, None for no limit."""

    def __init__(self, rate: float | None, *, depth_seconds: float = QUEUE_SECONDS) -> None:
        self._rate = rate
        self._depth_seconds = depth_seconds
        self.clear()

    def clear(self) -> None:
        """Forget everything that waits."""
        self._high: deque[Waiting] = deque()
        self._default: deque[Waiting] = deque()
        self._expiries: list[tuple[float, int, Waiting]] = []
        self._numbers = itertools.count()
        self._segments = 0
        self._free_at = -math.inf  # when the next one may leave

    def offer(self, message: Waiting, *, now: float) -> bool:
        """Queue a message, and let it leave if it can at once; False where the queue is full."""
        if self._rate is None:
            message.is_waiting = False
            message.leave(now)
            return True

        self.settle(now)
        empty_at = max(self._free_at, now) + (self._segments + message.segments) / self._rate
        if empty_at - now > self._depth_seconds + _ROUNDING_SECONDS:
            return False

        self._free_at = max(self._free_at, now)
        self._segments += message.segments
        (self._high if message.is_high else self._default).append(message)
        if message.expires_at < math.inf:
            heapq.heappush(self._expiries, (message.expires_at, next(self._numbers), message))

        self.settle(now)
        return True

    def settle(self, now: float) -> float:
        """Let leave and expire what does until `now`; return when the next one will."""
        while True:
            leaves_at = self._free_at if self._next() else math.inf
            expires_at = self._next_expiry()
            if min(leaves_at, expires_at) > now:
                return min(leaves_at, expires_at)

            if expires_at < leaves_at:
                self._expire()
            else:
                self._leave(leaves_at)

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

    def _next(self) -> deque[Waiting] | None:
        """Return the line whose first message is the next to leave."""
        for line in (self._high, self._default):
            while line and not line[0].is_waiting:
                line.popleft()  # it has expired

            if line:
                return line

        return None

    def _next_expiry(self) -> float:
        while self._expiries and not self._expiries[0][2].is_waiting:
            heapq.heappop(self._expiries)  # it has left

        return self._expiries[0][0] if self._expiries else math.inf

    def _leave(self, at: float) -> None:
        line = self._next()
        assert line is not None
        assert self._rate is not None  # somebody waits, so there is a limit
        message = line.popleft()
        self._free_at = at + message.segments / self._rate
        self._remove(message)
        message.leave(at)

    def _expire(self) -> None:
        at, _, message = heapq.heappop(self._expiries)
        self._remove(message)
        message.expire(at)

    def _remove(self, message: Waiting) -> None:
        message.is_waiting = False
        self._segments -= message.segments


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
