"""Rows of the SQLite journal: how messages and receipts are found and written.

An UPDATE of a message repeats the state it was read in, so that a store with finer locks can keep
the same statements.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pipeline.errors import JournalError
from pipeline.journal import MessageRecord, Past, rules
from pipeline.journal.groups import told_to
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.settling import How
from pipeline.journal.spending import Price, moved
from pipeline.journal.sqlite_file import Row, SqliteFile
from pipeline.journal.sqlite_spending import Purses
from pipeline.lifecycle import MessageState
from pipeline.model import AttemptId, Receipt, ReceiptKind


class Entry(NamedTuple):
    """A message's row, with what only the journal needs."""

    record: MessageRecord
    campaign: int
    shard: int
    #: Of the latest attempt; None where there was none.
    owner: str | None
    #: By the latest attempt.
    price: Price
    #: The number of its purse, by the latest attempt; None where there was none.
    purse: int | None
    #: Of a group the row that its attempts are begun under, and this row's recipient.
    group_row: int | None = None
    recipient: str | None = None


class Addressee(NamedTuple):
    """Which attempt a receipt speaks of."""

    campaign: int
    row: int
    number: int


class Messages:
    """The messages of one file and the receipts about them; a change is booked in its purse."""

    def __init__(self, file: SqliteFile, purses: Purses) -> None:
        self._file, self._purses = file, purses

    def find(self, campaign: int, row: int) -> Entry | None:
        """Find a message by its place in the plan."""
        found = self._file.one("message", campaign, row)
        return None if found is None else _to_entry(found)

    def group_of(self, entry: Entry) -> list[Entry]:
        """List the rows of a message: all of a group, or the one that there is."""
        if entry.group_row is None:
            return [entry]

        rows = self._file.all("rows_of_group", entry.campaign, entry.group_row)
        found = (self.find(entry.campaign, row) for (row,) in rows)
        return [each for each in found if each is not None]

    def is_suppressed(self, numbers: Iterable[str]) -> bool:
        """Tell whether one of the numbers gets no texts."""
        return any(self._file.one("is_suppressed", number) for number in numbers)

    def is_duplicate(self, campaign: int, row: int, key: str) -> bool:
        """Tell whether another row has the key."""
        return self._file.one("row_of_key", campaign, key) not in (None, (row,))

    def attempted(self, attempt: AttemptId) -> Entry | None:
        """Find the message that this attempt was begun for."""
        found = self._file.one("message_of_run", attempt.run, attempt.row)
        entry = None if found is None else _to_entry(found)
        known = entry is not None and 1 <= attempt.number <= entry.record.attempts
        return entry if known else None

    def past(self, entry: Entry, number: int) -> Past | None:
        """Return an attempt of this message, None where it is the latest."""
        if number == entry.record.attempts:
            return None

        return Past(*self._file.all("earlier", entry.campaign, entry.record.row, number)[0])

    def add_attempted(self, entry: Entry, now: datetime) -> bool:
        """Record a first attempt; False where the message has a row or another row has its key.

        The caller reserves its cost.
        """
        record = rules.attempted(entry.record, entry.price)
        values = (record.key, record.state, record.attempts, entry.owner, *entry.price, entry.purse)
        place = (entry.campaign, record.row, entry.shard)
        return bool(self._file.run("add_attempted", *place, *values, to_micros(now)))

    def keep_earlier(self, entry: Entry) -> None:
        """Remember an attempt that another one follows, and its id; its evidence is void."""
        place, message_id = (entry.campaign, entry.record.row), entry.record.message_id
        self._file.run("keep_earlier", *place)
        self._file.run("forget_evidence", *place)
        if message_id is not None:
            self.explain(*place, message_id, How.EARLIER)

    def attempt_again(
        self, entry: Entry, owner: str, price: Price, purse: int, now: datetime
    ) -> int:
        """Record the next attempt of a message; return its number. The caller reserves its cost."""
        was, record = entry.record, rules.attempted(entry.record, entry.price)
        place = (entry.campaign, record.row)
        values = (record.state, record.attempts, owner, *price, purse, to_micros(now))
        values += (*_known(record), record.earlier_micros)
        _expect_one(self._file.run("attempt_again", *values, *place, was.state, was.attempts))
        return record.attempts

    def cancel(self, entry: Entry, *, reason: str, keyless: bool, now: datetime) -> None:
        """Refuse a message; `keyless` where another row has the key."""
        record = rules.cancelled(entry.record, reason, now)
        if record.attempts:
            self.change(entry, record)
            return

        place = (entry.campaign, record.row, entry.shard)
        key = None if keyless else record.key
        self._file.run("add_cancelled", *place, key, record.state, reason, to_micros(now))

    def change(self, entry: Entry, record: MessageRecord, price: Price | None = None) -> None:
        """Write what became of a message; a shard with a READY message is not done."""
        if record == entry.record:
            return

        price = price or entry.price
        values = (record.state, *_known(record), price.is_released)
        place = (entry.campaign, record.row)
        _expect_one(self._file.run("change_message", *values, *place, entry.record.state))
        self._purses.add(entry.purse, moved(entry.record, record, entry.price, price))
        if record.state == MessageState.READY:
            self._file.run("open_shard", entry.campaign, entry.shard)

    def addressee(self, receipt: Receipt) -> Addressee | None:
        """Find the attempt of a receipt: by its tag, else by its id."""
        attempt = AttemptId.from_tag(receipt.tag)
        if attempt is not None and (entry := self.attempted(attempt)) is not None:
            return Addressee(entry.campaign, entry.record.row, attempt.number)

        found = self._file.one("earlier_by_id", receipt.message_id) or self._file.one(
            "message_by_id", receipt.message_id
        )
        return None if found is None else Addressee._make(found)

    def keep(self, receipt: Receipt, raw: bytes, now: datetime) -> bool:
        """Keep a receipt as it came; False where it came before."""
        values = _receipt_values(receipt)
        digest = hashlib.blake2b(repr(values).encode(), digest_size=16).digest()
        return bool(self._file.run("keep_receipt", digest, *values, raw, to_micros(now)))

    def apply_kept(self, addressee: Addressee, message_id: str) -> None:
        """Apply the receipts of a message id, which is now known to be this attempt's."""
        receipts = self._file.all("kept_receipts", message_id)
        entry = self.find(addressee.campaign, addressee.row) if receipts else None
        if entry is None:
            return

        past = self.past(entry, addressee.number)
        if past is not None:
            self.keep_id(addressee, message_id)

        first = entry.record
        for each in self.group_of(entry):
            record = each.record
            for values in receipts:
                record = rules.told(record, told_to(each.recipient, _to_receipt(values)), past)

            self.change(each, record)
            if record.row == first.row:
                first = record

        place = addressee[:2]
        self._file.run("match_receipts", *place, message_id)
        if first.message_id != message_id:
            self.explain(*place, message_id, How.BESIDE)

    def keep_id(self, addressee: Addressee, message_id: str) -> None:
        """Remember the provider's id of an attempt that another one followed."""
        self._file.run("set_earlier_id", message_id, *addressee)
        self.explain(*addressee[:2], message_id, How.EARLIER)

    def explain(self, campaign: int, row: int, message_id: str, how: How) -> bool:
        """Claim a message id for a message; False where it is another one's."""
        if self._file.run("explain", message_id, campaign, row, how.value):
            return True

        return self._file.one("claim", message_id) == (campaign, row)


def to_record(row: Row) -> MessageRecord:
    """Read the first thirteen columns of a message's row."""
    return MessageRecord._make((*row[:8], _moment(row[8]), _moment(row[9]), *row[10:13]))


def _to_entry(row: Row) -> Entry:
    campaign, shard, owner, segments, cost_micros, is_released, *rest = row[13:]
    price = Price(segments, cost_micros, bool(is_released))
    return Entry(to_record(row), campaign, shard, owner, price, *rest)


def _known(record: MessageRecord) -> Row:
    """Return what is known of a message's attempt, as its row has it."""
    moments = (_micros(record.accepted_at), _micros(record.final_at))
    return (*record[4:8], *moments, record.segments_billed, record.carrier)


def _receipt_values(receipt: Receipt) -> Row:
    return (
        receipt.kind.value,
        receipt.message_id,
        receipt.to,
        to_micros(receipt.time),
        receipt.tag,
        receipt.error_code,
        receipt.description,
        receipt.carrier,
        receipt.segments_billed,
    )


def _to_receipt(row: Row) -> Receipt:
    kind, message_id, to, time, tag, error_code, description, carrier, segments_billed = row
    return Receipt(
        kind=ReceiptKind(kind),
        message_id=message_id,
        to=to,
        time=from_micros(time),
        tag=tag,
        error_code=error_code,
        description=description,
        carrier=carrier,
        segments_billed=segments_billed,
    )


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _expect_one(changed: int) -> None:
    if changed != 1:
        raise JournalError("a message changed while it was being changed: stop the other program")
