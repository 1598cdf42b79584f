"""What the provider refuses before it takes a message: every problem of a request at once.

Limits of the Messaging API's createMessage page. It checks form only: whether a number exists or
may be texted comes out after the 202.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from pipeline.bandwidth.wire import FieldError, MessageRequest

USUAL_RECIPIENTS = 10
MOST_RECIPIENTS = 50  #: what older documents promise
MAX_TEXT_CHARACTERS = 2_048
MAX_TAG_CHARACTERS = 1_024
MAX_MEDIA = 10
MAX_MEDIA_URL_CHARACTERS = 4_096
PRIORITIES = frozenset({"default", "high"})

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_ADDRESS = re.compile(  # RFC 3986
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=\[\]-]|%[0-9A-Fa-f]{2})+"
)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")


def problems(
    request: MessageRequest,
    *,
    now: datetime,
    max_recipients: int = USUAL_RECIPIENTS,
    text_required: bool = False,
) -> list[FieldError]:
    """Return what is wrong with the request, by field; empty where it can be taken."""
    found = [
        *_application_problems(request),
        *_sender_problems(request),
        *_recipient_problems(request, max_recipients),
        *_content_problems(request, text_required=text_required),
        *_option_problems(request, now),
    ]
    return [FieldError(field_name=field, description=sentence) for field, sentence in found]


def nulls(body: bytes) -> list[FieldError]:
    """Return the fields of a readable request that are null: the document lets none be."""
    if b"null" not in body:  # nearly always, and a search costs nothing
        return []

    fields: dict[str, object] = msgspec.json.decode(body)
    return [
        FieldError(field_name=field, description=f"'{field}' must not be null")
        for field, value in fields.items()
        if value is None and field in _FIELDS
    ]


_FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(MessageRequest))

Problem = tuple[str, str]


def _application_problems(request: MessageRequest) -> Iterator[Problem]:
    if not request.application_id:
        yield "applicationId", "'applicationId' is required"


def _sender_problems(request: MessageRequest) -> Iterator[Problem]:
    sender = request.sender
    if not sender:
        yield "from", "'from' must contain exactly one telephone number"
    elif not any(form.fullmatch(sender) for form in (_E164, _SHORT_CODE, _ALPHANUMERIC)):
        yield "from", _not_e164(sender)


def _recipient_problems(request: MessageRequest, most: int) -> Iterator[Problem]:
    recipients = [number for number in request.recipients if number]
    if not recipients:
        yield "to", "'to' must contain at least one telephone number"

    if len(recipients) > most:
        yield "to", f"'to' must contain at most {most} telephone numbers"

    if len(set(recipients)) < len(recipients):
        yield "to", "'to' must contain unique telephone numbers"

    for number in recipients:
        if not _E164.fullmatch(number):
            yield "to", _not_e164(number)


def _content_problems(request: MessageRequest, *, text_required: bool) -> Iterator[Problem]:
    media = request.media or []
    if not request.text and text_required:
        yield "text", "'text' is required"
    elif not request.text and not media:
        yield "text", "'text' is required unless media is included"

    if len(request.text or "") > MAX_TEXT_CHARACTERS:
        yield "text", f"'text' must be at most {MAX_TEXT_CHARACTERS} characters"

    if len(media) > MAX_MEDIA:
        yield "media", f"'media' must contain at most {MAX_MEDIA} addresses"

    for address in media:
        if not _ADDRESS.fullmatch(address):
            yield "media", f"'{address[:100]}' in 'media' must be replaced with a valid URL"

    if any(len(address) > MAX_MEDIA_URL_CHARACTERS for address in media):
        yield (
            "media",
            f"an address in 'media' must be at most {MAX_MEDIA_URL_CHARACTERS} characters",
        )


def _option_problems(request: MessageRequest, now: datetime) -> Iterator[Problem]:
    if len(request.tag or "") > MAX_TAG_CHARACTERS:
        yield "tag", f"'tag' must be at most {MAX_TAG_CHARACTERS} characters"

    if request.priority is not None and request.priority not in PRIORITIES:
        yield "priority", "'priority' must be 'default' or 'high'"

    if request.expiration is not None:
        expires_at = read_expiration(request.expiration)
        if expires_at is None:
            yield "expiration", "'expiration' must be an RFC-3339 date and time"
        elif expires_at <= now:
            yield "expiration", "'expiration' must be in the future"


def read_expiration(text: str) -> datetime | None:
    """Read an RFC 3339 moment; None where it is none."""
    if not _RFC3339.fullmatch(text):
        return None

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None

    return moment


def _not_e164(number: str) -> str:
    return f"'{number}' must be replaced with a valid E164 formatted telephone number"
