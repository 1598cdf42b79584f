"""How the SQLite journal settles doubt."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from pipeline.journal import Candidate, Doubt, Evidence, Proof
from pipeline.journal.groups import told_to
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.settling import How
from pipeline.journal.settling_rules import identified, may_settle, tells_news
from pipeline.journal.sqlite_file import Row, SqliteFile
from pipeline.journal.sqlite_plans import find_plan
from pipeline.journal.sqlite_reading import Reading
from pipeline.journal.sqlite_rows import Addressee, Messages
from pipeline.lifecycle import MessageState
from pipeline.model import Receipt


class Settling(Reading):
    """What a `Journal` says about doubt, on a file."""

    def __init__(self, file: SqliteFile) -> None:
        super().__init__(file)
        self._messages = Messages(file, self._purses)

    def doubts(self) -> list[Doubt]:
        """List the messages with attempts that nobody knows the end of; see `Journal.doubts`."""
        doubts = groupby(self._file.all("doubts"), lambda attempt: attempt[:5])
        return sorted(
            Doubt(name, shard, row, attempts, MessageState(state), _moments(found))
            for (name, shard, row, attempts, state), found in doubts
        )

    def explained(self, message_ids: Collection[str]) -> set[str]:
        """Return the ids that are some message's or nobody's of ours; see `Journal.explained`."""
        return {each for each in message_ids if self._is_explained(each)}

    def _is_explained(self, message_id: str) -> bool:
        ways = ("message_by_id", "claim", "is_foreign")
        return any(self._file.one(way, message_id) is not None for way in ways)

    def set_apart(self, message_id: str) -> None:
        """Note that a text belongs to no campaign; see `Journal.set_apart`."""
        with self.transaction():
            self._messages.explain(0, 0, message_id, How.APART)

    def settle(self, proofs: Sequence[Proof], *, now: datetime) -> list[bool]:
        """Apply proofs to messages in doubt; see `Journal.settle`."""
        with self.transaction():
            return [self._settle(proof, now) for proof in proofs]

    def _settle(self, proof: Proof, now: datetime) -> bool:
        plan = find_plan(self._file, proof.campaign)
        entry = None if plan is None else self._messages.find(plan.id, proof.row)
        if entry is None:
            return False

        if not may_settle(entry.record, proof, is_released=entry.price.is_released):
            return False

        is_first, place = entry.group_row in (None, proof.row), (entry.campaign, proof.row)
        if not is_first or not self._messages.explain(*place, proof.message_id, How.LISTING):
            return False

        for each in self._messages.group_of(entry):
            self._messages.change(each, identified(each.record, proof.message_id))

        for receipt, raw in proof.receipts:
            if self._messages.keep(receipt, raw, now):
                self._heed(receipt, now)

        self._messages.apply_kept(Addressee(*place, entry.record.attempts), proof.message_id)
        return True

    def note(self, campaign: str, evidence: Sequence[Evidence]) -> None:
        """Keep why doubts could not be settled; see `Journal.note`."""
        with self.transaction():
            if (plan := find_plan(self._file, campaign)) is None:
                return

            for each in evidence:
                told = [(name, to_micros(moment)) for name, moment in each.candidates]
                values = (to_micros(each.looked_at), json.dumps(told), each.rivals)
                self._file.run("note", plan.id, each.row, *values)

    def evidence(self, campaign: str) -> list[Evidence]:
        """Return what was noted of messages in doubt; see `Journal.evidence`."""
        plan = find_plan(self._file, campaign)
        rows = [] if plan is None else self._file.all("evidence", plan.id)
        return [
            Evidence(row, from_micros(looked_at), _candidates(candidates), rivals)
            for row, looked_at, candidates, rivals in rows
        ]

    def learn(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Apply what is listed of known ids; see `Journal.learn`."""
        with self.transaction():
            return sum(self._learn(receipt, raw, now) for receipt, raw in receipts)

    def _learn(self, receipt: Receipt, raw: bytes, now: datetime) -> bool:
        attempt = self._messages.addressee(receipt)
        entry = None if attempt is None else self._messages.find(*attempt[:2])
        if attempt is None or entry is None:
            return False

        past = self._messages.past(entry, attempt.number)
        is_news = any(
            tells_news(each.record, told_to(each.recipient, receipt), past)
            for each in self._messages.group_of(entry)
        )
        if not is_news or not self._messages.keep(receipt, raw, now):
            return False

        self._heed(receipt, now)
        self._messages.apply_kept(attempt, receipt.message_id)
        return True

    def last_attempt(self, campaign: str) -> datetime | None:
        """Tell when the last attempt was begun; see `Journal.last_attempt`."""
        plan = find_plan(self._file, campaign)
        found = None if plan is None else self._file.one("last_attempt", plan.id)
        return None if found is None or found[0] is None else from_micros(found[0])

    def silent(self, campaign: str, *, since: datetime) -> int:
        """Count the ACCEPTED messages that were taken before a moment; see `Journal.silent`."""
        if (plan := find_plan(self._file, campaign)) is None:
            return 0

        ((count,),) = self._file.all("silent", plan.id, to_micros(since))
        return int(count)


def _moments(attempts: Iterable[Row]) -> tuple[datetime | None, ...]:
    begun = (each[5] for each in attempts)
    return tuple(None if micros is None else from_micros(micros) for micros in begun)


def _candidates(told: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(name, from_micros(moment)) for name, moment in json.loads(told))
