"""bandcast send: estimate, ask, send at the account's rate, write the results.

Run it again after any end that was not the last: it goes on where it stopped.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from jobs import accounts, budgets, console, doctor, options
from jobs.deciding import current_user, retrying_json, retrying_sentence
from jobs.dispatching import Dispatched, Provider, Simulated, dispatch, identity
from jobs.ending import moment_of, refuse_paused
from jobs.enlisted import refuse_to_write_over
from jobs.signals import interrupting
from jobs.summary import UNFINISHED, exit_code, next_step, print_summary, summary_json
from pipeline import campaign as campaigns
from pipeline.drafts import drafted
from pipeline.errors import SettingsError, UsageError
from pipeline.estimate import Estimate
from pipeline.journal import Journal, Tally
from pipeline.journal.opening import find_journal, find_path, open_journal, simulation_url
from pipeline.lifecycle import MessageState
from pipeline.sending_again import Again, failures_again
from pipeline.settings import Settings
from pipeline.simulator.behaviour import Behaviour
from pipeline.spelling import counted


class Retry(StrEnum):
    """What is sent once more."""

    FAILED = "failed"


@interrupting()
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
    retry: Annotated[
        Retry | None,
        typer.Option(
            help="failed: send again what failed by an error that passes (`bandcast errors`), "
            "what the carrier failed once only; never a doubt, nor what anybody got.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="Stop cleanly at this time: 21:00 (today, by this machine's clock), or "
            "2026-11-26T06:00."
        ),
    ] = None,
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
    ends_at = moment_of(until, now=datetime.now(UTC))
    folder = options.out_folder(out, settings)
    provider = _provider(profile, simulate=simulate, faults=faults, seed=seed)
    _refuse_to_ask_nobody(yes=yes)
    url = _journal_url(campaign, settings, out, simulate=simulate)
    started_at = _started_at(url, settings)
    bars = options.bars_by(settings, url, now=started_at)
    with drafted(settings, folder, on=started_at.date(), bars_of=bars) as found:
        again = _failures(url, settings, simulate=simulate) if retry else None
        plan = f"{folder / 'plan.parquet'}{'' if yes else ' (once you say yes)'}"
        _announce(found, plan, again, as_json=as_json, quiet=quiet)
        if not yes:
            _ask(found, url, again, simulate=simulate)

        if simulate:
            campaigns.forget_finished_simulation(folder, found)

        with closing(open_journal(url)) as journal:
            campaigns.enlist(journal, found, provider=identity(provider), now=started_at)
            refuse_paused(journal, settings.campaign.name)
            found.publish(folder / "plan.parquet")
            retry_json = _retry(journal, found, again)
            run_it = partial(dispatch, until=ends_at, quiet=quiet or as_json)
            done = anyio.run(run_it, found, journal, provider)
            files = campaigns.write_results(journal, found, folder, now=datetime.now(UTC))

    return _report(found, done, files, retry_json, as_json=as_json, quiet=quiet)


def _journal_url(campaign: Path, settings: Settings, out: Path | None, *, simulate: bool) -> str:
    if not simulate:
        return options.sending_url(campaign)

    folder = options.out_folder(out, settings)
    if out is None:
        refuse_to_write_over(campaign, settings, folder)

    return simulation_url(folder, settings.campaign.name)


def _failures(url: str, settings: Settings, *, simulate: bool) -> Again:
    """Return what `--retry failed` sends again.

    Raises:
        UsageError: there cannot be anything.
    """
    journal, name = find_journal(url), settings.campaign.name
    if simulate or journal is None or journal.enlistment(name) is None:
        why = "a simulation starts over" if simulate else f"campaign '{name}' was never sent"
        raise UsageError(f"--retry: {why}, so there is nothing to send again")

    with closing(journal):
        return failures_again(journal, name)


def _retry(journal: Journal, found: Estimate, again: Again | None) -> dict[str, Any] | None:
    if again is None:
        return None

    retried = journal.retry(
        found.settings.campaign.name,
        again.rows,
        by=current_user(),
        because="send --retry failed",
        now=datetime.now(UTC),
    )
    return retrying_json(again, retried, found.totals.currency)


def _announce(
    found: Estimate, plan: str, again: Again | None, *, as_json: bool, quiet: bool
) -> None:
    """Say what will be sent and what it costs, before anything is sent."""
    if not (as_json or quiet):
        doctor.print_findings(found)
        console.print_estimate(found, plan=plan)

    if not quiet:
        budgets.print_warnings(found)
        if again is not None:
            console.margin.print(retrying_sentence(again, found.totals.currency))


def _report(
    found: Estimate,
    done: Dispatched,
    files: campaigns.ResultFiles,
    retry: dict[str, Any] | None,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    code = exit_code(done, files)
    if as_json:
        console.print_json(summary_json(found, done, files) | ({"retry": retry} if retry else {}))
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

    One of which nothing can have left has not started.

    Raises:
        CampaignHeld: it is running; so the second run ends before it estimates and asks.
        NotNow: it is paused.
    """
    name, journal = settings.campaign.name, find_journal(url)
    if journal is None:
        return datetime.now(UTC)

    with closing(journal):
        if earlier := journal.enlistment(name):
            journal.hold(name)
            refuse_paused(journal, name)

        return earlier.created_at if earlier and journal.is_begun(name) else datetime.now(UTC)


def _ask(found: Estimate, url: str, again: Again | None, *, simulate: bool) -> None:
    news = "" if find_path(url).exists() else "a new journal, "
    if again is not None and again.rows:
        what = _question_again(found, url, again)
    else:
        what = _question(found, None if simulate else _tally(found, url))

    if not console.confirm(f"Journal: {news}{find_path(url)}\n{what}"):
        raise typer.Abort


def _question_again(found: Estimate, url: str, again: Again) -> str:
    tally = _tally(found, url)
    left = tally.states.get(MessageState.READY, 0) if tally else 0
    rest = f", and {counted(left, 'message')} not sent yet" if left else ""
    cost = console.money(again.cost_micros / 1e6, found.totals.currency)
    failed = counted(len(again.rows), "failed message")
    return f"Send {failed} again for at most {cost}{rest}?"


def _question(found: Estimate, tally: Tally | None) -> str:
    """Ask about what is left: who goes on with a campaign must not fear to text everybody again."""
    totals, name = found.totals, found.settings.campaign.name
    cost = console.money(float(found.cost), totals.currency)
    left = tally.states.get(MessageState.READY, 0) if tally else 0
    if tally is None or left == tally.messages:  # nothing was tried: the plan may be another
        return f"Send {counted(totals.messages, 'message')} for {cost}?"

    if not left:
        return f"No message of '{name}' is left to send. Look for news and write its results again?"

    return (
        f"Go on with '{name}': send the {left:,} of {counted(tally.messages, 'message')} "
        f"that are left ({cost} is for all of them)?"
    )


def _tally(found: Estimate, url: str) -> Tally | None:
    """Count what became of a campaign so far; nothing where it was never started."""
    journal = find_journal(url)
    if journal is None:
        return None

    with closing(journal):
        return journal.tally(found.settings.campaign.name)


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
