"""The truth: who was sent what, durable before it happens. These docstrings are the specification.

A plan is enlisted once, cut into shards. A worker takes a shard under a lease and gets a fencing
token. It begins attempts (the intents, durable when `begin` returns), POSTs, and finishes them with
outcomes. A message has a row only once somebody tried to send it: absence means READY.

    enlist ─> take ─> begin ─> (POST) ─> finish ─> leave        receive: receipts, at any time

Every method is one durable transaction; inside `with journal.transaction():` several become one.
All are synchronous and for one thread at a time: `committer.Committer` is the asynchronous side.
Stores: `memory` (the readable reference) and `sqlite` (the embedded default).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from pipeline.journal.opening import open_journal as open_journal
from pipeline.lifecycle import MessageState
from pipeline.model import AttemptId, Outcome, Receipt

#: A reservation of the rate may not lie further ahead of now than this: the lane waits without an
#: intent instead, so a crash leaves little in doubt and a clock that jumped back cannot stall it.
MAX_LEAD_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Rows of a plan that a worker takes together."""

    #: 0-based, in the order of the plan.
    number: int
    #: How many messages `payload` holds.
    rows: int
    #: The messages, compressed; the journal never looks inside.
    payload: bytes
    #: IANA time zone of its recipients, where known.
    zone: str | None = None
    #: Lower phases are taken first (canary).
    phase: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlistment:
    """A frozen plan, as the journal keeps it."""

    campaign: str
    #: An opaque word, unique to this campaign; the first part of every tag.
    run: str
    #: Name of a part of the plan (``recipients``, ``template``, ...) -> its digest.
    fingerprint: Mapping[str, str]
    #: Sendable messages in all shards together.
    messages: int
    #: Segments of all messages together.
    segments: int
    #: Estimated cost of all messages in millionths of `currency`.
    cost_micros: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A shard, taken: the right to begin attempts from it until the token moves on."""

    campaign: str
    run: str
    owner: str
    shard: int
    token: int
    payload: bytes
    #: Rows of the shard that need nothing more from a sender (every state but READY).
    settled: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The account's limit that `begin` reserves against, across processes and restarts."""

    account: str
    rate_segments_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The wish to POST one message once."""

    row: int
    key: str
    to: tuple[str, ...]
    segments: int
    cost_micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The intent is durable: its owner, and nobody else, may POST this attempt once."""

    attempt: AttemptId
    #: Not before this moment: the reserved slot of the account's rate.
    start_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Nothing was recorded: the rate is reserved too far ahead. Ask again at `ask_at`."""

    row: int
    ask_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """May not be sent now or ever by this call; the journal has recorded why where it is new."""

    row: int
    #: ``suppressed``, ``duplicate`` (both now CANCELLED), or the state that forbids an attempt.
    reason: str


Answer = Permit | Later | Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What an attempt came to, by its owner."""

    attempt: AttemptId
    owner: str
    outcome: Outcome
    at: datetime


class MessageRecord(NamedTuple):
    """A message somebody tried to send. Field order is the column order of `rows`."""

    row: int
    key: str | None
    state: str
    attempts: int
    message_id: str | None
    http_status: int | None
    error_code: str | None
    error: str | None
    accepted_at: datetime | None
    final_at: datetime | None
    segments_billed: int | None
    carrier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Where a campaign stands."""

    campaign: str
    messages: int
    segments: int
    cost_micros: int
    currency: str
    created_at: datetime
    #: Every state that occurs -> messages in it. READY includes the messages nobody tried yet.
    states: Mapping[MessageState, int] = field(default_factory=dict)


class Journal(Protocol):
    """Store of campaigns, shards, messages, receipts, suppressions and the account's pace."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make the calls inside one durable transaction: all of them happen, or none.

        Re-entrant. A call that raises `Fenced` has changed nothing and leaves the others intact;
        any other exception undoes the whole transaction, also where it was caught inside.
        """

    def hold(self, campaign: str) -> None:
        """Make this process the only runner of the campaign until `close` or its death.

        Leases of the campaign lapse at once, since nobody alive can own them. A second call of the
        holder changes nothing.

        Raises:
            CampaignHeld: another living process, or another journal object, holds it.
        """

    def enlist(self, enlistment: Enlistment, shards: Iterable[Shard]) -> Enlistment:
        """Store the plan with all its shards, or none of it; a campaign that exists stays as it is.

        Returns:
            What the journal now holds: `enlistment`, or the earlier one with its own `run`.

        Raises:
            PlanMismatch: the campaign exists with another fingerprint; names the parts.
        """

    def take(
        self, campaign: str, *, owner: str, lease_seconds: float, now: datetime
    ) -> Grant | None:
        """Take the first open shard (by phase, then number) whose lease has run out.

        The token grows by one. Attempts of that shard still in SENDING belong to owners that are
        gone: they become IN_DOUBT. An owner's name is never reused.

        Returns:
            The grant, or None where no shard is free.
        """

    def begin(
        self,
        grant: Grant,
        intents: Sequence[Intent],
        *,
        pace: Pace,
        lease_seconds: float,
        now: datetime,
    ) -> list[Answer]:
        """Check the token, renew the lease, record the intents, and reserve the rate last.

        For each intent in order: a recipient on the suppression list, or a key that another row of
        the campaign has, makes the message CANCELLED and is `Denied`; so is a message that is not
        READY. Where the account's reservation already lies more than `MAX_LEAD_SECONDS` ahead of
        `now` the answer is `Later` and nothing is recorded. Otherwise the message is SENDING, owned
        by ``grant.owner``, with the next attempt number, and its `Permit` starts at
        ``max(reserved, now)``, moving the reservation on by ``segments / rate``. A reservation
        further ahead than any permit could have moved it is a clock that jumped back, and is
        brought back. With no intents this only renews the lease.

        Raises:
            Fenced: the token moved on, or the shard was left. Nothing was recorded.
        """

    def finish(self, finishes: Sequence[Finish]) -> None:
        """Record outcomes, matched by attempt and owner; never fenced, late knowledge is true.

        The event of each outcome goes through `lifecycle.transition`. An Accepted of an attempt
        that is no longer the latest counts as CONFIRM; other outcomes of it change nothing.
        A receipt that arrived before its message id was known is applied now. A finish that fits no
        attempt is ignored.
        """

    def leave(self, grant: Grant) -> None:
        """Give the shard back: done where all its messages are settled, free to take otherwise.

        Settled is every state but READY and SENDING. A message that becomes READY again, also by a
        late outcome, opens its shard again. Changes nothing where the token has moved on.
        """

    def receive(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Keep each receipt with its raw JSON, and apply it to the message with its tag or its id.

        The same receipt twice changes nothing. One that matches no message yet is kept, and applied
        by the `finish` that learns the id. `now` is when it came.

        Returns:
            How many matched a message.
        """

    def release(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make IN_DOUBT messages READY again on an operator's word, recorded with the name.

        Their shards are open again. Rows in any other state are left alone.

        Returns:
            How many were released.
        """

    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add E.164 numbers to the suppression list; returns how many are new. Never expires."""

    def tally(self, campaign: str) -> Tally | None:
        """Count the campaign's messages by state; None where the campaign is unknown."""

    def campaigns(self) -> list[str]:
        """Name every campaign, oldest first."""

    def enlistment(self, campaign: str) -> Enlistment | None:
        """Return the campaign as it was enlisted; None where it is unknown."""

    def rows(self, campaign: str) -> Iterator[list[MessageRecord]]:
        """Yield the messages somebody tried to send, by row, in lists of up to 10,000."""

    def close(self) -> None:
        """Release what `hold` took and close the store."""
