"""What callbacks say: the events of a message's life, as Bandwidth's webhooks page shows them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from datetime import datetime

from pipeline.bandwidth.wire import INBOUND_TYPE, Callback, CallbackMessage, MessageRequest
from pipeline.simulator import magic
from pipeline.simulator.book import Entry
from pipeline.simulator.clock import Moment
from pipeline.simulator.fate import Fate
from pipeline.simulator.inbound import InboundRequest
from pipeline.simulator.ledger import Text
from pipeline.simulator.magic import Ending

_BEFORE = {
    "message-sending": "Message is sending to carrier",
    "message-sent": "Message sent to carrier",
}


def status_events(
    entry: Entry, end: Fate, request: MessageRequest, arrival: Moment, kinds: Collection[str]
) -> Iterator[tuple[Callback, float]]:
    """Tell what happens to a message to one handset, each event with its moment (clock).

    `kinds` are those of the events before the last that are wanted.
    """
    message = _message(entry, request)
    if end.is_sent:
        for kind in kinds:
            yield _event(kind, entry, message, arrival.wall(end.leaves_at)), end.leaves_at

    if end.settles_at == math.inf:
        return

    at = arrival.wall(end.settles_at)
    code = end.error_code
    if code is not None:
        yield _event("message-failed", entry, message, at, code), end.settles_at

    if code is None or end.ending is Ending.CONTRADICTED:
        yield _event("message-delivered", entry, message, at), end.settles_at


def received(inbound: InboundRequest, text: Text) -> Callback:
    """Tell that a handset has texted one of our numbers."""
    return Callback(
        time=text.arrived_at,
        type=INBOUND_TYPE,
        to=inbound.to,
        description="Incoming message received",
        message=CallbackMessage(
            id=text.message_id,
            owner=inbound.to,
            application_id=inbound.application_id,
            time=text.arrived_at,
            segment_count=text.segments,
            direction="in",
            to=[inbound.to],
            sender=inbound.sender,
            text=inbound.text,
            media=inbound.media,
        ),
    )


def _event(
    kind: str, entry: Entry, message: CallbackMessage, at: datetime, code: int | None = None
) -> Callback:
    if code is not None:
        description = magic.CODES.get(code, "rejected by the carrier")
    else:
        description = _BEFORE.get(kind, "Message delivered to handset.")

    return Callback(
        time=at, type=kind, to=entry.to, description=description, message=message, error_code=code
    )


def _message(entry: Entry, request: MessageRequest) -> CallbackMessage:
    return CallbackMessage(
        id=entry.text.message_id,
        owner=request.sender,
        application_id=request.application_id,
        time=entry.text.arrived_at,
        segment_count=entry.text.segments,
        direction="out",
        to=request.recipients,
        sender=request.sender,
        text="",
        tag=request.tag,
        media=request.media,
        priority=request.priority,
    )
