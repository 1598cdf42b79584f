"""A group message begins in the SQLite journal: all of its rows, or none."""

from __future__ import annotations

from datetime import datetime

from pipeline.journal import Denied, Grant, Intent, Later, OverBudget, groups, rules
from pipeline.journal.spending import price_of
from pipeline.journal.sqlite_file import SqliteFile
from pipeline.journal.sqlite_rows import Entry, Messages
from pipeline.lifecycle import MessageState
from pipeline.model import AttemptId


class Group:
    """The rows of one intent, inside a transaction."""

    def __init__(self, file: SqliteFile, messages: Messages, grant: Grant, intent: Intent) -> None:
        self._file, self._messages = file, messages
        self._grant, self._intent = grant, intent
        self._parts = groups.parts(intent)

    def claim(
        self, campaign: int, hindrance: Later | OverBudget | None, purse: int, now: datetime
    ) -> AttemptId | Later | OverBudget | Denied:
        """Open an attempt for every recipient, or say why there is none."""
        entries = [self._find(campaign, part, purse) for part in self._parts]
        for entry in entries:
            if entry.record.state != MessageState.READY:
                return Denied(row=self._intent.row, reason=entry.record.state)

        duplicates = [
            self._messages.is_duplicate(campaign, part.row, part.key) for part in self._parts
        ]
        reasons = [*map(self._refusal, self._parts, duplicates)]
        if not any(reasons):
            return hindrance or self._attempt(entries, purse, now)

        for entry, keyless, reason in zip(entries, duplicates, reasons, strict=True):
            because = reason or groups.WITH_ITS_GROUP
            self._messages.cancel(entry, reason=because, keyless=keyless, now=now)

        return Denied(row=self._intent.row, reason=next(filter(None, reasons)))

    def _find(self, campaign: int, part: Intent, purse: int) -> Entry:
        known = self._messages.find(campaign, part.row)
        if known is not None:
            return known

        place, price = (campaign, self._grant.shard, self._grant.owner), price_of(part)
        return Entry(rules.untried(part), *place, price, purse)

    def _attempt(self, entries: list[Entry], purse: int, now: datetime) -> AttemptId:
        row, owner = self._intent.row, self._grant.owner
        if entries[0].record.attempts:
            self._messages.keep_earlier(entries[0])

        for entry, part in zip(entries, self._parts, strict=True):
            if entry.record.attempts:
                self._messages.attempt_again(entry, owner, price_of(part), purse, now)
                continue

            is_new = self._messages.add_attempted(entry, now)
            assert is_new  # neither the row nor its key was there
            self._file.run("join_group", row, part.to[0], entry.campaign, part.row)

        return AttemptId(run=self._grant.run, row=row, number=entries[0].record.attempts + 1)

    def _refusal(self, part: Intent, is_duplicate: bool) -> str | None:
        if self._messages.is_suppressed(part.to):
            return rules.SUPPRESSED

        return rules.DUPLICATE if is_duplicate else None
