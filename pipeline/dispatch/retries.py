"""What is tried again, how often and how patiently: a message that was proved not to be sent.

Nothing else. A message in doubt is never tried again here or anywhere without evidence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    wait_exponential_jitter,
)

from pipeline.dispatch.stop import Stop
from pipeline.model import NotSent

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a run bears with a provider that takes nothing."""

    #: Tries of one message in one run, the first included.
    tries: int = 8
    #: The wait before the second try; each further wait is twice as long, plus jitter.
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 30.0
    #: The first pause of all lanes after a 429 or a provider that cannot be reached.
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 60.0


async def try_again(attempt: Callable[[], Awaitable[T]], *, patience: Patience, stop: Stop) -> T:
    """Repeat `attempt` after a first NotSent, with growing waits and jitter.

    Entered only after a failure: around every message tenacity would cost more than the message.

    Returns:
        What the last try came to: anything but NotSent ends the tries, and so does a stop.
    """
    first = patience.first_wait_seconds
    exhausted = stop_after_attempt(patience.tries - 1)
    retrying = AsyncRetrying(
        retry=retry_if_result(lambda outcome: isinstance(outcome, NotSent)),
        wait=wait_exponential_jitter(
            multiplier=2 * first, max=patience.longest_wait_seconds, jitter=first
        ),
        stop=lambda state: stop.requested or exhausted(state),
        sleep=stop.sleep,
        retry_error_callback=_last_outcome,
    )

    async def once() -> T:  # tenacity awaits only what is declared async, and never a lambda
        return await attempt()

    await stop.sleep(first)
    return await retrying(once)


def _last_outcome(state: RetryCallState) -> object:
    assert state.outcome is not None
    return state.outcome.result()
