"""How the memory journal settles doubt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pipeline.journal import Doubt, Evidence, Proof
from pipeline.journal.groups import told_to
from pipeline.journal.memory_reading import Reading
from pipeline.journal.memory_tables import Addressee, Kept
from pipeline.journal.settling import How
from pipeline.journal.settling_rules import (
    identified,
    is_doubtful,
    is_silent,
    may_settle,
    tells_news,
)
from pipeline.lifecycle import MessageState
from pipeline.model import Receipt


class Settling(Reading):
    """What a `Journal` says about doubt, on tables."""

    def doubts(self) -> list[Doubt]:
        """List the messages with attempts that nobody knows the end of; see `Journal.doubts`."""
        found: dict[tuple[str, int], list[datetime | None]] = {}
        for (campaign, row, _), earlier in sorted(self.tables.earlier.items()):
            if earlier.is_doubtful:
                found.setdefault((campaign, row), []).append(earlier.begun_at)

        for key, entry in self.tables.messages.items():
            is_first = key[1] == entry.first_row
            if is_first and is_doubtful(entry.record, is_released=entry.price.is_released):
                found.setdefault(key, []).append(entry.begun_at)

        return sorted(self._doubt(key, tuple(moments)) for key, moments in found.items())

    def _doubt(self, key: tuple[str, int], moments: tuple[datetime | None, ...]) -> Doubt:
        entry = self.tables.messages[key]
        record = entry.record
        state = MessageState(record.state)
        return Doubt(key[0], entry.shard, record.row, record.attempts, state, moments)

    def explained(self, message_ids: Collection[str]) -> set[str]:
        """Return the ids that are some message's or nobody's of ours; see `Journal.explained`."""
        known = {entry.record.message_id for entry in self.tables.messages.values()}
        foreign = {
            receipt.message_id
            for receipt, kept in self.tables.receipts.items()
            if kept.addressee is None and receipt.tag
        }
        return set(message_ids) & (known | foreign | self.tables.explained.keys())

    def set_apart(self, message_id: str) -> None:
        """Note that a text belongs to no campaign; see `Journal.set_apart`."""
        with self.transaction():
            self.tables.explain(("", 0), message_id, How.APART)

    def settle(self, proofs: Sequence[Proof], *, now: datetime) -> list[bool]:
        """Apply proofs to messages in doubt; see `Journal.settle`."""
        with self.transaction():
            return [self._settle(proof, now) for proof in proofs]

    def _settle(self, proof: Proof, now: datetime) -> bool:
        key = (proof.campaign, proof.row)
        entry = self.tables.messages.get(key)
        if entry is None:
            return False

        if not may_settle(entry.record, proof, is_released=entry.price.is_released):
            return False

        is_first = entry.first_row == proof.row
        if not is_first or not self.tables.explain(key, proof.message_id, How.LISTING):
            return False

        for each in self.tables.group_of(key[0], entry):
            self.tables.write(key[0], each, identified(each.record, proof.message_id))

        for receipt, raw in proof.receipts:
            self._keep(receipt, raw, now)

        attempt = Addressee(*key, entry.record.attempts)
        self.tables.apply_kept(attempt, proof.message_id)
        return True

    def _keep(self, receipt: Receipt, raw: bytes, now: datetime) -> None:
        if receipt not in self.tables.receipts:
            self.tables.receipts[receipt] = Kept(raw, now, None)
            self._heed(receipt, now)

    def note(self, campaign: str, evidence: Sequence[Evidence]) -> None:
        """Keep why doubts could not be settled; see `Journal.note`."""
        with self.transaction():
            for each in evidence:
                if (campaign, each.row) in self.tables.messages:
                    self.tables.evidence[campaign, each.row] = each

    def evidence(self, campaign: str) -> list[Evidence]:
        """Return what was noted of messages in doubt; see `Journal.evidence`."""
        messages = self.tables.messages
        return sorted(
            each
            for key, each in self.tables.evidence.items()
            if key[0] == campaign and messages[key].record.state == MessageState.IN_DOUBT
        )

    def learn(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Apply what is listed of known ids; see `Journal.learn`."""
        with self.transaction():
            return sum(self._learn(receipt, raw, now) for receipt, raw in receipts)

    def _learn(self, receipt: Receipt, raw: bytes, now: datetime) -> bool:
        attempt = self.tables.addressee(receipt)
        if attempt is None:
            return False

        entry, past = self.tables.messages[attempt[:2]], self.tables.earlier.get(attempt)
        is_news = any(
            tells_news(each.record, told_to(each.recipient, receipt), past)
            for each in self.tables.group_of(attempt.campaign, entry)
        )
        if not is_news or receipt in self.tables.receipts:
            return False

        self._keep(receipt, raw, now)
        self.tables.apply_kept(attempt, receipt.message_id)
        return True

    def last_attempt(self, campaign: str) -> datetime | None:
        """Tell when the last attempt was begun; see `Journal.last_attempt`."""
        entries = self.tables.entries_of(campaign)
        moments = (each.begun_at or each.record.accepted_at for each in entries)
        return max(filter(None, moments), default=None)

    def silent(self, campaign: str, *, since: datetime) -> int:
        """Count the ACCEPTED messages that were taken before a moment; see `Journal.silent`."""
        return sum(is_silent(each.record, since) for each in self.tables.entries_of(campaign))
