"""What goes into a journal and comes out of it: plain data, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pipeline.lifecycle import MessageState
from pipeline.model import AttemptId, Outcome, Wish


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
class Budget:
    """What may be spent, in millionths of the campaign's currency; None is no limit.

    No part of the plan: it may be raised between two runs.
    """

    #: By the campaign, from its first message to its last.
    campaign_micros: int | None = None
    #: By the account on one UTC day, by all its campaigns of this currency together.
    day_micros: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The wish to POST one message once."""

    row: int
    key: str
    to: tuple[str, ...]
    segments: int
    #: The most that the message can cost, by our count of segments.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBudget:
    """Nothing was recorded: with this message, spent and reserved would pass a budget."""

    row: int
    #: Whose budget: ``campaign`` or ``day``.
    budget: str


Answer = Permit | Later | Denied | OverBudget


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
    #: What attempts before the latest cost that failed and were followed by another one.
    earlier_micros: int = 0


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


class Sums(NamedTuple):
    """Money of some messages, in millionths; each message is in one of the three."""

    #: Reserved by attempts that are open.
    sending: int = 0
    #: Reserved by messages in doubt.
    in_doubt: int = 0
    #: By messages that the provider took, and by doubts that an operator released.
    spent: int = 0

    @property
    def total(self) -> int:
        """What a budget has to cover."""
        return self.sending + self.in_doubt + self.spent

    def plus(self, other: Sums) -> Sums:
        """Return the sums of both."""
        return Sums(
            self.sending + other.sending, self.in_doubt + other.in_doubt, self.spent + other.spent
        )

    def minus(self, other: Sums) -> Sums:
        """Return what is left without the other's."""
        return Sums(
            self.sending - other.sending, self.in_doubt - other.in_doubt, self.spent - other.spent
        )


class Spending(NamedTuple):
    """What a budget is compared with."""

    #: Of the campaign.
    campaign: Sums = Sums()
    #: Of its account on one UTC day, in the campaign's currency.
    day: Sums = Sums()


class Heard(NamedTuple):
    """An inbound message as it came."""

    message_id: str
    #: Our number.
    to: str
    sender: str
    #: The word that the whole message is, where it is one.
    wish: Wish | None
    #: The event, JSON: it holds the text.
    raw: bytes
    #: Of the event.
    time: datetime
    came_at: datetime


class Suppression(NamedTuple):
    """A number that gets no texts."""

    #: E.164.
    number: str
    #: Where it came from: ``reply``, ``opted_out``, ``dead_number``, a file's name, ``operator``.
    source: str
    #: In the words of whoever added it.
    because: str
    at: datetime


class Past(NamedTuple):
    """An attempt that another one followed."""

    owner: str | None
    message_id: str | None = None
    #: What it failed with; None where it did not fail (not sent, or a doubt that was released).
    error_code: str | None = None
    begun_at: datetime | None = None
    #: An operator released its doubt.
    is_doubtful: bool = False


class Decision(NamedTuple):
    """What a person decided about a message or a campaign."""

    #: 0 is the whole campaign.
    row: int
    #: ``release``, ``write_off``, ``retry``, ``pause`` or ``resume``.
    kind: str
    by: str
    #: In the words of whoever decided.
    because: str
    at: datetime
