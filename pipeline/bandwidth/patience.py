"""What is asked again, how often and how patiently: requests that change nothing by being repeated.

Never a POST of a message. Tried again is what may pass: no answer, 429, 5xx.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from pipeline.bandwidth.connection import RequestFailed

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 6
#: A provider that asks for a longer wait is not waited for: the error says how long it is.
LONGEST_WAIT_SECONDS = 900.0

_backoff = wait_exponential_jitter(multiplier=0.25, max=30, jitter=0.25)


async def asked_again(ask: Callable[[], Awaitable[T]]) -> T:
    """Repeat `ask` while it fails with what may pass, with growing waits; Retry-After is obeyed.

    Raises:
        RequestFailed: the last failure, or one that would not pass.
    """

    async def once() -> T:  # tenacity awaits only what is declared async, and never a lambda
        return await ask()

    retrying = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        wait=_wait_seconds,
        stop=stop_after_attempt(TRIES),
        sleep=anyio.sleep,
        before_sleep=_say,
        reraise=True,
    )
    return await retrying(once)


def _may_pass(error: BaseException) -> bool:
    return (
        isinstance(error, RequestFailed)
        and error.may_pass
        and (error.retry_after_seconds or 0.0) <= LONGEST_WAIT_SECONDS
    )


def _wait_seconds(state: RetryCallState) -> float:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, RequestFailed)
    return max(_backoff(state), error.retry_after_seconds or 0.0)


def _say(state: RetryCallState) -> None:
    assert state.outcome is not None
    assert state.next_action is not None
    error = state.outcome.exception()
    status = error.http_status if isinstance(error, RequestFailed) else None
    log.info(
        "asking again after a pause",
        extra={
            "action": "ask_again",
            "http_status": status,
            "seconds": round(state.next_action.sleep, 1),
        },
    )
