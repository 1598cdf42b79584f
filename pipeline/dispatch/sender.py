"""One message, through its attempts: intent, slot, POST, outcome. The heart of the promise.

    begin (durable) ─> slot ─> POST ─> finish          one attempt, one POST, one outcome

The POST happens only under a permit, and a permit is used once. Whatever interrupts the POST leaves
the outcome InDoubt, written before anything else happens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

from pipeline.dispatch.pace import Pacer
from pipeline.dispatch.retries import Patience, try_again
from pipeline.dispatch.room import Room
from pipeline.dispatch.stop import Stop, StopReason
from pipeline.errors import BandcastError, CredentialsError
from pipeline.journal import Denied, Finish, Grant, Intent, Later, OverBudget, Permit
from pipeline.journal.committer import Committer
from pipeline.model import Accepted, Halted, InDoubt, Message, NotSent, Outcome, Rejected


class Wire(Protocol):
    """What dispatch asks of the provider's client."""

    async def ready(self, message: Message, /) -> NotSent | None:
        """Wait for all that its POST needs, but for its slot; say why it cannot be sent now."""

    async def send(self, message: Message, *, tag: str) -> Outcome:
        """POST the message once and say what it came to. Never tries again by itself."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What this run has done so far; the one mutable thing lanes share with the display.

    A group message counts for each of its recipients, as in plan, journal and results.
    """

    accepted: int = 0
    rejected: int = 0
    in_doubt: int = 0
    #: Attempts that were proved not sent (a message may have several).
    not_sent: int = 0
    #: Refused by our own journal at the moment of sending: suppressed, duplicate, or settled.
    denied: int = 0
    #: Messages left READY by this run after `Patience.tries`.
    given_up: int = 0
    #: Why the latest of them was not sent.
    given_up_because: str = ""
    #: Segments of accepted and doubtful messages: what may have used the rate.
    segments: int = 0
    #: Estimated cost of the same messages.
    cost_micros: int = 0
    #: Seconds the latest POSTs took.
    latencies: deque[float]


class Sender:
    """Sends messages of granted shards, one attempt at a time each."""

    def __init__(
        self,
        *,
        wire: Wire,
        committer: Committer,
        pacer: Pacer,
        patience: Patience,
        stop: Stop,
        clock: Callable[[], datetime],
    ) -> None:
        self._wire, self._committer, self._pacer = wire, committer, pacer
        self._patience, self._stop, self._clock = patience, stop, clock
        self._room = Room(committer, stop)
        self.counts = Counts(latencies=deque(maxlen=512))

    async def send(self, grant: Grant, message: Message) -> bool:
        """Take the message as far as it goes: to an outcome, or back to READY.

        Returns:
            False where it is READY still: given up, or stopped.

        Raises:
            Fenced: somebody else has the shard; nothing was sent under this grant.
            JournalError: the journal cannot record; nothing more may be sent.
        """
        outcome = await self._attempt(grant, message)
        if isinstance(outcome, NotSent) and not self._stop.requested:
            outcome = await try_again(
                lambda: self._attempt(grant, message), patience=self._patience, stop=self._stop
            )

        if isinstance(outcome, NotSent) and not self._stop.requested:
            self.counts.given_up += len(message.to)
            self.counts.given_up_because = outcome.reason
            if self._pacer.is_in_trouble:
                because = f"the provider took no message for a while ({outcome.reason})"
                self._stop.request(StopReason.UNREACHABLE, because)

        return not isinstance(outcome, NotSent | Halted | None)

    async def _attempt(self, grant: Grant, message: Message) -> Outcome | Denied | None:
        await self._pacer.opened()
        if (unready := await self._ready(message)) is not None:
            return unready

        permit = await self._permit(grant, message)
        if not isinstance(permit, Permit):
            return permit

        outcome: Outcome = NotSent(reason="stopped, or too late for its slot")
        try:
            if await self._pacer.slot(permit.start_at, message.segments):
                outcome = InDoubt(reason="interrupted while sending")
                outcome = await self._post(message, permit)
        finally:
            finish = Finish(
                attempt=permit.attempt, owner=grant.owner, outcome=outcome, at=self._clock()
            )
            self._committer.finish(finish)
            self._room.closed()
            self._count(message, outcome)

        return outcome

    async def _ready(self, message: Message) -> NotSent | Halted | None:
        try:
            unready = await self._wire.ready(message)
        except CredentialsError as error:
            self._stop.request(StopReason.REFUSED, str(error))
            return Halted(reason=str(error), http_status=401)
        except BandcastError as error:  # what this message needs cannot be had
            self._stop.request(StopReason.UNREACHABLE, str(error))
            return NotSent(reason=type(error).__name__)

        if unready is not None:
            self._pacer.failed(unready)

        return unready

    async def _permit(self, grant: Grant, message: Message) -> Permit | Denied | None:
        intent = Intent(
            row=message.row,
            key=message.key,
            to=message.to,
            segments=message.segments,
            cost_micros=message.cost_micros,
            members=message.members,
        )
        while not self._stop.requested:
            answer = await self._room.ask(grant, intent)
            match answer:
                case Permit() as permit:
                    return permit
                case Later(ask_at=ask_at):
                    await self._pacer.until(ask_at)
                case Denied() as denied:
                    self.counts.denied += len(message.to)
                    return denied
                case OverBudget():
                    return None
                case _:
                    assert_never(answer)

        return None

    async def _post(self, message: Message, permit: Permit) -> Outcome:
        started = self._clock()
        try:
            outcome = await self._wire.send(message, tag=permit.attempt.tag)
        except CredentialsError as error:
            outcome = Halted(reason=str(error), http_status=401)

        self.counts.latencies.append((self._clock() - started).total_seconds())
        match outcome:
            case NotSent():
                self._pacer.failed(outcome)
            case Halted(reason=reason):
                self._stop.request(StopReason.REFUSED, reason)
            case Accepted() | Rejected():
                self._pacer.succeeded()
            case InDoubt():
                self._pacer.doubted(outcome)
            case _:
                assert_never(outcome)

        return outcome

    def _count(self, message: Message, outcome: Outcome) -> None:
        counts, recipients = self.counts, len(message.to)
        match outcome:
            case Accepted():
                counts.accepted += recipients
            case Rejected():
                counts.rejected += recipients
            case InDoubt():
                counts.in_doubt += recipients
            case NotSent() | Halted():
                counts.not_sent += 1
            case _:
                assert_never(outcome)

        if isinstance(outcome, Accepted | InDoubt):
            counts.segments += message.segments
            counts.cost_micros += message.cost_micros
