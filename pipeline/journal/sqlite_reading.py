"""What the SQLite journal tells and does not change."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from pipeline.journal import Enlistment, MessageRecord, Spending, Tally, rules
from pipeline.journal.sqlite_file import SqliteFile
from pipeline.journal.sqlite_list import SuppressionList
from pipeline.journal.sqlite_plans import find_plan
from pipeline.journal.sqlite_rows import to_record
from pipeline.journal.sqlite_spending import Purses
from pipeline.lifecycle import MessageState


class Reading(SuppressionList):
    """The reading methods of a `Journal`, on a file."""

    def __init__(self, file: SqliteFile) -> None:
        super().__init__(file)
        self._purses = Purses(file)

    def tally(self, campaign: str) -> Tally | None:
        """Count messages by state; see `Journal.tally`."""
        plan = find_plan(self._file, campaign)
        if plan is None:
            return None

        tried = {MessageState(state): count for state, count in self._file.all("tally", plan.id)}
        return rules.tally(plan.enlistment, tried)

    def spending(self, campaign: str, *, account: str, now: datetime) -> Spending:
        """Add up what was reserved and spent; see `Journal.spending`."""
        plan = find_plan(self._file, campaign)
        if plan is None:
            return Spending()

        return self._purses.spending(plan.id, account=account, now=now)

    def campaigns(self) -> list[str]:
        """Name every campaign, oldest first."""
        return [name for (name,) in self._file.all("campaign_names")]

    def enlistment(self, campaign: str) -> Enlistment | None:
        """Return the campaign as it was enlisted."""
        plan = find_plan(self._file, campaign)
        return None if plan is None else plan.enlistment

    def is_begun(self, campaign: str) -> bool:
        """Tell whether something of the campaign may have left; see `Journal.is_begun`."""
        return self._file.one("is_begun", campaign) is not None

    def left_out(self, campaign: str) -> bytes | None:
        """Return whom the plan leaves out; see `Journal.left_out`."""
        found = self._file.one("left_out", campaign)
        return None if found is None else bytes(found[0])

    def rows(self, campaign: str) -> Iterator[list[MessageRecord]]:
        """Yield the tried messages in lists; see `Journal.rows`."""
        plan, last = find_plan(self._file, campaign), 0
        while plan is not None and (page := self._file.all("page", plan.id, last, rules.PAGE_ROWS)):
            yield [to_record(row) for row in page]
            last = page[-1][0]

    def payloads(self, campaign: str, shards: Collection[int] | None = None) -> Iterator[bytes]:
        """Yield what the shards hold; see `Journal.payloads`."""
        if (plan := find_plan(self._file, campaign)) is None:
            return

        for (shard,) in self._file.all("shard_numbers", plan.id):
            if shards is None or shard in shards:
                for (payload,) in self._file.all("payload_of_shard", plan.id, shard):
                    yield payload
