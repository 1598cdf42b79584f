"""What the memory journal holds: immutable rows in dictionaries, so that a copy is a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import NamedTuple

from pipeline.journal import (
    Decision,
    Enlistment,
    Evidence,
    Grant,
    Heard,
    Intent,
    MessageRecord,
    Pace,
    Past,
    Shard,
    Sums,
    Suppression,
    rules,
)
from pipeline.journal.groups import told_to
from pipeline.journal.reservation import Reservation
from pipeline.journal.settling import How
from pipeline.journal.spending import Price, moved
from pipeline.lifecycle import MessageState
from pipeline.model import AttemptId, Receipt
from pipeline.wishes import Word

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Purse(NamedTuple):
    """Where the money of messages is counted: of those a campaign began on one UTC day."""

    campaign: str
    account: str
    day: int


class Entry(NamedTuple):
    """A message somebody tried to send, with what only the journal needs."""

    record: MessageRecord
    shard: int
    #: Of the latest attempt; None where there was none.
    owner: str | None
    #: By the latest attempt.
    price: Price = Price()
    #: Of the latest attempt; None where there was none.
    purse: Purse | None = None
    #: The latest attempt; None where there was none.
    begun_at: datetime | None = None
    #: Of a group the row that its attempts are begun under, and this row's recipient.
    group_row: int | None = None
    recipient: str | None = None

    @property
    def first_row(self) -> int:
        """The row that its attempts are begun under."""
        return self.record.row if self.group_row is None else self.group_row


class Explained(NamedTuple):
    """Whose a message id is that no message carries as its own."""

    campaign: str
    row: int
    how: How


class Lifted(NamedTuple):
    """A suppression that somebody took back."""

    suppression: Suppression
    by: str
    because: str
    at: datetime


class Kept(NamedTuple):
    """A receipt as it came."""

    raw: bytes
    came_at: datetime
    #: The (campaign, row) it belongs to, where that is known.
    addressee: tuple[str, int] | None


class Addressee(NamedTuple):
    """Which attempt a receipt speaks of."""

    campaign: str
    row: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A shard and who has it."""

    shard: Shard
    #: None of its messages is READY or SENDING.
    done: bool = False
    token: int = 0
    owner: str | None = None
    lease_until: datetime = LONG_AGO


@dataclass(slots=True)
class Tables:
    """Everything that a transaction can undo."""

    campaigns: dict[str, Enlistment] = field(default_factory=dict)
    #: Campaign -> whom its plan leaves out.
    left_out: dict[str, bytes | None] = field(default_factory=dict)
    #: (campaign, shard number) -> the shard.
    places: dict[tuple[str, int], Place] = field(default_factory=dict)
    #: (campaign, row) -> the message.
    messages: dict[tuple[str, int], Entry] = field(default_factory=dict)
    #: (campaign, key) -> the one row that has it.
    keys: dict[tuple[str, str], int] = field(default_factory=dict)
    #: The attempts that another one followed.
    earlier: dict[Addressee, Past] = field(default_factory=dict)
    #: By message id.
    explained: dict[str, Explained] = field(default_factory=dict)
    #: By (campaign, row).
    evidence: dict[tuple[str, int], Evidence] = field(default_factory=dict)
    #: In the order they came.
    receipts: dict[Receipt, Kept] = field(default_factory=dict)
    #: By (message id, our number), in the order they came.
    inbound: dict[tuple[str, str], Heard] = field(default_factory=dict)
    #: By E.164 number.
    last_words: dict[str, Word] = field(default_factory=dict)
    #: By E.164 number.
    suppressed: dict[str, Suppression] = field(default_factory=dict)
    #: In the order they were lifted, numbered from 0.
    lifted: dict[int, Lifted] = field(default_factory=dict)
    accounts: dict[str, Reservation] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    #: What all messages of a purse hold together.
    spending: dict[Purse, Sums] = field(default_factory=dict)
    #: (campaign, decision), in the order they were taken, numbered from 0.
    events: dict[int, tuple[str, Decision]] = field(default_factory=dict)
    #: By campaign.
    pauses: dict[str, Decision] = field(default_factory=dict)

    def snapshot(self) -> Tables:
        """Return a copy that later changes do not reach."""
        return Tables(*(getattr(self, each.name).copy() for each in fields(self)))

    def restore(self, snapshot: Tables) -> None:
        """Make everything what it was."""
        for each in fields(self):
            setattr(self, each.name, getattr(snapshot, each.name))

    def campaign_of(self, run: str) -> str | None:
        """Find the campaign whose tags begin with `run`."""
        plans = self.campaigns.items()
        return next((name for name, plan in plans if plan.run == run), None)

    def places_of(self, campaign: str) -> list[Place]:
        """List the campaign's shards."""
        return [place for (name, _), place in self.places.items() if name == campaign]

    def place_of(self, grant: Grant) -> Place | None:
        """Find the shard of a grant, where the grant still holds."""
        place = self.places.get((grant.campaign, grant.shard))
        ours = place is not None and (place.token, place.owner) == (grant.token, grant.owner)
        return place if ours else None

    def remove_plan(self, campaign: str) -> None:
        """Forget the campaign's shards, and what was tried of them."""
        self.places = {key: each for key, each in self.places.items() if key[0] != campaign}
        self.messages = {key: each for key, each in self.messages.items() if key[0] != campaign}
        self.keys = {key: row for key, row in self.keys.items() if key[0] != campaign}
        self.earlier = {key: each for key, each in self.earlier.items() if key[0] != campaign}
        self.evidence = {key: each for key, each in self.evidence.items() if key[0] != campaign}

    def entries_of(self, campaign: str, shard: int | None = None) -> list[Entry]:
        """List the campaign's messages, or those of one shard."""
        return [
            entry
            for (name, _), entry in self.messages.items()
            if name == campaign and shard in (None, entry.shard)
        ]

    def group_of(self, campaign: str, entry: Entry) -> list[Entry]:
        """List the rows of a message: all of a group, or the one that there is."""
        if entry.group_row is None:
            return [entry]

        together = self.entries_of(campaign, entry.shard)
        return [each for each in together if each.group_row == entry.group_row]

    def refusal(self, campaign: str, part: Intent) -> str | None:
        """Say why a recipient may not be texted; None where he may."""
        if any(number in self.suppressed for number in part.to):
            return rules.SUPPRESSED

        return rules.DUPLICATE if self.is_duplicate(campaign, part) else None

    def is_duplicate(self, campaign: str, part: Intent) -> bool:
        """Tell whether another row has the key."""
        return self.keys.get((campaign, part.key), part.row) != part.row

    def attempted(self, attempt: AttemptId) -> Addressee | None:
        """Find the message that this attempt was begun for."""
        campaign = self.campaign_of(attempt.run)
        entry = self.messages.get((campaign or "", attempt.row))
        known = entry is not None and 1 <= attempt.number <= entry.record.attempts
        return Addressee(campaign, attempt.row, attempt.number) if campaign and known else None

    def addressee(self, receipt: Receipt) -> Addressee | None:
        """Find the attempt of a receipt: by its tag, else by its id."""
        attempt = AttemptId.from_tag(receipt.tag)
        if attempt is not None and (found := self.attempted(attempt)) is not None:
            return found

        wanted = receipt.message_id
        past = (each for each, past in self.earlier.items() if past.message_id == wanted)
        latest = (
            Addressee(campaign, each.first_row, each.record.attempts)
            for (campaign, _), each in self.messages.items()
            if each.record.message_id == wanted
        )
        return next(past, None) or next(latest, None)

    def write(
        self, campaign: str, entry: Entry, record: MessageRecord, price: Price | None = None
    ) -> None:
        """Store the entry with its new record; a shard with a READY message is not done."""
        price = price or entry.price
        self.messages[campaign, record.row] = entry._replace(record=record, price=price)
        self.spend(entry, moved(entry.record, record, entry.price, price))
        if record.key is not None:
            self.keys[campaign, record.key] = record.row

        if record.state == MessageState.READY:
            self.put(campaign, replace(self.places[campaign, entry.shard], done=False))

    def keep_earlier(self, campaign: str, entry: Entry) -> None:
        """Remember an attempt that another one follows, and its id; its evidence is void."""
        record = entry.record
        self.evidence.pop((campaign, record.row), None)
        if record.attempts:
            attempt = Addressee(campaign, record.row, record.attempts)
            self.earlier[attempt] = Past(
                owner=entry.owner,
                message_id=record.message_id,
                error_code=record.error_code,
                begun_at=entry.begun_at,
                is_doubtful=entry.price.is_released,
            )

        if record.message_id is not None:
            self.explain((campaign, record.row), record.message_id, How.EARLIER)

    def apply_kept(self, addressee: Addressee, message_id: str) -> None:
        """Apply the receipts of a message id, which is now known to be this attempt's."""
        past, key = self.earlier.get(addressee), addressee[:2]
        if past is not None:
            kept_id = past.message_id or message_id
            self.earlier[addressee] = past._replace(message_id=kept_id)
            self.explain(key, message_id, How.EARLIER)

        for receipt, kept in list(self.receipts.items()):
            if kept.addressee is None and receipt.message_id == message_id:
                self.receipts[receipt] = kept._replace(addressee=key)
                for entry in self.group_of(key[0], self.messages[key]):
                    news = told_to(entry.recipient, receipt)
                    self.write(key[0], entry, rules.told(entry.record, news, past))

        if self.messages[key].record.message_id != message_id:
            self.explain(key, message_id, How.BESIDE)

    def explain(self, key: tuple[str, int], message_id: str, how: How) -> bool:
        """Claim a message id for a message; False where it is another one's."""
        owners = [
            (campaign, each.first_row)
            for (campaign, _), each in self.messages.items()
            if each.record.message_id == message_id
        ]
        if any(owner != key for owner in owners):
            return False

        known = self.explained.setdefault(message_id, Explained(*key, how))
        return known[:2] == key

    def spend(self, entry: Entry, more: Sums) -> None:
        """Add to the purse of a message."""
        if entry.purse is not None:
            self.spending[entry.purse] = self.spending.get(entry.purse, Sums()).plus(more)

    def put(self, campaign: str, place: Place) -> None:
        """Store a shard."""
        self.places[campaign, place.shard.number] = place
