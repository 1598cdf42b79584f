"""bandcast reconcile: what the provider's own list of messages says about a campaign."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import anyio
import polars as pl
import typer

from jobs import accounts, console, options
from jobs.dispatching import identity
from jobs.drifting import drift_json
from jobs.enlisted import made_again, opened
from jobs.settling import Settled, settle_doubts
from jobs.signals import interrupting
from jobs.summary import code_of
from pipeline import campaign as campaigns
from pipeline.account import Account
from pipeline.bandwidth.client import client_of
from pipeline.campaign import PROVIDER, ResultFiles
from pipeline.errors import UsageError
from pipeline.estimate import Estimate
from pipeline.journal import Enlistment, Journal
from pipeline.prepare import columns
from pipeline.prepare.plan import read_shard
from pipeline.settle.evidence import evidence_json
from pipeline.settle.reconcile import UNKNOWN, Reconciled, Reconciler, reconcile_all

log = logging.getLogger(__name__)

T = TypeVar("T")

_SAY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    settled: Settled
    #: Of the whole campaign; None where only its doubts were asked about.
    everything: Reconciled | None


@interrupting()
def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    card: options.Card = None,
    smart: options.Smart = None,
    smart_accents: options.SmartAccents = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Ask about every message, not only those in doubt.")
    ] = False,
    out: options.Out = None,
    profile: accounts.Profile = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Ask the provider's list of messages about rows in doubt, and write the results again.

    A doubt is settled only by exactly one text that fits it and no other; what is not in the list
    stays in doubt, since absence proves nothing. It may run beside a send.
    """
    settings = options.settings_from(
        campaign,
        template=template,
        senders=senders,
        name=name,
        rate=rate,
        card=card,
        smart=smart,
        smart_accents=smart_accents,
    )
    folder, known = options.out_folder(out, settings), settings.campaign.name
    with opened(campaign, settings, folder) as (journal, enlisted):
        account = accounts.account_of(profile, sends=False)
        _refuse_another_account(enlisted, account)
        with made_again(campaign, settings, folder, enlisted) as found:
            is_silent = quiet or as_json
            asked = anyio.run(
                lambda: _ask(found, journal, account, everything=everything, quiet=is_silent)
            )
            files = campaigns.write_results(journal, found, folder, now=datetime.now(UTC))

    if as_json:
        console.print_json(_as_json(known, asked, files))
    elif not quiet:
        _print(known, asked, files, found.totals.currency)

    return code_of(files.states)


def _refuse_another_account(enlisted: Enlistment, account: Account) -> None:
    if enlisted.fingerprint.get(PROVIDER) != identity(account):
        raise UsageError(
            f"campaign '{enlisted.campaign}' was sent by another account, or to another address: "
            "another account's list knows nothing of it; set the one it was sent with"
        )


async def _ask(
    estimate: Estimate, journal: Journal, account: Account, *, everything: bool, quiet: bool
) -> _Asked:
    """Settle doubt, then learn the rest; every step is durable before the next one.

    Raises:
        CredentialsError: the provider does not know us, or does not allow it.
        RequestFailed: the listing did not come.
    """

    def call(operation: Callable[[Journal], T]) -> Awaitable[T]:
        async def done() -> T:
            return operation(journal)

        return done()

    settings = estimate.settings
    name, seconds = settings.campaign.name, settings.settling.seconds or (0.0,)
    async with client_of(account) as client:
        reconciler = Reconciler(
            client=client, call=call, read_shard=read_shard, clock=_wall_clock, states=UNKNOWN
        )
        settled = await settle_doubts(reconciler, name, seconds, quiet=quiet)
        if settled.failure is not None:
            raise settled.failure

        if not everything or settled.is_interrupted:
            return _Asked(settled=settled, everything=None)

        return _Asked(settled=settled, everything=await _learn(reconciler, estimate, journal))


async def _learn(reconciler: Reconciler, estimate: Estimate, journal: Journal) -> Reconciled:
    name, known = estimate.settings.campaign.name, Reconciled()
    enlisted, last = journal.enlistment(name), journal.last_attempt(name)
    if enlisted is None or last is None:
        return known

    senders = _senders(estimate)
    said_at = time.monotonic()
    async for known in reconcile_all(
        reconciler, senders=senders, start=enlisted.created_at, end=last
    ):
        if time.monotonic() - said_at >= _SAY_SECONDS:
            said_at = time.monotonic()
            told = {"action": "reconcile", "listed": known.listed, "news": known.news}
            log.info("reading the provider's list", extra=told)

    return known


def _senders(estimate: Estimate) -> list[str]:
    plan = pl.scan_parquet(estimate.plan_path).filter(pl.col(columns.REASON).is_null())
    found = plan.select(pl.col(columns.FROM).unique()).collect(engine="streaming")
    return sorted(found[columns.FROM])


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _as_json(campaign: str, asked: _Asked, files: ResultFiles) -> dict[str, Any]:
    everything = asked.everything
    return {
        "campaign": campaign,
        "rows": sum(files.states.values()),
        "states": dict(files.states),
        "in_doubt": files.states.get("in_doubt", 0),
        "settled": asked.settled.settled,
        "doubts": [evidence_json(each) for each in files.evidence],
        "listed": everything.listed if everything else None,
        "news": everything.news if everything else None,
        "cost_of_results": files.cost_micros / 1e6,
        "drift": drift_json(files),
        "results": str(files.parquet),
    }


def _print(campaign: str, asked: _Asked, files: ResultFiles, currency: str) -> None:
    facts = {"settled by the listing": f"{asked.settled.settled:,}"}
    if asked.everything is not None:
        facts["listed in its time"] = f"{asked.everything.listed:,}"
        facts["  told something new"] = f"{asked.everything.news:,}"

    facts["cost"] = console.money(files.cost_micros / 1e6, currency)
    facts["results"] = f"{files.parquet} and .csv"
    console.print_states(f"Results of '{campaign}'", files.states, facts)
    if files.states.get("in_doubt"):
        console.paper.print(
            "[bold]Next[/]: the column error says what the list had for each row in doubt; they "
            "are never sent again by themselves."
        )
