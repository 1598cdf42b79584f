"""The readable reference: a journal of dictionaries that ends with its process.

Journals made `beside` one another share their tables, like connections to one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.errors import JournalError, PlanMismatch
from pipeline.journal import (
    NO_BUDGET,
    Answer,
    Budget,
    Denied,
    Enlistment,
    Finish,
    Grant,
    Intent,
    Later,
    OverBudget,
    Pace,
    Permit,
    Shard,
    groups,
    rules,
)
from pipeline.journal.memory_reading import Reading
from pipeline.journal.memory_tables import (
    LONG_AGO,
    Entry,
    Happening,
    Kept,
    Place,
    Purse,
    Tables,
)
from pipeline.journal.spending import day_of, over, price_of, released
from pipeline.lifecycle import SETTLED, MessageState
from pipeline.model import Accepted, AttemptId, Receipt


class MemoryJournal(Reading):
    """`Journal` in memory, for tests and for reading."""

    def __init__(self, *, beside: MemoryJournal | None = None) -> None:
        super().__init__()
        self.tables: Tables = Tables() if beside is None else beside.tables
        self.holders: dict[str, MemoryJournal] = {} if beside is None else beside.holders
        self._snapshot = Tables()

    def _start(self) -> None:
        self._snapshot = self.tables.snapshot()

    def _commit(self) -> None:
        self._snapshot = Tables()

    def _undo(self) -> None:
        self.tables.restore(self._snapshot)

    def hold(self, campaign: str) -> None:
        """Refuse a second journal object; see `Journal.hold`."""
        if self.holders.get(campaign, self) is not self:
            raise rules.held(campaign)

        if campaign not in self.holders:
            self.holders[campaign] = self
            for place in self.tables.places_of(campaign):
                self.tables.put(campaign, replace(place, lease_until=LONG_AGO))

    def enlist(
        self, enlistment: Enlistment, shards: Iterable[Shard], *, left_out: bytes | None = None
    ) -> Enlistment:
        """Store a plan once; see `Journal.enlist`."""
        name = enlistment.campaign
        with self.transaction():
            if (known := self.tables.campaigns.get(name)) is not None:
                if changed := rules.changed_parts(known.fingerprint, enlistment.fingerprint):
                    raise PlanMismatch(name, changed)

                return known

            if self.tables.campaign_of(enlistment.run) is not None:
                raise JournalError(f"another campaign already has the run of campaign '{name}'")

            self.tables.campaigns[name] = enlistment
            self.tables.left_out[name] = left_out  # None is nothing, like no row
            for shard in shards:
                if (name, shard.number) in self.tables.places:
                    raise JournalError(f"campaign '{name}' has two shards numbered {shard.number}")

                self.tables.put(name, Place(shard=shard))

            return enlistment

    def take(
        self, campaign: str, *, owner: str, lease_seconds: float, now: datetime
    ) -> Grant | None:
        """Take the first free shard; see `Journal.take`."""
        with self.transaction():
            places = self.tables.places_of(campaign)
            free = [each for each in places if not each.done and each.lease_until <= now]
            if not free:
                return None

            place = min(free, key=lambda each: (each.shard.phase, each.shard.number))
            until = now + timedelta(seconds=lease_seconds)
            place = replace(place, token=place.token + 1, owner=owner, lease_until=until)
            self.tables.put(campaign, place)
            self._give_up_open_attempts(campaign, place.shard.number)
            return self._grant(campaign, place)

    def _give_up_open_attempts(self, campaign: str, shard: int) -> None:
        for entry in self.tables.entries_of(campaign, shard):
            if entry.record.state == MessageState.SENDING:
                self.tables.write(campaign, entry, rules.lost(entry.record))

    def _grant(self, campaign: str, place: Place) -> Grant:
        records = [each.record for each in self.tables.entries_of(campaign, place.shard.number)]
        return Grant(
            campaign=campaign,
            run=self.tables.campaigns[campaign].run,
            owner=place.owner or "",
            shard=place.shard.number,
            token=place.token,
            payload=place.shard.payload,
            settled=frozenset(each.row for each in records if each.state != MessageState.READY),
        )

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
        """Record intents, reserve money and the rate; see `Journal.begin`."""
        with self.transaction():
            place = self.tables.place_of(grant)
            if place is None:
                raise rules.fenced(grant)

            until = now + timedelta(seconds=lease_seconds)
            self.tables.put(grant.campaign, replace(place, lease_until=until))
            if intents:
                known = self.tables.accounts.get(pace.account, rules.Reservation())
                self.tables.accounts[pace.account] = known.seen_at(rules.to_micros(now))

            return [self._begin(grant, intent, pace, budget, now) for intent in intents]

    def _begin(
        self, grant: Grant, intent: Intent, pace: Pace, budget: Budget, now: datetime
    ) -> Answer:
        campaign, moment = grant.campaign, rules.to_micros(now)
        rows = [(self._entry(grant, part), part) for part in groups.parts(intent)]
        for entry, _ in rows:
            if entry.record.state != MessageState.READY:
                return Denied(row=intent.row, reason=entry.record.state)

        if (reason := self._cancel_where_refused(campaign, rows, now)) is not None:
            return Denied(row=intent.row, reason=reason)

        reservation = self.tables.accounts[pace.account]
        if (ask_at := reservation.ask_at(moment)) is not None:
            return Later(row=intent.row, ask_at=rules.from_micros(ask_at))

        known = self.spending(campaign, account=pace.account, now=now)
        if (passed := over(budget, known, intent.cost_micros)) is not None:
            return OverBudget(row=intent.row, budget=passed)

        purse = Purse(campaign, pace.account, day_of(now))
        number = self._attempt(grant, intent, rows, purse)
        start, after = reservation.reserve(moment, intent.segments, pace)
        self.tables.accounts[pace.account] = after
        attempt = AttemptId(run=grant.run, row=intent.row, number=number)
        return Permit(attempt=attempt, start_at=rules.from_micros(start))

    def _entry(self, grant: Grant, part: Intent) -> Entry:
        entry = self.tables.messages.get((grant.campaign, part.row))
        return entry or Entry(rules.untried(part), grant.shard, None)

    def _attempt(
        self, grant: Grant, intent: Intent, rows: Sequence[tuple[Entry, Intent]], purse: Purse
    ) -> int:
        number = rows[0][0].record.attempts + 1
        for entry, part in rows:
            if entry.record.attempts:
                place = (grant.campaign, part.row, entry.record.attempts)
                self.tables.earlier[place] = entry.owner

            begun = entry._replace(owner=grant.owner, price=price_of(part), purse=purse)
            if intent.members:
                begun = begun._replace(group_row=intent.row, recipient=part.to[0])

            self.tables.write(grant.campaign, begun, rules.attempted(entry.record))

        return number

    def _cancel_where_refused(
        self, campaign: str, rows: Sequence[tuple[Entry, Intent]], now: datetime
    ) -> str | None:
        reasons = [self.tables.refusal(campaign, part) for _, part in rows]
        if not any(reasons):
            return None

        for (entry, part), reason in zip(rows, reasons, strict=True):
            keyless = self.tables.is_duplicate(campaign, part) and entry.record.attempts == 0
            record = entry.record._replace(key=None) if keyless else entry.record
            because = reason or groups.WITH_ITS_GROUP
            self.tables.write(campaign, entry, rules.cancelled(record, because, now))

        return next(filter(None, reasons))

    def finish(self, finishes: Sequence[Finish]) -> None:
        """Record outcomes; see `Journal.finish`."""
        with self.transaction():
            for finish in finishes:
                self._finish(finish)

    def _finish(self, finish: Finish) -> None:
        key = self.tables.attempted(finish.attempt)
        if key is None:
            return

        entry, number = self.tables.messages[key], finish.attempt.number
        latest = number == entry.record.attempts
        owner = entry.owner if latest else self.tables.earlier[*key, number]
        if owner != finish.owner:
            return

        for each in self.tables.group_of(key[0], entry):
            self.tables.write(key[0], each, rules.finished(each.record, finish))

        if isinstance(finish.outcome, Accepted):
            self.tables.apply_kept(key, finish.outcome.message_id)

    def leave(self, grant: Grant) -> None:
        """Give a shard back; see `Journal.leave`."""
        with self.transaction():
            place = self.tables.place_of(grant)
            if place is None:
                return

            entries = self.tables.entries_of(grant.campaign, grant.shard)
            done = sum(each.record.state in SETTLED for each in entries) >= place.shard.rows
            place = replace(place, done=done, owner=None, lease_until=LONG_AGO)
            self.tables.put(grant.campaign, place)

    def receive(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Keep and apply receipts; see `Journal.receive`."""
        matched = 0
        with self.transaction():
            for receipt, raw in receipts:
                key = self.tables.addressee(receipt)
                matched += key is not None
                if receipt in self.tables.receipts:
                    continue

                self.tables.receipts[receipt] = Kept(raw, now, None)
                self._heed(receipt, now)
                if key is not None:
                    self.tables.apply_kept(key, receipt.message_id)

        return matched

    def release(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make messages in doubt READY; see `Journal.release`."""
        count, events = 0, self.tables.events
        with self.transaction():
            for row in rows:
                entry = self.tables.messages.get((campaign, row))
                if entry is None or entry.record.state != MessageState.IN_DOUBT:
                    continue

                for each in self.tables.group_of(campaign, entry):
                    price = released(each.price)
                    self.tables.write(campaign, each, rules.released(each.record), price)
                    place = (campaign, each.record.row)
                    events[len(events)] = Happening(*place, "release", by, because, now)
                    count += 1

        return count

    def close(self) -> None:
        """Release what `hold` took."""
        for campaign in [name for name, holder in self.holders.items() if holder is self]:
            del self.holders[campaign]
