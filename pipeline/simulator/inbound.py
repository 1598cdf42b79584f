"""Texts from handsets: what a test injects, and what the network itself makes of it.

On toll-free numbers the network itself obeys STOP, START and UNSTOP before it passes them on: later
texts from that number to that handset fail (4775). On other numbers it is left to the customer.
"""

from __future__ import annotations

import msgspec

from pipeline.bandwidth.wire import MessageRequest
from pipeline.simulator.book import PRODUCTS

_STOPS = frozenset({"STOP"})
_STARTS = frozenset({"START", "UNSTOP"})


class InboundRequest(msgspec.Struct, rename="camel"):
    """The body of ``POST /_inbound``: a handset texts one of our numbers."""

    #: The handset.
    sender: str = msgspec.field(name="from")
    #: Our number.
    to: str
    text: str = ""
    media: list[str] | None = None
    application_id: str = "simulated"
    #: Whose listing it is in; None: everybody's.
    account_id: str | None = None

    def as_message(self) -> MessageRequest:
        """Return it as the message that it is."""
        return MessageRequest(to=[self.to], sender=self.sender, text=self.text, media=self.media)


class OptOuts:
    """Who has stopped which toll-free number."""

    def __init__(self) -> None:
        self._stopped: set[tuple[str, str]] = set()

    def clear(self) -> None:
        """Forget all of them."""
        self._stopped.clear()

    def hear(self, inbound: InboundRequest) -> None:
        """Obey the text, where the network would."""
        if not PRODUCTS["TOLL_FREE"].fullmatch(inbound.to):
            return

        word, pair = inbound.text.strip().upper(), (inbound.to, inbound.sender)
        if word in _STOPS:
            self._stopped.add(pair)
        elif word in _STARTS:
            self._stopped.discard(pair)

    def bar(self, sender: str, handset: str) -> bool:
        """Tell whether the network stops texts from this number to this handset."""
        return (sender, handset) in self._stopped
