"""Every message taken, as the listing tells it: an entry for each handset, no text and no tag."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.bandwidth.wire import ListItem
from pipeline.model import Channel
from pipeline.simulator.belongings import Belongings
from pipeline.simulator.countries import country_of
from pipeline.simulator.fate import Fate
from pipeline.simulator.ledger import Text
from pipeline.simulator.magic import Ending

#: Product -> what our number looks like; the first that fits.
PRODUCTS = {
    "TOLL_FREE": re.compile(r"\+18(00|33|44|55|66|77|88)[0-9]{7}", re.ASCII),
    "LOCAL_A2P": re.compile(r"\+[0-9]+", re.ASCII),
    "SHORT_CODE_REACH": re.compile(r"[0-9]+", re.ASCII),
    "ALPHA_NUMERIC": re.compile(r".*[A-Za-z].*"),
    **dict.fromkeys(("P2P", "HOSTED_SHORT_CODE"), re.compile(r"(?!)")),  # none of ours
    **dict.fromkeys(("RBM_MEDIA", "RBM_RICH", "RBM_CONVERSATIONAL"), re.compile(r"(?!)")),
}


@dataclass(slots=True, kw_only=True)
class Entry:
    """One message to one handset."""

    text: Text
    to: str
    #: None for a text from a handset that says no account: it is everybody's.
    account_id: str | None
    channel: Channel
    attachments: int
    belongings: Belongings
    #: From a handset to one of our numbers.
    is_inbound: bool = False
    #: None while it waits in the account's queue, and for inbound texts.
    fate: Fate | None = None
    #: Its place in the book.
    number: int = 0

    @property
    def is_listed(self) -> bool:
        """Tell whether the listing ever has it."""
        return self.fate is None or self.fate.ending is not Ending.UNLISTED

    @property
    def received_at(self) -> datetime:
        """When the provider took it, in whole milliseconds as everywhere in the listing."""
        moment = self.text.arrived_at
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    @property
    def product(self) -> str:
        """The listing's word for how it travels, which our number decides."""
        ours = self.to if self.is_inbound else self.text.sender
        return next((name for name, form in PRODUCTS.items() if form.fullmatch(ours)), "P2P")

    @property
    def calling_country(self) -> str | None:
        """The country of the number that sent it, where it is known."""
        return country_of(self.text.sender)

    @property
    def called_country(self) -> str | None:
        """The country of the number it goes to, where it is known."""
        return country_of(self.to)

    @property
    def carrier_name(self) -> str | None:
        """Who carries it; None for MMS, as documented, and until it is handed over."""
        is_carried = self.is_inbound or (self.fate is not None and self.fate.is_sent)
        return self.belongings.carrier if is_carried and self.channel is Channel.SMS else None

    @property
    def campaign_id(self) -> str | None:
        """The 10DLC campaign of our number; other kinds of numbers belong to none."""
        return self.belongings.campaign if self.product == "LOCAL_A2P" else None

    @property
    def bandwidth_seconds(self) -> int | None:
        """How long it waited in the account's queue; None while it does."""
        return int(self.fate.leaves_at - self.text.arrival_seconds) if self.fate else None

    def carrier_seconds(self, now: float) -> int | None:
        """Return how long the carrier took; None while it does."""
        if self.fate is None or now < self.fate.settles_at:
            return None

        return int(self.fate.settles_at - self.fate.leaves_at)

    @property
    def direction(self) -> str:
        """The listing's word for who sent it."""
        return "INBOUND" if self.is_inbound else "OUTBOUND"

    def status(self, now: float) -> str:
        """Return the listing's word for where the message stands."""
        if self.is_inbound:
            return "ACCEPTED"

        return self.fate.status(now) if self.fate else "QUEUED"

    def known_error(self, now: float) -> int:
        """Return the listing's errorCode: 0 until the message has failed."""
        return self.fate.known_error(now) if self.fate else 0

    def item(self, now: float) -> ListItem:
        """Return the entry as it stands at `now` (clock), after the queue was settled."""
        return ListItem(
            message_id=self.text.message_id,
            account_id=self.account_id,
            source_tn=self.text.sender,
            destination_tn=self.to,
            message_status=self.status(now),
            message_direction=self.direction,
            message_type=self.channel,
            segment_count=self.text.segments,
            error_code=self.known_error(now),
            receive_time=self.received_at,
            carrier_name=self.carrier_name,
            message_size=self.text.length,
            message_length=self.text.length,
            attachment_count=self.attachments,
            recipient_count=len(self.text.to),
            campaign_id=self.campaign_id,
            bw_latency=self.bandwidth_seconds,
            carrier_latency=self.carrier_seconds(now),
            calling_number_country_a3=self.calling_country,
            called_number_country_a3=self.called_country,
            product=self.product,
            location=self.belongings.location,
        )


class Book:
    """The entries in order of arrival, found by handset."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_handset: defaultdict[str, list[Entry]] = defaultdict(list)

    def clear(self) -> None:
        """Tear out all pages."""
        self._entries = []
        self._by_handset.clear()

    def add(self, entries: Iterable[Entry]) -> None:
        """Write down some more."""
        for entry in entries:
            entry.number = len(self._entries)
            self._entries.append(entry)
            self._by_handset[entry.to].append(entry)

    def entries(self) -> list[Entry]:
        """Return all of them."""
        return self._entries

    def entries_to(self, handsets: Iterable[str]) -> list[Entry]:
        """Return those to exactly these numbers."""
        found = [entry for handset in handsets for entry in self._by_handset.get(handset, ())]
        return sorted(found, key=lambda entry: entry.number)

    def handsets_beginning(self, partial: str) -> list[str]:
        """Return the numbers that begin with `partial`."""
        return [handset for handset in self._by_handset if handset.startswith(partial)]
