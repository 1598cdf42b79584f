"""A campaign around its sending: into the journal before, out as a result table after.

Estimate ─> enlist (once) ─> Job for a Worker ─> write_results
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from pipeline import barring, tables
from pipeline.dispatch.pace import RATE_SHARE
from pipeline.dispatch.worker import Job
from pipeline.errors import BandcastError, JournalError, NotNow, PlanMismatch
from pipeline.estimate import Estimate
from pipeline.journal import Budget, Enlistment, Evidence, Journal, Pace, Shard
from pipeline.journal.opening import find_journal, remove_simulation, simulation_url
from pipeline.journal.rules import changed_parts
from pipeline.lifecycle import MessageState
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import plan
from pipeline.settle.billing import UNCONFIRMED
from pipeline.settle.drift import DriftGroup, drift_frame, drift_groups
from pipeline.settle.results import SKIPPED, results_frame
from pipeline.spelling import counted

#: The part of an enlisted fingerprint that says who is sent to.
PROVIDER = "provider"


def enlist(journal: Journal, estimate: Estimate, *, provider: str, now: datetime) -> Enlistment:
    """Hold the campaign and store its plan, all of it or nothing; one that is there stays.

    The plan is its messages and whom it leaves out.

    Args:
        journal: Where it goes.
        estimate: The plan.
        provider: Who is sent to, in one word: what one took another has not.
        now: When the campaign starts; its prices are those of this day.

    Raises:
        CampaignHeld: another run has it.
        PlanMismatch: the campaign was started with another plan, or for another provider.
        NotNow: it was started at another moment, perhaps with other prices and lists.
    """
    journal.hold(estimate.settings.campaign.name)
    totals = estimate.totals
    enlistment = Enlistment(
        campaign=estimate.settings.campaign.name,
        run=f"b{secrets.token_hex(5)}",
        fingerprint={**estimate.fingerprint, PROVIDER: provider},
        messages=totals.messages,
        segments=totals.segments,
        cost_micros=totals.cost_micros,
        currency=totals.currency,
        created_at=now,
    )
    campaign, frame = estimate.settings.campaign, pl.scan_parquet(estimate.plan_path)
    own = plan.media_column(campaign, frame.collect_schema().names())
    pictures = estimate.pictures
    payloads = plan.shard_payloads(
        frame,
        media=pictures.named(campaign.media),
        media_column=own,
        pictures=pictures.references,
        has_groups=estimate.groups is not None,
    )
    shards = (
        Shard(number=number, rows=rows, payload=payload)
        for number, (rows, payload) in enumerate(payloads)
    )
    try:
        kept = journal.enlist(enlistment, shards, left_out=barring.freeze(frame))
    except PlanMismatch as error:
        raise _mismatch(error.changed, estimate) from None

    if kept.created_at != now:
        raise NotNow(
            f"another run has begun campaign '{campaign.name}' meanwhile: run the same command "
            "again to go on with it"
        )

    return kept


def refuse_mismatch(earlier: Enlistment, estimate: Estimate) -> None:
    """Make sure that a plan made again is the one that was enlisted.

    Raises:
        PlanMismatch: they differ; names the parts, and the recipients' file.
    """
    known = {part: value for part, value in earlier.fingerprint.items() if part != PROVIDER}
    if changed := changed_parts(known, estimate.fingerprint):
        raise _mismatch(changed, estimate)


def _mismatch(changed: Sequence[str], estimate: Estimate) -> PlanMismatch:
    first, *others = (Path(file).name for file in estimate.file["files"])
    more = f" and {len(others)} more" if others else ""
    return PlanMismatch(estimate.settings.campaign.name, changed, file=first + more)


def job_of(estimate: Estimate, *, account: str) -> Job:
    """Return what a worker of this very process is to send; its owner's name is never reused."""
    settings = estimate.settings
    return Job(
        campaign=settings.campaign.name,
        owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}",
        pace=Pace(
            account=account,
            rate_segments_per_second=settings.rate_segments_per_second * RATE_SHARE,
        ),
        budget=Budget(
            campaign_micros=_micros(settings.budget), day_micros=_micros(settings.daily_budget)
        ),
        read_shard=plan.read_shard,
    )


def _micros(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * MICROS_PER_UNIT)


def forget_finished_simulation(folder: Path, estimate: Estimate) -> None:
    """Remove a simulation's journal, unless it holds this very plan and is not through.

    The handsets of a simulation live as long as its process: a finished one starts over, an
    interrupted one goes on.

    Raises:
        CampaignHeld: it is running.
    """
    name = estimate.settings.campaign.name
    journal = find_journal(simulation_url(folder, name))
    if journal is None:
        return

    with closing(journal):
        journal.hold(name)
        tally, earlier = journal.tally(name), journal.enlistment(name)

    goes_on = tally is not None and bool(tally.states.get(MessageState.READY))
    if goes_on and earlier is not None:
        with suppress(PlanMismatch):
            refuse_mismatch(earlier, estimate)
            return

    remove_simulation(folder, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """The result table, twice."""

    parquet: Path
    csv: Path
    #: State (or ``skipped``) -> rows; adds up to the rows of the recipient file.
    states: Mapping[str, int]
    #: Sum of `cost`, in millionths of the currency; messages in doubt are not in it.
    cost_micros: int
    #: Why the listing left messages in doubt; nothing of those it was not asked about.
    evidence: tuple[Evidence, ...] = ()
    #: The messages that the provider counted otherwise, by cause; empty where there are none.
    drift: tuple[DriftGroup, ...] = ()
    #: The rows of `drift`; None where there are none.
    drift_csv: Path | None = None


def write_results(
    journal: Journal, estimate: Estimate, folder: Path, *, now: datetime
) -> ResultFiles:
    """Write the results of the campaign, atomically, and count the states.

    results.parquet and results.csv have every row; drift.csv is written, or removed, as there are
    messages that the provider counted otherwise.

    Raises:
        BandcastError: they cannot be written; the journal still has them.
    """
    name = estimate.settings.campaign.name
    evidence, silence = journal.evidence(name), estimate.settings.settling.silence
    frame = results_frame(
        pl.scan_parquet(estimate.plan_path),
        journal.rows(name),
        decisions=journal.decisions(name),
        evidence=evidence,
        silent_since=now - silence,
    )
    parquet, csv = folder / "results.parquet", folder / "results.csv"
    drift_csv = folder / "drift.csv"
    try:
        tables.write_parquet(frame, parquet)
        written = pl.scan_parquet(parquet)
        tables.write_csv(written, csv)
        drift = _write_drift(written, drift_csv)
    except OSError as error:
        raise BandcastError(
            f"{folder}: the results cannot be written there: {error.strerror}; make room, then run "
            "`bandcast results`: the journal knows what was sent"
        ) from None

    tally = written.group_by("state").agg(pl.len().alias("rows"), pl.col("cost").sum()).collect()
    found = {state: rows for state, rows, _ in tally.iter_rows()}
    known = [*(state.value for state in MessageState), UNCONFIRMED, SKIPPED]
    if sum(found.values()) != estimate.totals.rows:
        raise JournalError(
            f"the results of campaign '{name}' lack rows of its plan "
            f"({counted(estimate.totals.rows, 'row')}): run 'bandcast results' to write them again"
        )

    return ResultFiles(
        parquet=parquet,
        csv=csv,
        states={state: found[state] for state in known if state in found},
        cost_micros=sum(int(cost * 1_000_000) for *_, cost in tally.iter_rows() if cost),
        evidence=tuple(evidence),
        drift=drift,
        drift_csv=drift_csv if drift else None,
    )


def _write_drift(results: pl.LazyFrame, path: Path) -> tuple[DriftGroup, ...]:
    drifting = drift_frame(results).collect(engine="streaming")
    if drifting.is_empty():
        path.unlink(missing_ok=True)
    else:
        tables.write_csv(drifting.lazy(), path)

    return drift_groups(drifting)
