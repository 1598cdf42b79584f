"""Every message taken, as the listing tells it: an entry for each handset, no text and no tag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.bandwidth.wire import ListItem
from pipeline.model import Channel
from pipeline.simulator.fate import Fate
from pipeline.simulator.ledger import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message to one handset."""

    text: Text
    to: str
    account_id: str
    channel: Channel
    attachments: int
    fate: Fate

    @property
    def received_at(self) -> datetime:
        """When the provider took it, in whole milliseconds as everywhere in the listing."""
        moment = self.text.arrived_at
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def item(self, now: float) -> ListItem:
        """Return the entry as it stands at `now` (monotonic)."""
        return ListItem(
            message_id=self.text.message_id,
            account_id=self.account_id,
            source_tn=self.text.sender,
            destination_tn=self.to,
            message_status=self.fate.status(now),
            message_direction="OUTBOUND",
            message_type=self.channel,
            segment_count=self.text.segments,
            error_code=self.fate.known_error(now),
            receive_time=self.received_at,
            message_length=self.text.length,
            attachment_count=self.attachments,
            recipient_count=len(self.text.to),
        )


class Book:
    """The entries in order of arrival, found by handset."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_handset: defaultdict[str, list[Entry]] = defaultdict(list)

    def add(self, entry: Entry) -> None:
        """Write down one more."""
        self._entries.append(entry)
        self._by_handset[entry.to].append(entry)

    def entries(self) -> list[Entry]:
        """Return all of them."""
        return self._entries

    def entries_to(self, handsets: Iterable[str]) -> list[Entry]:
        """Return those to exactly these numbers."""
        found = [entry for handset in handsets for entry in self._by_handset.get(handset, ())]
        return sorted(found, key=lambda entry: entry.text.arrival_seconds)

    def handsets_beginning(self, partial: str) -> list[str]:
        """Return the numbers that begin with `partial`."""
        return [handset for handset in self._by_handset if handset.startswith(partial)]
