"""The provider's side of an account: takes a message, decides its fate, records and reports it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

from pipeline.bandwidth.wire import MessageBody, MessageRequest
from pipeline.model import Channel
from pipeline.simulator import fate, magic, reports
from pipeline.simulator.account_queue import AccountQueue, Waiting
from pipeline.simulator.behaviour import Behaviour, Dice
from pipeline.simulator.belongings import Belongings
from pipeline.simulator.book import Book, Entry
from pipeline.simulator.callbacks import Callbacks
from pipeline.simulator.clock import Clock, Moment
from pipeline.simulator.fate import Fate
from pipeline.simulator.inbound import InboundRequest, OptOuts
from pipeline.simulator.ledger import Ledger, Text
from pipeline.simulator.magic import Ending
from pipeline.simulator.media import MediaStore, names_below
from pipeline.simulator.segments import count_segments
from pipeline.simulator.validation import read_expiration


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A message from the moment it is taken until it has left the queue."""

    request: MessageRequest
    occasion: str
    arrival: Moment
    #: One for each handset.
    entries: list[Entry]
    #: Names in the account's own store.
    pictures: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that happens to messages behind the API."""

    behaviour: Behaviour
    dice: Dice
    clock: Clock
    queue: AccountQueue
    callbacks: Callbacks
    store: MediaStore
    ledger: Ledger = field(default_factory=Ledger)
    book: Book = field(default_factory=Book)
    opt_outs: OptOuts = field(default_factory=OptOuts)

    def take(
        self,
        request: MessageRequest,
        *,
        account_id: str,
        occasion: str,
        arrival: Moment,
        media_url: str,
    ) -> MessageBody | None:
        """Take a valid request; return the body of its 202, or None where the queue is full.

        Pictures at `media_url` are in our own store, and fetched when the message leaves the queue.
        """
        recipients = request.recipients
        channel = Channel.MMS if request.media or len(recipients) > 1 else Channel.SMS
        segments = 1
        if channel is Channel.SMS:
            segments = count_segments(request.text or "", self.behaviour.count)

        text = self._text(request, segments, occasion, arrival)
        entries = [self._entry(request, text, to, account_id, channel) for to in recipients]
        taken = _Taken(
            request=request,
            occasion=occasion,
            arrival=arrival,
            entries=entries,
            pictures=names_below(media_url, request.media or ()),
        )
        waiting = Waiting(
            segments=segments * len(recipients),
            is_high=request.priority == "high",
            expires_at=_expires_at(request, arrival),
            leave=partial(self._leave, taken),
            expire=partial(self._expire, taken),
        )
        if not self.queue.offer(waiting, now=arrival.seconds):
            return None

        self.ledger.texts.append(text)
        self.book.add(entries)
        if waiting.is_waiting:
            self.callbacks.nudge(self.queue.settle(arrival.seconds))

        return _accepted(request, text)

    def receive(self, inbound: InboundRequest, *, arrival: Moment) -> str:
        """Take a text from a handset to one of our numbers; return its id."""
        occasion = self.dice.occasion(f"inbound/{inbound.sender}")
        text = self._text(inbound.as_message(), count_segments(inbound.text), occasion, arrival)
        self.opt_outs.hear(inbound)
        self.ledger.inbound += 1
        entry = Entry(
            text=text,
            to=inbound.to,
            account_id=inbound.account_id,
            channel=Channel.MMS if inbound.media else Channel.SMS,
            attachments=len(inbound.media or ()),
            belongings=Belongings(
                dice=self.dice,
                handset=inbound.sender,
                ours=inbound.to,
                application=inbound.application_id,
            ),
            is_inbound=True,
        )
        self.book.add([entry])
        if self.callbacks.is_wanted:
            event = reports.received(inbound, text)
            self.callbacks.schedule(event, at=arrival.seconds, occasion=occasion)

        return text.message_id

    def reset(self) -> None:
        """Forget every message, as if newly started; what is being posted is not posted again."""
        for part in (self.queue, self.callbacks, self.book, self.opt_outs):
            part.clear()

        self.ledger.reset()
        self.dice.reset()

    def _entry(
        self, request: MessageRequest, text: Text, to: str, account_id: str, channel: Channel
    ) -> Entry:
        belongings = Belongings(
            dice=self.dice,
            handset=to,
            ours=request.sender,
            application=request.application_id,
        )
        return Entry(
            text=text,
            to=to,
            account_id=account_id,
            channel=channel,
            attachments=len(request.media or ()),
            belongings=belongings,
        )

    def _leave(self, taken: _Taken, at: float) -> None:
        spoiled = self._spoiled(taken, at)
        for entry in taken.entries:
            if self.opt_outs.bar(entry.text.sender, entry.to):
                end = fate.fails(magic.OPTED_OUT, at=at)
            elif spoiled is not None:
                end = fate.fails(spoiled, at=at)
            else:
                occasion = f"{taken.occasion}/{entry.to}"
                end = fate.draw_fate(
                    self.behaviour, self.dice, occasion, recipient=entry.to, leaves_at=at
                )

            self._end(entry, end, taken)

    def _spoiled(self, taken: _Taken, at: float) -> int | None:
        """Return the code with which pictures of our own store keep a message from leaving."""
        size = 0
        for name in taken.pictures:
            file = self.store.get(taken.entries[0].account_id or "", name, now=at)
            if file is None:
                return magic.NO_MEDIA

            size += len(file.content)

        is_heavy = size > magic.TOLL_FREE_BYTES
        return magic.TOO_HEAVY if is_heavy and taken.entries[0].product == "TOLL_FREE" else None

    def _expire(self, taken: _Taken, at: float) -> None:
        for entry in taken.entries:
            self._end(entry, fate.expired(at), taken)

    def _end(self, entry: Entry, end: Fate, taken: _Taken) -> None:
        entry.fate = end
        if not end.is_received:
            self.ledger.miss(entry.text, entry.to, end.error_code)

        if not self.callbacks.is_wanted or end.ending is Ending.UNRECEIPTED:
            return

        sending = self.behaviour.sending if entry.channel is Channel.MMS else 0.0
        shares = {"message-sending": sending, "message-sent": self.behaviour.sent}
        kinds = [
            kind for kind, share in shares.items() if self.dice.hits(kind, share, taken.occasion)
        ]
        for event, at in reports.status_events(entry, end, taken.request, taken.arrival, kinds):
            self.callbacks.schedule(event, at=at, occasion=taken.occasion)

    def _text(self, request: MessageRequest, segments: int, occasion: str, arrival: Moment) -> Text:
        content, milliseconds = request.text or "", int(arrival.at.timestamp() * 1000)
        return Text(
            message_id=f"{milliseconds}{self.dice.token(occasion)}",
            tag=request.tag,
            to=tuple(request.recipients),
            sender=request.sender,
            segments=segments,
            length=len(content),
            digest=blake2b(content.encode(errors="surrogatepass"), digest_size=8).hexdigest(),
            arrival_seconds=arrival.seconds,
            arrived_at=arrival.at,
        )


def _expires_at(request: MessageRequest, arrival: Moment) -> float:
    expires_at = read_expiration(request.expiration) if request.expiration else None
    return arrival.until(expires_at) if expires_at else math.inf


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
