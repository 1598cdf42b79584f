"""Which listed text a message in doubt is: decided only where one text, and no other message, fits.

    fits     sender, recipients, channel, segments, length, and taken soon after the attempt began
    may be   sender, recipients, length, and taken after the attempt began, a day later at most

A doubt is about the latest attempt, and is settled by the one text that fits it, and that may be no
other suspect's: the text of a released attempt says nothing of the one that followed. Only where
none has followed yet, the text of any attempt says that none is needed. Suspicion reaches further
than evidence: a frozen process may have sent late, and a provider may count segments in its own
way. Absence proves nothing. What this cannot see is a program that sends for the same account
without this journal: the same text to the same number within minutes looks like ours.

Pure: no clock, no journal, no network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from pipeline.bandwidth.wire import ListItem
from pipeline.model import Channel, Message

#: How far the provider's clock may be from ours.
MARGIN = timedelta(minutes=2)
#: From the intent to the moment its POST has arrived, or never will: its slot, and its time-outs.
POST_TIME = timedelta(minutes=3)
#: How much later a process that was frozen in between may have sent it.
REACH = timedelta(days=1)

_OUTBOUND = "OUTBOUND"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A message of which attempts may have become listed texts."""

    campaign: str
    row: int
    #: How many attempts it has had.
    attempts: int
    sender: str
    to: frozenset[str]
    channel: Channel
    #: To each recipient.
    segments: int
    #: Of its text: in characters, and in UTF-16 units where that differs.
    lengths: frozenset[int]
    #: When each of the attempts was begun; None is unknown.
    begun_at: tuple[datetime | None, ...]
    #: An operator released it, and it was not attempted again yet.
    is_released: bool = False

    @property
    def windows(self) -> list[tuple[datetime, datetime]]:
        """When the provider took it, if it did; nothing where that is unknown."""
        return [_window(moment) for moment in self.begun_at if moment is not None]


def _window(moment: datetime) -> tuple[datetime, datetime]:
    return moment - MARGIN, moment + POST_TIME + MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A listed text of ours: all entries of one message id."""

    message_id: str
    sender: str
    #: The handsets it is listed for.
    to: frozenset[str]
    taken_at: datetime
    #: None where the entries do not say, or not the same.
    channel: str | None
    segments: int | None
    length: int | None
    #: Whether it is listed for all its recipients, as far as the listing tells.
    is_whole: bool
    items: tuple[ListItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the listing says about one suspect."""

    suspect: Suspect
    #: The one text that it must be; None: it stays in doubt.
    text: Text | None
    #: The texts to its recipients in its time, fitting or not, the first of them first.
    candidates: tuple[Text, ...]
    #: How many other suspects a text that fits may be.
    rivals: int


def suspect_of(
    message: Message,
    *,
    campaign: str,
    attempts: int,
    begun_at: Iterable[datetime | None],
    is_released: bool = False,
) -> Suspect:
    """Return what the listing would show of a message."""
    text = message.text
    units = len(text.encode("utf-16-le", errors="surrogatepass")) // 2
    return Suspect(
        campaign=campaign,
        row=message.row,
        attempts=attempts,
        sender=message.sender,
        to=frozenset(message.to),
        channel=message.channel,
        segments=message.segments // len(message.to),
        lengths=frozenset({len(text), units}),
        begun_at=tuple(begun_at),
        is_released=is_released,
    )


def texts_of(items: Iterable[ListItem]) -> list[Text]:
    """Put the outbound entries of each message id together; what lacks a number or time is left."""
    by_id: defaultdict[str, dict[str, ListItem]] = defaultdict(dict)
    for item in items:
        if item.message_direction == _OUTBOUND and item.source_tn and item.destination_tn:
            by_id[item.message_id][item.destination_tn] = item

    return [text for entries in by_id.values() if (text := _text_of([*entries.values()]))]


def _text_of(items: list[ListItem]) -> Text | None:
    senders = {item.source_tn for item in items}
    moments = [item.receive_time for item in items if item.receive_time is not None]
    counts = {item.recipient_count for item in items}
    sender = senders.pop()
    if senders or not moments or sender is None:
        return None

    kinds = {item.message_type for item in items}
    channel = _only(kinds)
    is_single = len(items) == 1 and channel == Channel.SMS  # a group is an MMS
    return Text(
        message_id=items[0].message_id,
        sender=sender,
        to=frozenset(item.destination_tn for item in items if item.destination_tn),
        taken_at=min(moments),
        channel=channel,
        segments=_only({item.segment_count for item in items}),
        length=_only({item.message_length for item in items}),
        is_whole=counts == {len(items)} or (counts == {None} and is_single),
        items=tuple(items),
    )


def _only(values: set[T]) -> T | None:
    return next(iter(values)) if len(values) == 1 else None


def weigh(
    wanted: Iterable[Suspect], suspects: Sequence[Suspect], texts: Iterable[Text]
) -> list[Weighed]:
    """Decide what each suspect is.

    Args:
        wanted: The messages in doubt that are to be settled.
        suspects: All that texts may be: every doubt of the journal after the listing was read.
        texts: Those of the listing that are not explained.
    """
    to_number: defaultdict[str, list[Text]] = defaultdict(list)
    for text in sorted(texts, key=lambda text: (text.taken_at, text.message_id)):
        for number in text.to:
            to_number[number].append(text)

    of_number: defaultdict[str, list[Suspect]] = defaultdict(list)
    for suspect in suspects:
        for number in suspect.to:
            of_number[number].append(suspect)

    return [_weigh(suspect, to_number, of_number) for suspect in wanted]


def _weigh(
    suspect: Suspect, texts: dict[str, list[Text]], suspects: dict[str, list[Suspect]]
) -> Weighed:
    seen = {text.message_id: text for number in suspect.to for text in texts.get(number, ())}
    candidates = [text for text in seen.values() if _is_near(suspect, text)]
    fitting = [text for text in candidates if fits(suspect, text)]
    rivals = {
        (other.campaign, other.row)
        for text in fitting
        for number in text.to
        for other in suspects.get(number, ())
        if may_be(other, text)
    } - {(suspect.campaign, suspect.row)}
    return Weighed(
        suspect=suspect,
        text=None if rivals else _proof(suspect, fitting),
        candidates=tuple(sorted(candidates, key=lambda text: (text.taken_at, text.message_id))),
        rivals=len(rivals),
    )


def fits(suspect: Suspect, text: Text) -> bool:
    """Tell whether a text is all that the suspect would be in the listing."""
    return (
        _is_near(suspect, text)
        and text.is_whole
        and text.to == suspect.to
        and text.channel == suspect.channel
        and text.segments == suspect.segments
        and text.length in suspect.lengths
    )


def may_be(suspect: Suspect, text: Text) -> bool:
    """Tell whether nothing proves that a text is not this suspect's."""
    is_possible = text.sender == suspect.sender and text.to <= suspect.to
    is_in_time = any(
        moment is None or moment - MARGIN <= text.taken_at <= moment + REACH
        for moment in suspect.begun_at
    )
    return is_possible and is_in_time and (text.length is None or text.length in suspect.lengths)


def _is_near(suspect: Suspect, text: Text) -> bool:
    is_possible = text.sender == suspect.sender and text.to <= suspect.to
    return is_possible and any(_is_in(window, text) for window in suspect.windows)


def _proof(suspect: Suspect, fitting: Sequence[Text]) -> Text | None:
    """Return the text that settles a suspect, of those that fit it and are no other's."""
    if suspect.is_released and 1 <= len(fitting) <= len(suspect.begun_at):
        return max(fitting, key=lambda text: (text.taken_at, text.message_id))

    is_only = len(fitting) == 1 and _is_of_latest(suspect, fitting[0])
    return fitting[0] if is_only else None


def _is_of_latest(suspect: Suspect, text: Text) -> bool:
    """Tell whether it was taken in the window of the latest attempt.

    Where that of an earlier one overlaps it may be either's. Whoever has it needs no other, and the
    earlier attempt stays a suspect of what is listed later.
    """
    moment = suspect.begun_at[-1]
    return moment is not None and _is_in(_window(moment), text)


def _is_in(window: tuple[datetime, datetime], text: Text) -> bool:
    start, end = window
    return start <= text.taken_at <= end
