"""The readable reference: a journal of dictionaries that ends with its process.

Journals made `beside` one another share their tables, like connections to one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.errors import JournalError, PlanMismatch
from pipeline.journal import (
    NEW_ACCOUNT_RATE,
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
from pipeline.journal.memory_deciding import Deciding
from pipeline.journal.memory_tables import (
    LONG_AGO,
    Entry,
    Kept,
    Place,
    Purse,
    Tables,
)
from pipeline.journal.reservation import Reservation
from pipeline.journal.spending import day_of, over, price_of
from pipeline.lifecycle import SETTLED, MessageState
from pipeline.model import Accepted, AttemptId, Receipt


class MemoryJournal(Deciding):
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
            raise rules.held_by_another(campaign)

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
            if self.is_begun(name):
                known = self.tables.campaigns[name]
                if changed := rules.changed_parts(known.fingerprint, enlistment.fingerprint):
                    raise PlanMismatch(name, changed)

                return known

            self.tables.remove_plan(name)
            if self.tables.campaign_of(enlistment.run) not in (None, name):
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
            lapsed = [each for each in places if not each.done and each.lease_until <= now]
            free = [each for each in lapsed if each.owner != owner]
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
            if place is None or self.tables.campaigns[grant.campaign].run != grant.run:
                raise rules.fenced(grant)

            until = now + timedelta(seconds=lease_seconds)
            self.tables.put(grant.campaign, replace(place, lease_until=until))
            if intents:
                known = self.tables.accounts.get(pace.account, Reservation())
                self.tables.accounts[pace.account] = known.seen_at(rules.to_micros(now))
                self.tables.paces[pace.account] = pace

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
        number = self._attempt(grant, intent, rows, purse, now)
        start, after = reservation.reserve(moment, intent.segments, pace)
        self.tables.accounts[pace.account] = after
        attempt = AttemptId(run=grant.run, row=intent.row, number=number)
        return Permit(attempt=attempt, start_at=rules.from_micros(start))

    def _entry(self, grant: Grant, part: Intent) -> Entry:
        entry = self.tables.messages.get((grant.campaign, part.row))
        return entry or Entry(rules.untried(part), grant.shard, None)

    def _attempt(
        self,
        grant: Grant,
        intent: Intent,
        rows: Sequence[tuple[Entry, Intent]],
        purse: Purse,
        now: datetime,
    ) -> int:
        self.tables.keep_earlier(grant.campaign, rows[0][0])
        for entry, part in rows:
            holding_nothing = entry.record._replace(error_code=None)  # that stays in its purse
            begun = Entry(
                holding_nothing, entry.shard, grant.owner, price_of(part), purse, begun_at=now
            )
            if intent.members:
                begun = begun._replace(group_row=intent.row, recipient=part.to[0])

            self.tables.write(grant.campaign, begun, rules.attempted(entry.record, entry.price))

        return rows[0][0].record.attempts + 1

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

    def reserve(self, account: str, *, segments: int, now: datetime) -> datetime:
        """Reserve the rate for a text of no campaign; see `Journal.reserve`."""
        moment, tables = rules.to_micros(now), self.tables
        unsent = Pace(account=account, rate_segments_per_second=NEW_ACCOUNT_RATE)
        with self.transaction():
            pace = tables.paces.setdefault(account, unsent)
            reservation = tables.accounts.get(account, Reservation()).seen_at(moment)
            start, tables.accounts[account] = reservation.reserve(moment, segments, pace)

        return rules.from_micros(start)

    def finish(self, finishes: Sequence[Finish]) -> None:
        """Record outcomes; see `Journal.finish`."""
        with self.transaction():
            for finish in finishes:
                self._finish(finish)

    def _finish(self, finish: Finish) -> None:
        attempt = self.tables.attempted(finish.attempt)
        if attempt is None:
            return

        entry, past = self.tables.messages[attempt[:2]], self.tables.earlier.get(attempt)
        if finish.owner != (entry.owner if past is None else past.owner):
            return

        for each in self.tables.group_of(attempt.campaign, entry):
            self.tables.write(attempt.campaign, each, rules.finished(each.record, finish, past))

        if isinstance(finish.outcome, Accepted):
            self.tables.apply_kept(attempt, finish.outcome.message_id)

    def leave(self, grant: Grant) -> None:
        """Give a shard back; see `Journal.leave`."""
        with self.transaction():
            place = self.tables.place_of(grant)
            if place is None:
                return

            entries = self.tables.entries_of(grant.campaign, grant.shard)
            settled = all(each.record.state in SETTLED for each in entries)
            done = settled and len(entries) >= place.shard.rows
            place = replace(place, done=done, owner=None, lease_until=LONG_AGO)
            self.tables.put(grant.campaign, place)

    def receive(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Keep and apply receipts; see `Journal.receive`."""
        matched = 0
        with self.transaction():
            for receipt, raw in receipts:
                addressee = self.tables.addressee(receipt)
                matched += addressee is not None
                if receipt in self.tables.receipts:
                    continue

                self.tables.receipts[receipt] = Kept(raw, now, None)
                self._heed(receipt, now)
                if addressee is not None:
                    self.tables.apply_kept(addressee, receipt.message_id)

        return matched

    def close(self) -> None:
        """Release what `hold` took."""
        for campaign in [name for name, holder in self.holders.items() if holder is self]:
            del self.holders[campaign]
