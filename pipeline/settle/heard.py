"""What people wrote to us, as a table; its columns are named as those of the provider's listing."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipeline.bandwidth.wire import Unreadable, sort_callbacks
from pipeline.journal import Heard
from pipeline.model import Inbound

#: `wish` is the word that a whole message is: stop, start, help; `media` has blanks between the
#: addresses; `keptAt` is when it came to us.
SCHEMA = {
    "messageId": pl.String(),
    "sourceTn": pl.String(),
    "destinationTn": pl.String(),
    "messageType": pl.String(),
    "receiveTime": pl.Datetime("ms", "UTC"),
    "wish": pl.String(),
    "text": pl.String(),
    "media": pl.String(),
    "keptAt": pl.Datetime("ms", "UTC"),
}


def heard_frame(messages: Iterable[Heard]) -> pl.DataFrame:
    """Return a row for each message, in order, with the columns of `SCHEMA`."""
    return pl.DataFrame([_row(each) for each in messages], schema=SCHEMA, orient="row")


def _row(heard: Heard) -> tuple[object, ...]:
    text, media = _content(heard.raw)
    kind = "mms" if media else "sms"
    return (
        *(heard.message_id, heard.sender, heard.to, kind, heard.time),
        *(heard.wish, text, media, heard.came_at),
    )


def _content(raw: bytes) -> tuple[str | None, str | None]:
    """Return text and media of the event; nothing where this bandcast cannot read it."""
    try:
        known = sort_callbacks(raw).known
    except Unreadable:
        return None, None

    for event, _ in known:
        if isinstance(event, Inbound):
            return event.text, " ".join(event.media) or None

    return None, None
