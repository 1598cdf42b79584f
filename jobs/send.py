"""bandcast send: estimate, ask, send at the account's rate, write the results.

Run it again after any end that was not the last: it goes on where it stopped.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import anyio
import typer

from jobs import console, doctor, options
from jobs.dispatching import Dispatched, Provider, Simulated, dispatch
from jobs.summary import exit_code, print_summary, summary_json
from pipeline import campaign as campaigns
from pipeline.account import load_account
from pipeline.errors import SettingsError, UsageError
from pipeline.estimate import Estimate, drafted
from pipeline.journal.opening import find_journal, open_journal, simulation_url
from pipeline.settings import Settings
from pipeline.simulator.behaviour import Behaviour


def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    card: options.Card = None,
    strict: options.Strict = False,
    out: options.Out = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")] = False,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Send to the embedded simulator: no account needed.")
    ] = False,
    faults: Annotated[
        str, typer.Option(help="With --simulate: shares of trouble, for example lost=0.01.")
    ] = "",
    seed: Annotated[int, typer.Option(help="With --simulate: seed of the trouble.")] = 1,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Send a campaign, or go on with one: nobody is texted twice, no row is lost."""
    settings = options.settings_from(
        campaign,
        template=template,
        senders=senders,
        name=name,
        rate=rate,
        card=card,
        strict=strict,
    )
    folder = options.out_folder(out, settings)
    provider = _provider(simulate=simulate, faults=faults, seed=seed)
    url = simulation_url(folder) if simulate else options.journal_url()
    _refuse_to_ask_nobody(yes=yes)

    started = _started(url, settings)
    bars = options.bars_of(settings, url, now=started)
    with drafted(settings, folder, on=started.date(), bars=bars) as found:
        if not (as_json or quiet):
            doctor.print_findings(found)
            console.print_estimate(found, plan=str(folder / "plan.parquet"))

        if not yes:
            typer.confirm(f"Send {found.totals.messages:,} messages?", abort=True, err=True)

        if simulate:
            campaigns.forget_finished_simulation(folder, found)

        done, files = _send(found, folder, url, provider, quiet=quiet or as_json)

    if as_json:
        console.print_json(summary_json(found, done, files))
    elif not quiet:
        print_summary(found, done, files)

    return exit_code(done, files)


def _provider(*, simulate: bool, faults: str, seed: int) -> Provider:
    if not simulate:
        return load_account(os.environ)

    try:
        return Simulated(behaviour=Behaviour.parse(faults), seed=seed)
    except ValueError as error:
        raise SettingsError([f"--faults: {error}"]) from None


def _started(url: str, settings: Settings) -> datetime:
    """Return when the campaign started or starts: it keeps the prices and the lists of that day."""
    journal = find_journal(url)
    if journal is None:
        return datetime.now(UTC)

    with closing(journal):
        earlier = journal.enlistment(settings.campaign.name)

    return earlier.created_at if earlier else datetime.now(UTC)


def _refuse_to_ask_nobody(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at: add --yes to send without asking")


def _send(
    found: Estimate, folder: Path, url: str, provider: Provider, *, quiet: bool
) -> tuple[Dispatched, campaigns.ResultFiles]:
    with closing(open_journal(url)) as journal:
        journal.hold(found.settings.campaign.name)
        campaigns.enlist(journal, found, now=datetime.now(UTC))
        kept = found.kept_as(folder / "plan.parquet")
        done = anyio.run(lambda: dispatch(kept, journal, provider, quiet=quiet))
        return done, campaigns.write_results(journal, kept, folder)
