"""What the memory journal tells and does not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import reduce

from pipeline.journal import Enlistment, MessageRecord, Spending, Sums, Tally, rules
from pipeline.journal.memory_list import SuppressionList
from pipeline.journal.spending import day_of
from pipeline.lifecycle import MessageState


class Reading(SuppressionList):
    """The reading methods of a `Journal`, on tables."""

    def tally(self, campaign: str) -> Tally | None:
        """Count messages by state; see `Journal.tally`."""
        plan = self.tables.campaigns.get(campaign)
        if plan is None:
            return None

        entries = self.tables.entries_of(campaign)
        return rules.tally(plan, Counter(MessageState(each.record.state) for each in entries))

    def spending(self, campaign: str, *, account: str, now: datetime) -> Spending:
        """Add up what was reserved and spent; see `Journal.spending`."""
        currencies = {name: plan.currency for name, plan in self.tables.campaigns.items()}
        ours, today = currencies.get(campaign), (account, day_of(now))
        purses = self.tables.spending.items()
        own = [sums for purse, sums in purses if purse.campaign == campaign]
        day = [
            sums
            for purse, sums in purses
            if (purse.account, purse.day) == today and currencies[purse.campaign] == ours
        ]
        return Spending(reduce(Sums.plus, own, Sums()), reduce(Sums.plus, day, Sums()))

    def campaigns(self) -> list[str]:
        """Name every campaign, oldest first."""
        return list(self.tables.campaigns)

    def enlistment(self, campaign: str) -> Enlistment | None:
        """Return the campaign as it was enlisted."""
        return self.tables.campaigns.get(campaign)

    def is_begun(self, campaign: str) -> bool:
        """Tell whether something of the campaign may have left; see `Journal.is_begun`."""
        decided = [each.row for name, each in self.tables.events.values() if name == campaign]
        return any(decided) or any(
            rules.may_have_left(each.record, is_released=each.price.is_released)
            for each in self.tables.entries_of(campaign)
        )

    def left_out(self, campaign: str) -> bytes | None:
        """Return whom the plan leaves out; see `Journal.left_out`."""
        return self.tables.left_out.get(campaign)

    def rows(self, campaign: str) -> Iterator[list[MessageRecord]]:
        """Yield the tried messages in lists; see `Journal.rows`."""
        records = sorted(each.record for each in self.tables.entries_of(campaign))
        for start in range(0, len(records), rules.PAGE_ROWS):
            yield records[start : start + rules.PAGE_ROWS]

    def payloads(self, campaign: str, shards: Collection[int] | None = None) -> Iterator[bytes]:
        """Yield what the shards hold; see `Journal.payloads`."""
        places = sorted(self.tables.places_of(campaign), key=lambda each: each.shard.number)
        for place in places:
            if shards is None or place.shard.number in shards:
                yield place.shard.payload
