"""The provider's side of an account: takes a message, decides its fate, records and reports it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from pipeline.bandwidth.wire import Callback, CallbackMessage, MessageBody, MessageRequest
from pipeline.model import Channel
from pipeline.simulator.account_queue import AccountQueue
from pipeline.simulator.behaviour import Behaviour, Dice
from pipeline.simulator.book import Book, Entry
from pipeline.simulator.callbacks import Callbacks
from pipeline.simulator.fate import EXPIRED, Fate, draw_fate
from pipeline.simulator.ledger import Ledger, Text
from pipeline.simulator.segments import count_segments
from pipeline.simulator.validation import read_expiration

_FAILURES = {
    4720: "invalid-destination-address",
    EXPIRED: "message-not-sent-expiration-date-passed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The moment a request was first seen."""

    #: By the monotonic clock.
    seconds: float
    #: By the wall clock (aware, UTC).
    at: datetime

    def wall(self, seconds: float) -> datetime:
        """Return the wall-clock time of another moment of the monotonic clock."""
        return self.at + timedelta(seconds=seconds - self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that happens to messages behind the API."""

    behaviour: Behaviour
    dice: Dice
    queue: AccountQueue
    ledger: Ledger
    book: Book
    #: None where nobody listens.
    callbacks: Callbacks | None

    def take(
        self, request: MessageRequest, *, account_id: str, occasion: str, arrival: Arrival
    ) -> MessageBody | None:
        """Take a valid request; return the body of its 202, or None where the queue is full."""
        channel = _channel(request)
        segments = 1
        if channel is Channel.SMS:
            segments = count_segments(request.text or "", self.behaviour.count)

        recipients = request.recipients
        leaves_at = self.queue.offer(segments * len(recipients), now=arrival.seconds)
        if leaves_at is None:
            return None

        text = _text(request, segments, arrival)
        self.ledger.texts.append(text)
        for recipient in recipients:
            fate = self._fate(request, f"{occasion}/{recipient}", leaves_at, arrival)
            entry = Entry(
                text=text,
                to=recipient,
                account_id=account_id,
                channel=channel,
                attachments=len(request.media or ()),
                fate=fate,
            )
            self.book.add(entry)
            self._report(request, entry, occasion, arrival)

        return _accepted(request, text)

    def _fate(
        self, request: MessageRequest, occasion: str, leaves_at: float, arrival: Arrival
    ) -> Fate:
        expires_at = read_expiration(request.expiration) if request.expiration else None
        expires_seconds = (
            arrival.seconds + (expires_at - arrival.at).total_seconds() if expires_at else None
        )
        return draw_fate(
            self.behaviour, self.dice, occasion, leaves_at=leaves_at, expires_at=expires_seconds
        )

    def _report(
        self, request: MessageRequest, entry: Entry, occasion: str, arrival: Arrival
    ) -> None:
        if self.callbacks is None:
            return

        message, fate = _callback_message(request, entry), entry.fate
        if fate.error_code != EXPIRED and self.dice.roll("sent", occasion) < self.behaviour.sent:
            sent = Callback(
                time=arrival.wall(fate.leaves_at),
                type="message-sent",
                to=entry.to,
                description="Message sent to carrier",
                message=message,
            )
            self.callbacks.schedule(sent, at=fate.leaves_at, occasion=occasion)

        final = _final_callback(message, entry, arrival.wall(fate.settles_at))
        self.callbacks.schedule(final, at=fate.settles_at, occasion=occasion)


def _channel(request: MessageRequest) -> Channel:
    is_mms = bool(request.media) or len(request.recipients) > 1
    return Channel.MMS if is_mms else Channel.SMS


def _text(request: MessageRequest, segments: int, arrival: Arrival) -> Text:
    content = request.text or ""
    return Text(
        message_id=f"{int(arrival.at.timestamp() * 1000)}{secrets.token_hex(8)}",
        tag=request.tag,
        to=tuple(request.recipients),
        sender=request.sender,
        segments=segments,
        length=len(content),
        digest=blake2b(content.encode(errors="surrogatepass"), digest_size=8).hexdigest(),
        arrival_seconds=arrival.seconds,
        arrived_at=arrival.at,
    )


def _accepted(request: MessageRequest, text: Text) -> MessageBody:
    return MessageBody(
        id=text.message_id,
        owner=request.sender,
        application_id=request.application_id,
        time=text.arrived_at,
        segment_count=text.segments,
        direction="out",
        to=request.recipients,
        sender=request.sender,
        media=None if request.media is None else list(dict.fromkeys(request.media)),
        text=request.text,
        tag=request.tag,
        priority=request.priority,
        expiration=request.expiration,
    )


def _callback_message(request: MessageRequest, entry: Entry) -> CallbackMessage:
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


def _final_callback(message: CallbackMessage, entry: Entry, at: datetime) -> Callback:
    code = entry.fate.error_code
    if code is None:
        return Callback(
            time=at,
            type="message-delivered",
            to=entry.to,
            description="Message delivered to handset.",
            message=message,
        )

    return Callback(
        time=at,
        type="message-failed",
        to=entry.to,
        description=_FAILURES.get(code, "rejected by the carrier"),
        message=message,
        error_code=code,
    )
