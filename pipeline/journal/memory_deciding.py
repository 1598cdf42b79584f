"""What people decide about the memory journal's campaigns and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pipeline.journal import Decision, MessageRecord, rules
from pipeline.journal.ending_doubts import EndingDoubts
from pipeline.journal.memory_settling import Settling
from pipeline.journal.spending import Price
from pipeline.lifecycle import Event, MessageState
from pipeline.model import ReceiptKind
from pipeline.retrying import may_retry


class Deciding(EndingDoubts, Settling):
    """The methods of a `Journal` that have a `by` and a `because`, on tables."""

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
            for row in rows:
                entry = self.tables.messages.get((campaign, row))
                if entry is None or entry.record.state != MessageState.IN_DOUBT:
                    continue

                for each in self.tables.group_of(campaign, entry):
                    self.tables.write(campaign, each, changed(each.record), priced(each.price))
                    self._record(campaign, decision._replace(row=each.record.row))
                    count += 1

        return count

    def retryable(self, campaign: str) -> list[int]:
        """Return the rows that failed and may be sent again; see `Journal.retryable`."""
        delivered = {
            kept.addressee
            for receipt, kept in self.tables.receipts.items()
            if receipt.kind is ReceiptKind.DELIVERED
        }
        doubts = (Event.RELEASE, Event.WRITE_OFF)
        decided = {row for row, kind, *_ in self.decisions(campaign) if kind in doubts}
        failed = [
            each.record
            for each in self.tables.entries_of(campaign)
            if each.record.state == MessageState.FAILED
            and each.group_row is None
            and (campaign, each.record.row) not in delivered
        ]
        return [
            each.row
            for each in failed
            if each.row not in decided
            and may_retry(each.error_code, self._earlier_codes(campaign, each.row))
        ]

    def _earlier_codes(self, campaign: str, row: int) -> list[str]:
        earlier = self.tables.earlier.items()
        codes = [past.error_code for attempt, past in earlier if attempt[:2] == (campaign, row)]
        return [code for code in codes if code is not None]

    def retry(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make failed messages READY; see `Journal.retry`."""
        with self.transaction():
            chosen = sorted(set(rows).intersection(self.retryable(campaign)))
            for row in chosen:
                entry = self.tables.messages[campaign, row]
                self.tables.write(campaign, entry, rules.retried(entry.record))

            if chosen:
                decision = Decision(rules.WHOLE_CAMPAIGN, Event.RETRY, by, because, now)
                self._record(campaign, decision)

            return len(chosen)

    def pause(self, campaign: str, *, by: str, because: str, now: datetime) -> bool:
        """Ask that a campaign is not sent; see `Journal.pause`."""
        pauses = self.tables.pauses
        with self.transaction():
            if campaign not in self.tables.campaigns or campaign in pauses:
                return False

            pauses[campaign] = Decision(rules.WHOLE_CAMPAIGN, "pause", by, because, now)
            self._record(campaign, pauses[campaign])
            return True

    def resume(self, campaign: str, *, by: str, because: str, now: datetime) -> bool:
        """End a pause; see `Journal.resume`."""
        with self.transaction():
            if self.tables.pauses.pop(campaign, None) is None:
                return False

            self._record(campaign, Decision(rules.WHOLE_CAMPAIGN, "resume", by, because, now))
            return True

    def paused(self, campaign: str) -> Decision | None:
        """Return the pause that a campaign is in; see `Journal.paused`."""
        return self.tables.pauses.get(campaign)

    def decisions(self, campaign: str) -> list[Decision]:
        """Return what people decided; see `Journal.decisions`."""
        return [decision for name, decision in self.tables.events.values() if name == campaign]

    def _record(self, campaign: str, decision: Decision) -> None:
        events = self.tables.events
        events[len(events)] = (campaign, decision._replace(kind=str(decision.kind)))
