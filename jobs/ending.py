"""What ends a run before its plan does: a signal, a pause, a moment."""

from __future__ import annotations

import logging
from datetime import datetime, time

import anyio

from jobs.signals import hearing
from pipeline.dispatch.stop import Stop, StopReason
from pipeline.errors import JournalError, NotNow, UsageError
from pipeline.journal import Decision, Journal
from pipeline.journal.committer import Committer

log = logging.getLogger(__name__)

#: How often a run looks at the clock, and whether its campaign was paused.
_LOOK_SECONDS = 0.5


def moment_of(text: str | None, *, now: datetime) -> datetime | None:
    """Read when a run is to end: a time of today by this machine's clock, or a date and a time.

    Raises:
        UsageError: it is neither.
        NotNow: it has passed. A time of day is never tomorrow's: a cron line that comes too late
            would send through the night.
    """
    if text is None:
        return None

    try:
        until = _written(text, now).astimezone()  # by the offset of that moment, not of now
    except (ValueError, OverflowError):
        raise UsageError(
            f"--until: '{text}' is no time: write 21:00, or 2026-11-26T06:00"
        ) from None

    if until <= now:
        raise NotNow(
            f"--until: {until:%Y-%m-%d %H:%M} has passed, so nobody was texted: write a later time "
            "(tomorrow's with its date, as in 2026-11-26T06:00)"
        )

    return until


def _written(text: str, now: datetime) -> datetime:
    try:
        of_day = time.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)

    return datetime.combine(now.astimezone(of_day.tzinfo).date(), of_day)


def refuse_paused(journal: Journal, campaign: str) -> None:
    """Make sure that nobody has paused the campaign.

    Raises:
        NotNow: somebody has; says who, when and why.
    """
    if (pause := journal.paused(campaign)) is not None:
        raise NotNow(
            f"campaign '{campaign}' is {words_of(pause)}: nobody was texted; `bandcast resume` "
            "lets it go on"
        )


def words_of(pause: Decision) -> str:
    """Say who paused, when and why."""
    because = f" ({pause.because})" if pause.because else ""
    return f"paused by {pause.by} since {pause.at:%Y-%m-%d %H:%M} UTC{because}"


async def obey_signals(stop: Stop, run: anyio.CancelScope) -> None:
    """Stop cleanly on the first signal, at once on the second.

    Whatever else is ending the run already, as a pause: what is in flight has been promised to end.
    """
    with hearing() as next_signal:
        first = await next_signal()
        log.warning("stopping: what is in flight finishes, the rest waits for the next run")
        stop.request(StopReason.ASKED, f"stopped by {first.name}")
        await next_signal()
        log.warning("stopping at once; what was in flight is in doubt")
        stop.at_once = True
        run.cancel()


async def obey_journal(stop: Stop, committer: Committer, campaign: str) -> None:
    """Stop cleanly where the campaign is paused; what sleeps wakes up when its time is over."""
    while not stop.requested:
        try:
            pause = await committer.call(lambda journal: journal.paused(campaign))
        except JournalError:  # it is broken for good; the lanes get it too, and say so
            return

        if pause is not None:
            stop.request(StopReason.PAUSED, words_of(pause))
            return

        await stop.sleep(_LOOK_SECONDS)
