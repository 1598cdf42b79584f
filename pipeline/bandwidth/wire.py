"""JSON <-> model, in both directions: the one page that reads and writes what Bandwidth says.

It knows shapes, not meanings: what an answer is worth is `verdict`'s business. What arrives is read
tolerantly (unknown fields are ignored, a number may stand in quotation marks); what leaves has no
empty fields. The shapes themselves are in `bodies` and are imported from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from pipeline.bandwidth.bodies import (
    Callback,
    CallbackMessage,
    ErrorBody,
    FieldError,
    ListItem,
    MediaItem,
    MessageBody,
    MessageRequest,
    MessagesPage,
    PageInfo,
    SpringError,
    TokenBody,
    query_time,
)
from pipeline.model import Inbound, Message, Receipt, ReceiptKind

__all__ = [
    "INBOUND_TYPE",
    "Callback",
    "CallbackMessage",
    "ErrorBody",
    "FieldError",
    "ListItem",
    "MediaItem",
    "MessageBody",
    "MessageRequest",
    "MessagesPage",
    "PageInfo",
    "Sorted",
    "SpringError",
    "TokenBody",
    "Unreadable",
    "decode_accepted",
    "decode_error",
    "decode_media",
    "decode_page",
    "decode_request",
    "decode_token",
    "encode",
    "encode_message",
    "query_time",
    "sort_callbacks",
]

INBOUND_TYPE = "message-received"
#: Of one webhook; Bandwidth normally sends one. Half a million zeros would take seconds to refuse.
MOST_EVENTS = 10_000


class Unreadable(ValueError):
    """A body that is not what was expected. Its sentence names fields and types, never values."""


# --- Writing --------------------------------------------------------------------------------------

_ENCODER = msgspec.json.Encoder()


def encode(body: msgspec.Struct | Sequence[msgspec.Struct]) -> bytes:
    """Write one body, or an array of them, as JSON."""
    return _ENCODER.encode(body)


def encode_message(
    message: Message,
    *,
    application_id: str,
    tag: str,
    priority: str | None = None,
    expires_at: datetime | None = None,
) -> bytes:
    """Write the POST that asks for `message`, carrying `tag` through all its callbacks.

    `priority` and `expires_at` (aware) are left out where they are None.
    """
    request = MessageRequest(
        application_id=application_id,
        to=list(message.to),
        sender=message.sender,
        text=message.text or None,
        media=list(message.media) or None,
        tag=tag,
        priority=priority,
        expiration=query_time(expires_at) if expires_at else None,
    )
    return _ENCODER.encode(request)


# --- Reading --------------------------------------------------------------------------------------

_T = TypeVar("_T")


class _Named(msgspec.Struct):
    id: str


class _Typed(msgspec.Struct):
    type: str


# Not strict: a number in quotation marks is a number.
_REQUEST = msgspec.json.Decoder(MessageRequest, strict=False)
_ACCEPTED = msgspec.json.Decoder(MessageBody, strict=False)
_NAMED = msgspec.json.Decoder(_Named)
_ERROR = msgspec.json.Decoder(ErrorBody)
_PAGE = msgspec.json.Decoder(MessagesPage | list[MessagesPage], strict=False)
_MEDIA = msgspec.json.Decoder(list[MediaItem], strict=False)
_TOKEN = msgspec.json.Decoder(TokenBody, strict=False)
_EVENTS = msgspec.json.Decoder(Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_EVENTS)])
_EVENT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TYPED = msgspec.json.Decoder(_Typed)
_CALLBACK = msgspec.json.Decoder(Callback, strict=False)
_RECEIPT_TYPES = frozenset(ReceiptKind)
_KNOWN_TYPES = _RECEIPT_TYPES | {INBOUND_TYPE}


def decode_request(body: bytes) -> MessageRequest:
    """Read the body of a POST.

    Raises:
        Unreadable: it is no JSON object, or a field has the wrong type.
    """
    return _read(_REQUEST, body, "a message request")


def decode_accepted(body: bytes) -> MessageBody:
    """Read the body of a 202. Only the id matters: other fields that cannot be read are dropped.

    Raises:
        Unreadable: there is no id.
    """
    try:
        accepted = _read(_ACCEPTED, body, "an accepted message")
    except Unreadable:
        accepted = MessageBody(id=_read(_NAMED, body, "an accepted message").id)

    if not accepted.id:
        raise Unreadable("an accepted message has an empty id")

    return accepted


def decode_error(body: bytes) -> ErrorBody | None:
    """Read a refusal; None where it is not Bandwidth's own ``{type, description}``."""
    try:
        error = _read(_ERROR, body, "an error")
    except Unreadable:
        return None

    return error if error.type else None


def decode_page(body: bytes) -> MessagesPage:
    """Read one page of the listing, also where it comes wrapped in an array.

    Raises:
        Unreadable: it is no page.
    """
    match _read(_PAGE, body, "a page of messages"):
        case MessagesPage() as page:
            return page
        case [MessagesPage() as page]:
            return page
        case _:
            raise Unreadable("a page of messages must be one object")


def decode_media(body: bytes) -> list[MediaItem]:
    """Read one page of the list of media.

    Raises:
        Unreadable: it is no such list.
    """
    return _read(_MEDIA, body, "a list of media")


def decode_token(body: bytes) -> TokenBody:
    """Read the token endpoint's answer.

    Raises:
        Unreadable: there is no token.
    """
    return _read(_TOKEN, body, "a token")


class Sorted(NamedTuple):
    """The events of a webhook."""

    #: What we understand, each with its raw JSON.
    known: list[tuple[Receipt | Inbound, bytes]]
    #: Raw JSON of types that are not about our texts (``message-read``).
    strange: list[bytes]
    #: Raw JSON of what has no type, or one we know and cannot read.
    unreadable: list[bytes]


def sort_callbacks(body: bytes) -> Sorted:
    """Read a webhook: an array of events, or a single one. None costs its neighbours anything.

    Raises:
        Unreadable: the body is neither an array of at most `MOST_EVENTS` nor an object.
    """
    found = Sorted([], [], [])
    for raw in _split(body):
        event = _event(raw)
        if event is not None:
            found.known.append((event, raw))
        elif _is_strange(raw):
            found.strange.append(raw)
        else:
            found.unreadable.append(raw)

    return found


def _split(body: bytes) -> list[bytes]:
    try:
        return [bytes(event) for event in _read(_EVENTS, body, "a webhook")]
    except Unreadable:
        _read(_EVENT, body, "a webhook")
        return [body.strip()]


def _event(raw: bytes) -> Receipt | Inbound | None:
    try:
        callback = _read(_CALLBACK, raw, "a callback")
    except Unreadable:
        return None

    if callback.type == INBOUND_TYPE:  # without an id one cannot be told from another
        return _inbound(callback) if callback.message.id else None

    return _receipt(callback) if callback.type in _RECEIPT_TYPES else None


def _is_strange(raw: bytes) -> bool:
    try:
        return _read(_TYPED, raw, "an event").type not in _KNOWN_TYPES
    except Unreadable:
        return False


def _receipt(callback: Callback) -> Receipt:
    return Receipt(
        kind=ReceiptKind(callback.type),
        message_id=callback.message.id,
        to=callback.to,
        time=callback.time,
        tag=callback.message.tag or None,
        error_code=callback.error_code,
        description=callback.description,
        carrier=callback.carrier_name,
        segments_billed=callback.message.segment_count,
    )


def _inbound(callback: Callback) -> Inbound:
    return Inbound(
        message_id=callback.message.id,
        to=callback.to,
        sender=callback.message.sender or "",
        text=callback.message.text or "",
        time=callback.time,
        media=tuple(callback.message.media or ()),
    )


def _read(decoder: msgspec.json.Decoder[_T], body: bytes, what: str) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"this is not {what}: {error}") from None
    except RecursionError:
        raise Unreadable(f"this is not {what}: nested too deeply") from None
