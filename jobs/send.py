"""bandcast send: estimate, ask, send at the account's rate, write the results.

Run it again after any end that was not the last: it goes on where it stopped.
"""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import anyio
import typer

from jobs import accounts, budgets, console, doctor, options
from jobs.dispatching import Dispatched, Provider, Simulated, dispatch, identity
from jobs.summary import UNFINISHED, exit_code, next_step, print_summary, summary_json
from pipeline import campaign as campaigns
from pipeline.drafts import drafted
from pipeline.errors import SettingsError, UsageError
from pipeline.estimate import Estimate
from pipeline.journal.opening import find_journal, find_path, open_journal, simulation_url
from pipeline.settings import Settings
from pipeline.simulator.behaviour import Behaviour


def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    budget: options.Budget = None,
    card: options.Card = None,
    smart: options.Smart = None,
    smart_accents: options.SmartAccents = None,
    strict: options.Strict = False,
    out: options.Out = None,
    profile: accounts.Profile = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")] = False,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Send to the embedded simulator: no account needed.")
    ] = False,
    faults: Annotated[
        str,
        typer.Option(help="With --simulate: shares of trouble, for example lost=0.01,count=ceil."),
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
        budget=budget,
        card=card,
        strict=strict,
        smart=smart,
        smart_accents=smart_accents,
    )
    _refuse_expired(settings)
    folder = options.out_folder(out, settings)
    provider = _provider(profile, simulate=simulate, faults=faults, seed=seed)
    url = (
        simulation_url(folder, settings.campaign.name)
        if simulate
        else options.sending_url(campaign)
    )
    _refuse_to_ask_nobody(yes=yes)

    started_at = _started_at(url, settings)
    bars = options.bars_by(settings, url, now=started_at)
    with drafted(settings, folder, on=started_at.date(), bars_of=bars) as found:
        _announce(found, folder, as_json=as_json, quiet=quiet)
        if not yes:
            _ask(found, url)

        if simulate:
            campaigns.forget_finished_simulation(folder, found)

        with closing(open_journal(url)) as journal:
            campaigns.enlist(journal, found, provider=identity(provider), now=started_at)
            found.publish(folder / "plan.parquet")
            done = anyio.run(lambda: dispatch(found, journal, provider, quiet=quiet or as_json))
            files = campaigns.write_results(journal, found, folder, now=datetime.now(UTC))

    return _report(found, done, files, as_json=as_json, quiet=quiet)


def _announce(found: Estimate, folder: Path, *, as_json: bool, quiet: bool) -> None:
    """Say what will be sent and what it costs, before anything is sent."""
    if not (as_json or quiet):
        doctor.print_findings(found)
        console.print_estimate(found, plan=str(folder / "plan.parquet"))

    if not quiet:
        budgets.print_warnings(found)


def _report(
    found: Estimate, done: Dispatched, files: campaigns.ResultFiles, *, as_json: bool, quiet: bool
) -> int:
    code = exit_code(done, files)
    if as_json:
        console.print_json(summary_json(found, done, files))
    elif not quiet:
        print_summary(found, done, files)

    if (as_json or quiet) and code in UNFINISHED:
        console.print_error(next_step(done, code))

    return code


def _provider(profile: str | None, *, simulate: bool, faults: str, seed: int) -> Provider:
    if not simulate and faults:
        raise UsageError("--faults is for --simulate: a real provider has its own; nothing is sent")

    if not simulate:
        return accounts.account_of(profile)

    try:
        return Simulated(behaviour=Behaviour.parse(faults), seed=seed)
    except ValueError as error:
        raise SettingsError([f"--faults: {error}"]) from None


def _started_at(url: str, settings: Settings) -> datetime:
    """Return when the campaign was started, or now: it keeps the prices and lists of that day.

    Raises:
        CampaignHeld: it is running; so the second run ends before it estimates and asks.
    """
    name, journal = settings.campaign.name, find_journal(url)
    if journal is None:
        return datetime.now(UTC)

    with closing(journal):
        if earlier := journal.enlistment(name):
            journal.hold(name)

    return earlier.created_at if earlier else datetime.now(UTC)


def _ask(found: Estimate, url: str) -> None:
    signal.siginterrupt(signal.SIGINT, True)  # polars set it so that a Ctrl-C waits for Enter
    cost = console.money(float(found.cost), found.totals.currency)
    news = "" if find_path(url).exists() else "a new journal, "
    question = (
        f"Journal: {news}{find_path(url)}\nSend {found.totals.messages:,} messages for {cost}?"
    )
    typer.confirm(question, abort=True, err=True)


def _refuse_expired(settings: Settings) -> None:
    after = settings.delivery.expires_after
    if isinstance(after, datetime) and after <= datetime.now(UTC):
        raise UsageError(
            f"[sending] expires_after: {after.isoformat()} has passed, so nothing would be "
            "delivered: write a later moment, or take it out"
        )


def _refuse_to_ask_nobody(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at: add --yes to send without asking")
