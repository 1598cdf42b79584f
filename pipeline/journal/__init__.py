"""The truth: who was sent what, durable before it happens. These docstrings are the specification.

A plan is enlisted once, cut into shards. A worker takes a shard under a lease and gets a fencing
token. It begins attempts (the intents, durable when `begin` returns), POSTs, and finishes them with
outcomes. A message has a row only once somebody tried to send it: absence means READY.

    enlist ─> take ─> begin ─> (POST) ─> finish ─> leave        receive, hear: at any time

A group message has a row for each recipient, with a state of its own; they are begun, finished and
released together, under the attempt of the first (see `groups`).

Every method is one durable transaction; inside `with journal.transaction():` several become one.
All are synchronous and for one thread at a time: `committer.Committer` is the asynchronous side.
Stores: `memory` (the readable reference) and `sqlite` (the embedded default).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from pipeline.journal.deciding import Deciding as Deciding
from pipeline.journal.opening import open_journal as open_journal
from pipeline.journal.settling import Candidate as Candidate
from pipeline.journal.settling import Doubt as Doubt
from pipeline.journal.settling import Evidence as Evidence
from pipeline.journal.settling import Proof as Proof
from pipeline.journal.settling import Settlement
from pipeline.journal.words import Answer as Answer
from pipeline.journal.words import Budget as Budget
from pipeline.journal.words import Decision as Decision
from pipeline.journal.words import Denied as Denied
from pipeline.journal.words import Enlistment as Enlistment
from pipeline.journal.words import Finish as Finish
from pipeline.journal.words import Grant as Grant
from pipeline.journal.words import Heard as Heard
from pipeline.journal.words import Intent as Intent
from pipeline.journal.words import Later as Later
from pipeline.journal.words import MessageRecord as MessageRecord
from pipeline.journal.words import OverBudget as OverBudget
from pipeline.journal.words import Pace as Pace
from pipeline.journal.words import Past as Past
from pipeline.journal.words import Permit as Permit
from pipeline.journal.words import Shard as Shard
from pipeline.journal.words import Spending as Spending
from pipeline.journal.words import Sums as Sums
from pipeline.journal.words import Suppression as Suppression
from pipeline.journal.words import Tally as Tally
from pipeline.model import Inbound, Receipt

#: A reservation of the rate may not lie further ahead of now than this: the lane waits without an
#: intent instead, so a crash leaves little in doubt and a clock that jumped back cannot stall it.
MAX_LEAD_SECONDS = 2.0

#: Segments per second: what the provider gives a new account (support article 360014169214).
NEW_ACCOUNT_RATE = 1.0

#: Nothing is limited.
NO_BUDGET = Budget()


class Journal(Settlement, Deciding, Protocol):
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

    def enlist(
        self, enlistment: Enlistment, shards: Iterable[Shard], *, left_out: bytes | None = None
    ) -> Enlistment:
        """Store the plan with all its shards, or none of it; a campaign that was begun stays.

        One of which nothing can have left (`is_begun`) has not begun: this plan takes the place of
        what it had, also where it is the same, and attempts that surely failed are forgotten.
        Pauses stay. Who still has a shard of the plan before is fenced.

        `left_out` is whom the plan leaves out, compressed: a plan that is made again to go on with
        the campaign asks it, and not lists that may have changed. The journal never looks inside.

        Returns:
            What the journal now holds: `enlistment`, or the earlier one with its own `run`.

        Raises:
            PlanMismatch: the campaign was begun with another fingerprint; names the parts.
        """

    def take(
        self, campaign: str, *, owner: str, lease_seconds: float, now: datetime
    ) -> Grant | None:
        """Take the first open shard (by phase, then number) whose lease has run out.

        The token grows by one. Attempts of that shard still in SENDING belong to owners that are
        gone: they become IN_DOUBT. An owner's name is never reused, so what `owner` itself has it
        keeps, also where a clock that jumped says that its lease has run out.

        Returns:
            The grant, or None where no shard is free.
        """

    def begin(
        self,
        grant: Grant,
        intents: Sequence[Intent],
        *,
        pace: Pace,
        budget: Budget = NO_BUDGET,
        lease_seconds: float,
        now: datetime,
    ) -> list[Answer]:
        """Check the token, renew the lease, record the intents, reserve the money and the rate.

        For each intent in order: a recipient on the suppression list, or a key that another row of
        the campaign has, makes the message CANCELLED and is `Denied`; so is a message that is not
        READY. A group is refused as a whole: who is in it, and what they read, was settled with the
        plan. Where the account's reservation already lies more than `MAX_LEAD_SECONDS` ahead of
        `now` the answer is `Later` and nothing is recorded. Where what the campaign, or the account
        on the UTC day of `now`, has spent and reserved would pass `budget` with the cost of this
        message, the answer is `OverBudget` and nothing is recorded. Otherwise the message is
        SENDING, owned by ``grant.owner``, with the next attempt number, and its `Permit` starts at
        ``max(reserved, now)``, moving the reservation on by ``segments / rate``. A reservation
        further ahead than any permit could have moved it is a clock that jumped back, and is
        brought back. With no intents this only renews the lease.

        The cost stays reserved while the message is SENDING or IN_DOUBT. What the provider took is
        spent, by its own count of segments (`billing`); not sent, refused, or failed for free gives
        it back. What was begun on a day counts for that day. A release leaves the doubt's cost
        spent: nobody has proved that it was not billed.

        Raises:
            Fenced: the token moved on, the shard was left, or the plan is another one. Nothing was
                recorded.
        """

    def reserve(self, account: str, *, segments: int, now: datetime) -> datetime:
        """Reserve the account's rate for a text of no campaign; return when it may leave.

        At the rate at which the account was sent with last, and `NEW_ACCOUNT_RATE` where it never
        was. It may lie further ahead than `MAX_LEAD_SECONDS`: what asks after it waits for it.
        """

    def finish(self, finishes: Sequence[Finish]) -> None:
        """Record outcomes, matched by attempt and owner; never fenced, late knowledge is true.

        The event of each outcome goes through `lifecycle.transition`. An Accepted of an attempt
        that is no longer the latest counts as CONFIRM; other outcomes of it change nothing. Nor
        does anything about an attempt that has failed since, and whose message was sent again.
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
        by the `finish` that learns the id. `now` is when it came. Of a group it is applied to the
        recipient that it speaks of; to the others it proves that the provider has the message.

        The attempt that it speaks of is known by its tag, or by the id. A failure of any but the
        latest attempt changes nothing. Of an attempt that failed before `retry`, only a delivery
        does: it is believed, and the message is not sent again where it was not yet.

        A failure that says the recipient opted out, or that the number is dead (`wishes.bar_of`),
        puts him on the suppression list. An opt-out counts as a STOP at the time of the receipt.

        Returns:
            How many matched a message.
        """

    def hear(self, messages: Sequence[tuple[Inbound, bytes]], *, now: datetime) -> list[Inbound]:
        """Keep each inbound message with its raw JSON, and obey the word that it is (`wish_of`).

        A message is known by its id and the number of ours it came to; again it changes nothing.
        STOP puts the sender on the suppression list. START takes off what he asked for himself (a
        STOP, an opt-out at the carrier), and never what an operator or a dead number put there. By
        the time of the event an older word never overrules a newer one; at one moment STOP wins.

        Returns:
            The messages that came for the first time, which no later call returns: who answers one
            may do so once.
        """

    def heard(self) -> Iterator[list[Heard]]:
        """Yield what `hear` kept, in the order in which it came, in lists of up to 10,000."""

    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add E.164 numbers to the suppression list; returns how many are new. Never expires.

        What is known of a number stays, but for what it asked for itself: an operator's word, a
        list's or a dead number's takes the place of that, and a START does not take it back.
        """

    def lift(self, numbers: Iterable[str], *, by: str, because: str, now: datetime) -> int:
        """Take numbers off the suppression list on an operator's word.

        What was known of them is kept with the name and the reason; returns how many were on it.
        """

    def suppressions(self) -> Iterator[list[Suppression]]:
        """Yield the suppression list, by number, in lists of up to 10,000."""

    def payloads(self, campaign: str, shards: Collection[int] | None = None) -> Iterator[bytes]:
        """Yield what the shards of a campaign hold, by number; nothing where it is unknown.

        None of `shards` is all of them.
        """

    def spending(self, campaign: str, *, account: str, now: datetime) -> Spending:
        """Tell what the campaign, and `account` on the UTC day of `now`, has spent and reserved."""

    def tally(self, campaign: str) -> Tally | None:
        """Count the campaign's messages by state; None where the campaign is unknown."""

    def campaigns(self) -> list[str]:
        """Name every campaign, oldest first."""

    def enlistment(self, campaign: str) -> Enlistment | None:
        """Return the campaign as it was enlisted; None where it is unknown."""

    def is_begun(self, campaign: str) -> bool:
        """Tell whether the campaign has more behind it than attempts that were surely not sent.

        One message in any state but READY, one open or doubtful attempt, one error of the server,
        one message that was tried twice, one message id, one failure or one doubt that an operator
        released is more.
        """

    def left_out(self, campaign: str) -> bytes | None:
        """Return the `left_out` that `enlist` was given; None where the campaign is unknown.

        Also None for a campaign that was enlisted by a bandcast that did not keep it yet.
        """

    def rows(self, campaign: str) -> Iterator[list[MessageRecord]]:
        """Yield the messages somebody tried to send, by row, in lists of up to 10,000."""

    def close(self) -> None:
        """Release what `hold` took and close the store."""
