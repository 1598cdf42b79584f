"""The embedded default: one SQLite file on a local disk, its statements in sqlite.sql.

What an event means is decided by `rules` inside the transaction; this page only says which rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.errors import PlanMismatch
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
    rules,
)
from pipeline.journal.reservation import Reservation
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.settling import How
from pipeline.journal.spending import Till, price_of
from pipeline.journal.sqlite_deciding import Deciding
from pipeline.journal.sqlite_file import SqliteFile, load_statements
from pipeline.journal.sqlite_groups import Group
from pipeline.journal.sqlite_plans import Plan, add_plan, find_plan, replace_plan
from pipeline.journal.sqlite_rows import Addressee, Entry
from pipeline.lifecycle import MessageState
from pipeline.model import Accepted, AttemptId, Receipt

STATEMENTS = load_statements(Path(__file__).with_suffix(".sql"))


class SqliteJournal(Deciding):
    """`Journal` in a file.

    Raises:
        JournalError: the file cannot be opened, is not ours, or was written by a newer bandcast.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(SqliteFile(path, STATEMENTS))

    def hold(self, campaign: str) -> None:
        """Lock the campaign for this process; see `Journal.hold`."""
        if self._file.holds(campaign):
            return

        if not self._file.lock(campaign):
            raise rules.held_by_another(campaign)

        if (plan := find_plan(self._file, campaign)) is not None:
            self._file.run("lapse_leases", plan.id)

    def enlist(
        self, enlistment: Enlistment, shards: Iterable[Shard], *, left_out: bytes | None = None
    ) -> Enlistment:
        """Store a plan once; see `Journal.enlist`."""
        with self.transaction():
            known = find_plan(self._file, enlistment.campaign)
            if known is not None and self.is_begun(enlistment.campaign):
                earlier = known.enlistment
                if changed := rules.changed_parts(earlier.fingerprint, enlistment.fingerprint):
                    raise PlanMismatch(enlistment.campaign, changed)

                return earlier

            self._add(known, enlistment, shards, left_out)
            return enlistment

    def _add(
        self,
        before: Plan | None,
        enlistment: Enlistment,
        shards: Iterable[Shard],
        left_out: bytes | None,
    ) -> None:
        if before is None:
            campaign = add_plan(self._file, enlistment)
        else:
            campaign = replace_plan(self._file, before, enlistment)

        if left_out is not None:
            self._file.run("add_left_out", campaign, left_out)

        for shard in shards:
            place = (campaign, shard.number)
            self._file.run("add_shard", *place, shard.rows, shard.zone, shard.phase)
            self._file.run("add_payload", *place, shard.payload)

    def take(
        self, campaign: str, *, owner: str, lease_seconds: float, now: datetime
    ) -> Grant | None:
        """Take the first free shard; see `Journal.take`."""
        until = to_micros(now + timedelta(seconds=lease_seconds))
        with self.transaction():
            plan = find_plan(self._file, campaign)
            if plan is None:
                return None

            taken = self._file.one("take_shard", owner, until, plan.id, to_micros(now))
            if taken is None:
                return None

            shard, token = taken
            for (row,) in self._file.all("open_attempts", plan.id, shard):
                if (entry := self._messages.find(plan.id, row)) is not None:
                    self._messages.change(entry, rules.lost(entry.record))

            return self._grant(plan, owner, shard, token)

    def _grant(self, plan: Plan, owner: str, shard: int, token: int) -> Grant:
        ((payload,),) = self._file.all("payload_of_shard", plan.id, shard)
        return Grant(
            campaign=plan.enlistment.campaign,
            run=plan.enlistment.run,
            owner=owner,
            shard=shard,
            token=token,
            payload=payload,
            settled=frozenset(row for (row,) in self._file.all("settled_rows", plan.id, shard)),
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
        until = to_micros(now + timedelta(seconds=lease_seconds))
        place = (grant.shard, grant.token, grant.owner)
        with self.transaction():
            plan = find_plan(self._file, grant.campaign)
            if plan is None or plan.enlistment.run != grant.run:
                raise rules.fenced(grant)

            if not self._file.run("renew_lease", until, plan.id, *place):
                raise rules.fenced(grant)

            if not intents:
                return []

            till = Till(purse=self._purses.open(plan.id, pace.account, now), budget=budget)
            if budget != NO_BUDGET:
                till.known = self._purses.spending(plan.id, account=pace.account, now=now)

            answers = self._begin(plan.id, grant, intents, pace, till, now)
            self._purses.add(till.purse, till.reserved)
            return answers

    def _begin(
        self,
        campaign: int,
        grant: Grant,
        intents: Sequence[Intent],
        pace: Pace,
        till: Till,
        now: datetime,
    ) -> list[Answer]:
        moment, known = to_micros(now), self._file.one("rate", pace.account)
        reservation = Reservation(*(known or ())[1:]).seen_at(moment)
        answers: list[Answer] = []
        for intent in intents:
            hindrance: Later | OverBudget | None = None
            if (ask_at := reservation.ask_at(moment)) is not None:
                hindrance = Later(row=intent.row, ask_at=from_micros(ask_at))
            elif (passed := till.over(intent)) is not None:
                hindrance = OverBudget(row=intent.row, budget=passed)

            claim = self._claim(campaign, grant, intent, hindrance, till.purse, now)
            if isinstance(claim, AttemptId):
                till.reserve(intent)
                start, reservation = reservation.reserve(moment, intent.segments, pace)
                answers.append(Permit(attempt=claim, start_at=from_micros(start)))
            else:
                answers.append(claim)

        self._file.run("set_rate", pace.account, pace.rate_segments_per_second, *reservation)
        return answers

    def _claim(
        self,
        campaign: int,
        grant: Grant,
        intent: Intent,
        hindrance: Later | OverBudget | None,
        purse: int,
        now: datetime,
    ) -> AttemptId | Later | OverBudget | Denied:
        if intent.members:
            group = Group(self._file, self._messages, grant, intent)
            return group.claim(campaign, hindrance, purse, now)

        suppressed = self._messages.is_suppressed(intent.to)
        record, price = rules.untried(intent), price_of(intent)
        new = Entry(record, campaign, grant.shard, grant.owner, price, purse)
        if not suppressed and hindrance is None and self._messages.add_attempted(new, now):
            return AttemptId(run=grant.run, row=intent.row, number=1)

        entry = self._messages.find(campaign, intent.row) or new
        if entry.record.state != MessageState.READY:
            return Denied(row=intent.row, reason=entry.record.state)

        duplicate = self._messages.is_duplicate(campaign, intent.row, intent.key)
        if suppressed or duplicate:
            reason = rules.SUPPRESSED if suppressed else rules.DUPLICATE
            self._messages.cancel(entry, reason=reason, keyless=duplicate, now=now)
            return Denied(row=intent.row, reason=reason)

        if hindrance is not None:
            return hindrance

        self._messages.keep_earlier(entry)
        number = self._messages.attempt_again(entry, grant.owner, price, purse, now)
        return AttemptId(run=grant.run, row=intent.row, number=number)

    def reserve(self, account: str, *, segments: int, now: datetime) -> datetime:
        """Reserve the rate for a text of no campaign; see `Journal.reserve`."""
        moment = to_micros(now)
        with self.transaction():
            ((rate, *known),) = self._file.all("rate", account) or [(NEW_ACCOUNT_RATE,)]
            pace = Pace(account=account, rate_segments_per_second=rate)
            reservation = Reservation(*known).seen_at(moment)
            start, after = reservation.reserve(moment, segments, pace)
            self._file.run("set_rate", account, rate, *after)

        return from_micros(start)

    def finish(self, finishes: Sequence[Finish]) -> None:
        """Record outcomes; see `Journal.finish`."""
        with self.transaction():
            for finish in finishes:
                entry, number = self._messages.attempted(finish.attempt), finish.attempt.number
                if entry is None:
                    continue

                past = self._messages.past(entry, number)
                if finish.owner != (entry.owner if past is None else past.owner):
                    continue

                news = rules.finished(entry.record, finish, past)
                for each in self._messages.group_of(entry):
                    self._messages.change(each, rules.finished(each.record, finish, past))

                if isinstance(finish.outcome, Accepted):
                    attempt = Addressee(entry.campaign, news.row, number)
                    message_id = finish.outcome.message_id
                    if past is not None:
                        self._messages.keep_id(attempt, message_id)

                    self._messages.apply_kept(attempt, message_id)
                    if news.message_id != message_id:
                        self._messages.explain(*attempt[:2], message_id, How.BESIDE)

    def leave(self, grant: Grant) -> None:
        """Give a shard back; see `Journal.leave`."""
        with self.transaction():
            if (plan := find_plan(self._file, grant.campaign)) is not None:
                self._file.run("leave_shard", plan.id, grant.shard, grant.token, grant.owner)

    def receive(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Keep and apply receipts; see `Journal.receive`."""
        matched = 0
        with self.transaction():
            for receipt, raw in receipts:
                addressee = self._messages.addressee(receipt)
                matched += addressee is not None
                if not self._messages.keep(receipt, raw, now):
                    continue

                self._heed(receipt, now)
                if addressee is not None:
                    self._messages.apply_kept(addressee, receipt.message_id)

        return matched

    def close(self) -> None:
        """Release what `hold` took and close the file."""
        self._file.close()
