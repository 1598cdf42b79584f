"""How far a send is: a bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

import anyio
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from jobs import console
from pipeline.dispatch.sender import Counts
from pipeline.dispatch.worker import Worker
from pipeline.estimate import Estimate

log = logging.getLogger(__name__)

_REDRAW_SECONDS, _LOG_SECONDS = 0.25, 10.0
#: The rate shown is over this many of the latest seconds.
_RATE_SECONDS = 5.0


class Progress:
    """Reads a worker's counts against its estimate, by a monotonic clock."""

    def __init__(self, worker: Worker, estimate: Estimate, *, settled_before: int) -> None:
        self._worker, self._estimate, self._before = worker, estimate, settled_before
        self._samples: list[tuple[float, int]] = [(time.monotonic(), 0)]

    @property
    def counts(self) -> Counts:
        """What this run did so far."""
        return self._worker.counts

    @property
    def done(self) -> int:
        """Messages of the campaign that need nothing more, those of earlier runs included."""
        counts = self.counts
        return self._before + counts.accepted + counts.rejected + counts.in_doubt + counts.denied

    @property
    def total(self) -> int:
        """Messages of the campaign."""
        return self._estimate.totals.messages

    @property
    def allowed(self) -> float:
        """The account's rate, in segments per second."""
        return self._estimate.settings.rate_segments_per_second

    def sample(self) -> float:
        """Note where we are; returns segments per second over the latest seconds."""
        now = time.monotonic()
        self._samples.append((now, self.counts.segments))
        while len(self._samples) > 2 and self._samples[0][0] < now - _RATE_SECONDS:
            del self._samples[0]

        (began, first), (_, last) = self._samples[0], self._samples[-1]
        return (last - first) / max(now - began, 1e-9)

    @property
    def seconds_left(self) -> float:
        """Time to the end at the allowed rate and the plan's mean segments per message."""
        totals = self._estimate.totals
        mean = totals.segments / max(totals.messages, 1)
        return max(self.total - self.done, 0) * mean / self.allowed

    @property
    def cost(self) -> str:
        """What this run sent costs at most, by our own count."""
        return console.money(self.counts.cost_micros / 1e6, self._estimate.totals.currency)


async def watch(progress: Progress, *, quiet: bool) -> None:
    """Show progress until cancelled."""
    if quiet:
        return

    if console.margin.is_terminal:
        with suppress(OSError):  # the terminal is gone: nobody watches, and the run goes on
            await _draw(progress)
    else:
        await _log(progress)


async def _draw(progress: Progress) -> None:
    with Live(console=console.margin, auto_refresh=False, transient=True) as live:
        while True:
            live.update(_bar(progress), refresh=True)
            await anyio.sleep(_REDRAW_SECONDS)


def _bar(progress: Progress) -> Group:
    """Two lines that fit a terminal of 80 columns."""
    counts, rate = progress.counts, progress.sample()
    bar, facts = Table.grid(padding=(0, 2)), Table.grid(padding=(0, 2))
    bar.add_row(
        ProgressBar(total=progress.total, completed=progress.done, width=24),
        f"{progress.done:,}/{progress.total:,} sent",
        progress.cost,
        f"{console.duration(progress.seconds_left)} left",
    )
    facts.add_row(
        f"[green]{counts.accepted:,} accepted[/]",
        f"[red]{counts.rejected:,} refused[/]",
        f"[yellow]{counts.in_doubt:,} in doubt[/]",
        f"{rate:,.1f} of {progress.allowed:,g} segments/s",
    )
    return Group(bar, facts)


async def _log(progress: Progress) -> None:
    while True:
        await anyio.sleep(_LOG_SECONDS)
        counts = progress.counts
        log.info(
            "sending",
            extra={
                "action": "progress",
                "done": progress.done,
                "total": progress.total,
                "accepted": counts.accepted,
                "rejected": counts.rejected,
                "in_doubt": counts.in_doubt,
                "segments_per_second": round(progress.sample(), 1),
                "allowed": progress.allowed,
                "cost": progress.cost,
                "seconds_left": round(progress.seconds_left),
            },
        )
