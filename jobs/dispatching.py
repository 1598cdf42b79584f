"""Puts a worker, a provider and a person at the keyboard together in one event loop."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import anyio
from pydantic import SecretStr

from jobs.budgets import standing
from jobs.ending import obey_journal, obey_signals
from jobs.progress import Progress, watch
from jobs.settling import settle_doubts
from pipeline.account import Account, ClientCredentials
from pipeline.bandwidth.client import BandwidthClient, client_of
from pipeline.campaign import job_of
from pipeline.dispatch.pace import SteadyClock, quiet_the_collector
from pipeline.dispatch.sender import Counts, Wire
from pipeline.dispatch.stop import Stop, StopReason
from pipeline.dispatch.worker import MOST_LANES, Worker
from pipeline.estimate import Estimate
from pipeline.journal import Journal, Spending, Tally
from pipeline.journal.committer import Committer
from pipeline.lifecycle import SETTLED, MessageState
from pipeline.members import USUAL_MEMBERS
from pipeline.model import Inbound
from pipeline.prepare.plan import read_shard
from pipeline.settle.receipts import Events, Receiver, keep_events
from pipeline.settle.reconcile import Reconciler
from pipeline.settle.serving import listening
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.server import EmbeddedSimulator, listen
from pipeline.spelling import being
from pipeline.uploads import Uploading

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A provider in this very process."""

    behaviour: Behaviour
    seed: int


#: Whom to send to.
Provider = Account | Simulated

#: How long a simulated run waits for its delivery receipts.
_RECEIPTS_SECONDS = 5.0
#: When a simulated run looks at the listing, instead of when the campaign says.
_SIMULATED_LOOKS = (0.25, 1.0, 2.0)
#: The ends after which the listing is not asked: somebody waits, or it would not answer.
_UNSETTLED = frozenset({StopReason.ASKED, StopReason.PAUSED, StopReason.REFUSED, StopReason.BROKEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """What one run did."""

    counts: Counts
    tally: Tally
    #: When the run had ended.
    spending: Spending
    duration_seconds: float
    is_simulated: bool
    stopped: StopReason | None
    #: Why it stopped, in a sentence; where that was a budget, also how the money stands.
    because: str


def identity(provider: Provider) -> str:
    """Name the provider in one word, without a secret: what one took, another has not."""
    if isinstance(provider, Simulated):
        return "simulated"

    return hashlib.sha256(f"{provider.account_id} {provider.messaging_url}".encode()).hexdigest()[
        :16
    ]


async def dispatch(
    estimate: Estimate,
    journal: Journal,
    provider: Provider,
    *,
    until: datetime | None = None,
    quiet: bool,
) -> Dispatched:
    """Send what is left of an enlisted campaign until its end, a signal, a pause or trouble.

    Raises:
        JournalError: the journal can record no more.
    """
    stop, clock = Stop(until=until, clock=_wall_clock), SteadyClock(datetime.now(UTC))
    is_simulated = isinstance(provider, Simulated)
    account = "simulated" if isinstance(provider, Simulated) else provider.account_id
    job = job_of(estimate, account=account)
    committer = Committer(
        journal,
        pace=job.pace,
        budget=job.budget,
        lease_seconds=job.lease_seconds,
        clock=_wall_clock,
        lanes_clock=clock,
    )
    quiet_the_collector()
    connected = _connected(provider, estimate, committer, clock, stop)
    async with committer, connected as (wire, client):
        await _spare(client, committer, job.campaign, stop, quiet=quiet)
        before = await committer.call(lambda journal: journal.tally(job.campaign))
        worker = Worker(job, committer=committer, wire=wire, stop=stop, clock=clock)
        progress = Progress(worker, estimate, settled_before=_settled(before))
        began = time.monotonic()
        look = partial(obey_journal, stop, committer, job.campaign)
        await _attended(worker, progress, stop, look, quiet=quiet)
        duration = time.monotonic() - began
        if stop.reason not in _UNSETTLED and not stop.at_once:
            await _settle(client, committer, estimate, is_simulated=is_simulated, quiet=quiet)

    tally = journal.tally(job.campaign)
    assert tally is not None  # it was enlisted
    spending = journal.spending(job.campaign, account=account, now=clock())
    return Dispatched(
        counts=worker.counts,
        tally=tally,
        spending=spending,
        duration_seconds=duration,
        is_simulated=is_simulated,
        stopped=stop.reason,
        because=_because(stop, tally, estimate, spending),
    )


def _because(stop: Stop, tally: Tally, estimate: Estimate, spending: Spending) -> str:
    left = tally.states.get(MessageState.READY, 0)
    if stop.reason is StopReason.BUDGET:
        return f"{stop.because}: {standing(estimate, spending, left=left)}"

    if stop.at_once:
        doubts = tally.states.get(MessageState.IN_DOUBT, 0)
        return (
            f"{stop.because}, and at once by a second signal: {being(doubts, 'message')} "
            f"in doubt, and {being(left, 'other')} left"
        )

    return stop.because


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _settled(tally: Tally | None) -> int:
    return sum(count for state, count in tally.states.items() if state in SETTLED) if tally else 0


@asynccontextmanager
async def _connected(
    provider: Provider,
    estimate: Estimate,
    committer: Committer,
    clock: Callable[[], datetime],
    stop: Stop,
) -> AsyncIterator[tuple[Wire, BandwidthClient]]:
    """Yield the wire of the account, or of a simulator whose receipts come to our own journal."""
    if isinstance(provider, Account):
        async with _wired(provider, estimate, stop) as wired:
            yield wired

        return

    async def keep(events: Events) -> list[Inbound]:
        return await committer.call(lambda journal: keep_events(journal, events, now=clock()))

    async with listening(Receiver(keep).app, listen()) as callback_url:
        app = make_app(
            provider.behaviour,
            seed=provider.seed,
            callback_url=callback_url,
            max_recipients=max(USUAL_MEMBERS, estimate.settings.campaign.group_limit),
        )
        with EmbeddedSimulator(app) as simulator:
            account = Account(
                account_id="simulated",
                application_id="simulated",
                credentials=ClientCredentials(client_id="any", client_secret=SecretStr("any")),
                messaging_url=simulator.url,
                token_url=simulator.token_url,
            )
            async with _wired(account, estimate, stop) as wired:
                yield wired


@asynccontextmanager
async def _wired(
    account: Account, estimate: Estimate, stop: Stop
) -> AsyncIterator[tuple[Wire, BandwidthClient]]:
    delivery, pictures = estimate.settings.delivery, estimate.pictures.by_reference
    client = client_of(
        account, lanes=MOST_LANES, delivery=delivery, may_leave=lambda: not stop.requested
    )
    async with client:
        yield Uploading(client, pictures, _wall_clock) if pictures else client, client


async def _spare(
    client: BandwidthClient, committer: Committer, campaign: str, stop: Stop, *, quiet: bool
) -> None:
    """Ask the listing before released messages are sent again: who has the text needs no other.

    Where it does not answer they are sent all the same: a person has decided so.
    """
    reconciler = _reconciler(client, committer)
    doubts = await reconciler.doubts(campaign)
    if not any(each.state is MessageState.READY for each in doubts):
        return

    settled = await settle_doubts(reconciler, campaign, (0.0,), quiet=quiet)
    if settled.failure is not None:
        log.warning("%s; what was released is sent again", settled.failure)

    if settled.is_interrupted:
        stop.request(StopReason.ASKED, "stopped while the listing was asked")


def _reconciler(client: BandwidthClient, committer: Committer) -> Reconciler:
    return Reconciler(client=client, call=committer.call, read_shard=read_shard, clock=_wall_clock)


async def _attended(
    worker: Worker,
    progress: Progress,
    stop: Stop,
    look: Callable[[], Coroutine[None, None, None]],
    *,
    quiet: bool,
) -> None:
    """Run the worker under the eyes of a person: a display, and an ear for what ends it."""
    async with anyio.create_task_group() as attendants:
        attendants.start_soon(obey_signals, stop, attendants.cancel_scope)
        attendants.start_soon(look)
        attendants.start_soon(lambda: watch(progress, quiet=quiet))
        await worker.run()
        attendants.cancel_scope.cancel()


async def _settle(
    client: BandwidthClient,
    committer: Committer,
    estimate: Estimate,
    *,
    is_simulated: bool,
    quiet: bool,
) -> None:
    """Ask the listing about what is in doubt, also from earlier runs."""
    reconciler = _reconciler(client, committer)
    looks = _SIMULATED_LOOKS if is_simulated else estimate.settings.settling.seconds
    campaign = estimate.settings.campaign.name
    settled = await settle_doubts(reconciler, campaign, looks, quiet=quiet)
    if settled.failure is not None and settled.left:
        log.warning("%s; what is in doubt stays so", settled.failure)

    if is_simulated and not settled.is_interrupted:
        await _receipts(committer, campaign)


async def _receipts(committer: Committer, campaign: str) -> None:
    """Give the simulator's receipts a moment to come in."""
    with anyio.move_on_after(_RECEIPTS_SECONDS):
        while True:
            tally = await committer.call(lambda journal: journal.tally(campaign))
            if tally is None or not tally.states.get(MessageState.ACCEPTED):
                return

            await anyio.sleep(0.1)
