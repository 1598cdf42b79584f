"""A campaign that was sent before, and its plan, made again as it was enlisted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path

from jobs import options
from pipeline import campaign as campaigns
from pipeline.drafts import drafted
from pipeline.errors import BandcastError, PlanMismatch, UsageError
from pipeline.estimate import Estimate
from pipeline.journal import Enlistment, Journal
from pipeline.journal.opening import find_journal, find_path, simulation_url
from pipeline.settings import Settings


@contextmanager
def opened(
    campaign: Path, settings: Settings, folder: Path
) -> Iterator[tuple[Journal, Enlistment]]:
    """Open the journal of a campaign's file; `folder` is where its results go.

    Raises:
        UsageError: the campaign is not in it.
    """
    url, name = options.journal_url(campaign), settings.campaign.name
    journal = find_journal(url)
    if journal is None:
        raise unknown(None, url, name, folder)

    with closing(journal):
        enlisted = journal.enlistment(name)
        if enlisted is None:
            raise unknown(journal, url, name, folder)

        yield journal, enlisted


@contextmanager
def made_again(
    campaign: Path, settings: Settings, folder: Path, enlisted: Enlistment
) -> Iterator[Estimate]:
    """Make the plan again, by the prices and lists of its day; it is published at the end.

    Raises:
        PlanMismatch: it is another one by now.
    """
    started = enlisted.created_at
    bars = options.bars_by(settings, options.journal_url(campaign), now=started)
    with drafted(settings, folder, on=started.date(), bars_of=bars) as found:
        campaigns.refuse_mismatch(enlisted, found)
        yield found
        found.publish(folder / "plan.parquet")


def begun_otherwise(url: str, found: Estimate) -> PlanMismatch | None:
    """Return why `send` would refuse a plan: its campaign has begun with another; else None."""
    name, journal = found.settings.campaign.name, find_journal(url)
    if journal is None:
        return None

    with closing(journal):
        enlisted = journal.enlistment(name)
        if enlisted is None or not journal.is_begun(name):
            return None

    try:
        campaigns.refuse_mismatch(enlisted, found)
    except PlanMismatch as mismatch:
        return mismatch

    return None


def refuse_to_write_over(campaign: Path, settings: Settings, folder: Path) -> None:
    """Keep what a real run came to from a simulation in the same folder.

    Raises:
        UsageError: something of the campaign was really sent.
    """
    name, is_sent = settings.campaign.name, False
    with suppress(BandcastError):  # a simulation needs no journal but its own
        if (journal := find_journal(options.journal_url(campaign))) is not None:
            with closing(journal):
                is_sent = journal.last_attempt(name) is not None

    if is_sent:
        raise UsageError(
            f"campaign '{name}' was really sent, and a simulation would write over what is in "
            f"{folder}: say with --out where it is to go"
        )


def unknown(journal: Journal | None, url: str, name: str, folder: Path) -> UsageError:
    """Say that a journal has no such campaign, and whether it was simulated or has another name.

    Without a name it says that there is no journal.
    """
    simulated = find_path(simulation_url(folder, name))
    if name and os.path.exists(simulated):  # noqa: PTH110 - a name too long for a file is no error
        return UsageError(
            f"campaign '{name}' was simulated only, and texted nobody: what the simulation came to "
            f"is in {folder / 'results.csv'}; `bandcast send` without --simulate sends it"
        )

    if journal is None:
        return UsageError(f"there is no journal at {url} yet: nothing was ever sent from here")

    near = get_close_matches(name, journal.campaigns(), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return UsageError(f"the journal at {url} has no campaign '{name}'{hint}")
