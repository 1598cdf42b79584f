"""A campaign that was sent before, and its plan, made again as it was enlisted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from jobs import options
from pipeline import campaign as campaigns
from pipeline.drafts import drafted
from pipeline.errors import UsageError
from pipeline.estimate import Estimate
from pipeline.journal import Enlistment, Journal
from pipeline.journal.opening import find_journal
from pipeline.settings import Settings


@contextmanager
def opened(campaign: Path, settings: Settings) -> Iterator[tuple[Journal, Enlistment]]:
    """Open the journal of a campaign's file.

    Raises:
        UsageError: the campaign is not in it.
    """
    url, name = options.journal_url(campaign), settings.campaign.name
    journal = find_journal(url)
    if journal is None:
        raise _unknown(url, name)

    with closing(journal):
        enlisted = journal.enlistment(name)
        if enlisted is None:
            raise _unknown(url, name)

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


def _unknown(url: str, name: str) -> UsageError:
    return UsageError(f"the journal at {url} has no campaign '{name}' yet")
