"""Waits for the listing to settle doubt: looks at its moments until nothing is left."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from jobs import console
from jobs.signals import hearing
from pipeline.bandwidth.connection import RequestFailed
from pipeline.errors import BandcastError, CredentialsError
from pipeline.journal import Doubt
from pipeline.settle.reconcile import Reconciler
from pipeline.spelling import counted

log = logging.getLogger(__name__)

#: How often the journal is asked whether a callback has settled what is waited for.
_GLANCE_SECONDS = 2.0
#: Shorter waits pass unannounced.
_WORTH_SAYING_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Settled:
    """What waiting came to."""

    #: Messages that the listing settled.
    settled: int = 0
    #: Messages of the campaign that are left in doubt.
    left: int = 0
    #: Why the listing was no help the last time it was asked; None where it answered.
    failure: BandcastError | None = None
    #: Whether a signal ended it.
    is_interrupted: bool = False


async def settle_doubts(
    reconciler: Reconciler, campaign: str, seconds: Sequence[float], *, quiet: bool
) -> Settled:
    """Look at the listing so many seconds after the last doubtful attempt, while doubts are left.

    Moments that have passed are made up for by one look now. A signal ends it at once, and what was
    not settled stays in doubt.

    Raises:
        JournalError: the journal can record no more.
    """
    done = Settled()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, tasks.cancel_scope, done)
        await _look_until_settled(reconciler, campaign, seconds, done, quiet=quiet)
        tasks.cancel_scope.cancel()

    if done.settled and not quiet:
        console.margin.print(f"the listing settled {counted(done.settled, 'message')}")

    return done


async def _look_until_settled(
    reconciler: Reconciler, campaign: str, seconds: Sequence[float], done: Settled, *, quiet: bool
) -> None:
    doubts = await reconciler.doubts(campaign)
    done.left = len(doubts)
    for moment in _moments(doubts, seconds, reconciler.clock()):
        wait = (moment - reconciler.clock()).total_seconds()
        if wait > 0 and doubts:
            if wait >= _WORTH_SAYING_SECONDS:
                _announce(len(doubts), wait, quiet=quiet)

            doubts = await _pause(reconciler, campaign, min(wait, max(seconds)))

        if doubts:
            doubts = await _look(reconciler, campaign, done)

        done.left = len(doubts)
        if not doubts or isinstance(done.failure, CredentialsError):
            return


def _moments(doubts: Sequence[Doubt], seconds: Sequence[float], now: datetime) -> list[datetime]:
    begun = [moment for each in doubts for moment in each.begun_at if moment is not None]
    last = max(begun, default=now - timedelta(days=1))
    due = sorted(last + timedelta(seconds=each) for each in seconds)
    to_come = [moment for moment in due if moment > now]
    return to_come if len(to_come) == len(due) else [now, *to_come]


async def _pause(reconciler: Reconciler, campaign: str, seconds: float) -> list[Doubt]:
    """Wait, or until callbacks have settled everything; return what is left."""
    with anyio.move_on_after(seconds):
        while await reconciler.doubts(campaign):  # noqa: ASYNC110 - callbacks come to others
            await anyio.sleep(_GLANCE_SECONDS)

    return await reconciler.doubts(campaign)


async def _look(reconciler: Reconciler, campaign: str, done: Settled) -> list[Doubt]:
    try:
        looked = await reconciler.look(campaign)
    except (CredentialsError, RequestFailed) as error:
        done.failure = error
        return await reconciler.doubts(campaign)

    done.failure = None
    done.settled += looked.settled
    return list(looked.left)


def _announce(count: int, seconds: float, *, quiet: bool) -> None:
    sentence = (
        f"{counted(count, 'message')} in doubt: the provider's listing is asked in "
        f"{seconds:.0f} s; Ctrl-C leaves them in doubt"
    )
    if console.margin.is_terminal and not quiet:
        console.margin.print(sentence)
    else:
        log.info(sentence, extra={"action": "settle", "in_doubt": count})


async def _end_on_signal(run: anyio.CancelScope, done: Settled) -> None:
    with hearing() as next_signal:
        heard = await next_signal()
        log.warning("%s: what is in doubt stays so", heard.name)
        done.is_interrupted = True
        run.cancel()
