"""What people decide about the SQLite journal's campaigns and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from pipeline.journal import Decision, MessageRecord, rules
from pipeline.journal.ending_doubts import EndingDoubts
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.spending import Price
from pipeline.journal.sqlite_plans import find_plan
from pipeline.journal.sqlite_settling import Settling
from pipeline.lifecycle import Event, MessageState
from pipeline.retrying import may_retry


class Deciding(EndingDoubts, Settling):
    """The methods of a `Journal` that have a `by` and a `because`, on a file."""

    def _end_doubts(
        self,
        campaign: str,
        rows: Sequence[int],
        decision: Decision,
        changed: Callable[[MessageRecord], MessageRecord],
        priced: Callable[[Price], Price],
    ) -> int:
        count = 0
        with self.transaction():
            if (plan := find_plan(self._file, campaign)) is None:
                return 0

            for row in rows:
                entry = self._messages.find(plan.id, row)
                if entry is None or entry.record.state != MessageState.IN_DOUBT:
                    continue

                for each in self._messages.group_of(entry):
                    self._messages.change(each, changed(each.record), priced(each.price))
                    self._record(plan.id, decision._replace(row=each.record.row))
                    count += 1

        return count

    def retryable(self, campaign: str) -> list[int]:
        """Return the rows that failed and may be sent again; see `Journal.retryable`."""
        plan = find_plan(self._file, campaign)
        if plan is None:
            return []

        failures = groupby(sorted(self._file.all("earlier_failures", plan.id)), itemgetter(0))
        earlier = {row: [code for _, code in found] for row, found in failures}
        failed = self._file.all("failed", plan.id)
        return [row for row, code in failed if may_retry(code, earlier.get(row, []))]

    def retry(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make failed messages READY; see `Journal.retry`."""
        with self.transaction():
            plan = find_plan(self._file, campaign)
            chosen = sorted(set(rows).intersection(self.retryable(campaign)))
            if plan is None or not chosen:
                return 0

            for row in chosen:
                if (entry := self._messages.find(plan.id, row)) is not None:
                    self._messages.change(entry, rules.retried(entry.record))

            decision = Decision(rules.WHOLE_CAMPAIGN, Event.RETRY, by, because, now)
            self._record(plan.id, decision)
            return len(chosen)

    def pause(self, campaign: str, *, by: str, because: str, now: datetime) -> bool:
        """Ask that a campaign is not sent; see `Journal.pause`."""
        with self.transaction():
            plan = find_plan(self._file, campaign)
            words = (by, because, to_micros(now))
            if plan is None or not self._file.run("pause", plan.id, *words):
                return False

            self._record(plan.id, Decision(rules.WHOLE_CAMPAIGN, "pause", by, because, now))
            return True

    def resume(self, campaign: str, *, by: str, because: str, now: datetime) -> bool:
        """End a pause; see `Journal.resume`."""
        with self.transaction():
            plan = find_plan(self._file, campaign)
            if plan is None or not self._file.run("resume", plan.id):
                return False

            self._record(plan.id, Decision(rules.WHOLE_CAMPAIGN, "resume", by, because, now))
            return True

    def paused(self, campaign: str) -> Decision | None:
        """Return the pause that a campaign is in; see `Journal.paused`."""
        found = self._file.one("paused", campaign)
        if found is None:
            return None

        by, because, at = found
        return Decision(rules.WHOLE_CAMPAIGN, "pause", by, because, from_micros(at))

    def decisions(self, campaign: str) -> list[Decision]:
        """Return what people decided; see `Journal.decisions`."""
        plan = find_plan(self._file, campaign)
        found = [] if plan is None else self._file.all("events", plan.id)
        return [Decision._make((*words, from_micros(at))) for *words, at in found]

    def _record(self, campaign: int, decision: Decision) -> None:
        row, kind, by, because, at = decision
        self._file.run("add_event", campaign, row, str(kind), by, because, to_micros(at))
