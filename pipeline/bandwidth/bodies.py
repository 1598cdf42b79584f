"""The bodies of Bandwidth's Messaging API v2, field for field, as structures.

    POST messages   MessageRequest -> MessageBody (202) | ErrorBody | SpringError (404)
    GET messages    MessagesPage { PageInfo, ListItem... }
    GET media       MediaItem...
    webhooks        Callback { CallbackMessage }...
    POST token      TokenBody

Hardly any field is required, and none that is empty is written. `wire` reads and writes them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

#: Assumed where the token endpoint does not say how long a token lives.
DEFAULT_TOKEN_SECONDS = 3600


class _Body(msgspec.Struct, rename="camel", omit_defaults=True):
    pass


# --- POST /users/{accountId}/messages -------------------------------------------------------------


class MessageRequest(_Body):
    """What is asked for. Nothing is required here: refusing is the receiver's work."""

    application_id: str = ""
    #: The guides also allow one bare number; `recipients` is always a list.
    to: list[str] | str = []
    sender: str = msgspec.field(name="from", default="")
    text: str | None = None
    media: list[str] | None = None
    tag: str | None = None
    priority: str | None = None
    #: RFC 3339; kept as it was written, since a receiver echoes it.
    expiration: str | None = None

    @property
    def recipients(self) -> list[str]:
        """Return the numbers of `to`."""
        return [self.to] if isinstance(self.to, str) else self.to


class MessageBody(_Body):
    """The message as the provider took it: the body of a 202."""

    id: str
    owner: str | None = None
    application_id: str | None = None
    time: datetime | None = None
    segment_count: int | None = None
    direction: str | None = None
    to: list[str] = []
    sender: str | None = msgspec.field(name="from", default=None)
    media: list[str] | None = None
    text: str | None = None
    tag: str | None = None
    priority: str | None = None
    expiration: str | None = None


class FieldError(_Body):
    """What is wrong with one field of the request."""

    field_name: str
    description: str


class ErrorBody(_Body):
    """Bandwidth's own refusal: what only its application writes, never a gateway before it."""

    type: str
    description: str
    field_errors: list[FieldError] = []


class SpringError(_Body):
    """The framework's refusal of an address that does not exist (404)."""

    timestamp: str
    status: int
    error: str
    message: str = ""
    path: str = ""


# --- GET /users/{accountId}/messages --------------------------------------------------------------


class ListItem(_Body):
    """A message as the listing tells it: without text, tag or price."""

    message_id: str
    account_id: str | None = None
    source_tn: str | None = None
    destination_tn: str | None = None
    message_status: str | None = None
    message_direction: str | None = None
    message_type: str | None = None
    segment_count: int | None = None
    #: 0 where nothing failed.
    error_code: int | None = None
    #: When the provider took it (aware, UTC).
    receive_time: datetime | None = None
    carrier_name: str | None = None
    message_size: int | None = None
    message_length: int | None = None
    attachment_count: int | None = None
    recipient_count: int | None = None
    campaign_class: str | None = None
    campaign_id: str | None = None
    bw_latency: int | None = None
    carrier_latency: int | None = None
    calling_number_country_a3: str | None = None
    called_number_country_a3: str | None = None
    product: str | None = None
    location: str | None = None

    def __post_init__(self) -> None:
        if self.receive_time is not None:
            self.receive_time = _utc(self.receive_time)


class PageInfo(_Body):
    """Where the neighbouring pages are; empty where there is one page only."""

    prev_page: str | None = None
    next_page: str | None = None
    prev_page_token: str | None = None
    next_page_token: str | None = None


class MessagesPage(_Body, omit_defaults=False, kw_only=True):
    """One page of the listing. Without `messages` it is none: silence is not absence."""

    total_count: int = 0
    page_info: PageInfo = msgspec.field(default_factory=PageInfo)
    messages: list[ListItem]


# --- GET /users/{accountId}/media -----------------------------------------------------------------


class MediaItem(_Body):
    """A file as the list of media tells it."""

    media_name: str
    content_length: int | None = None
    #: The address it is downloaded from.
    content: str | None = None


# --- Webhooks -------------------------------------------------------------------------------------


#: What a database's integer holds with ease: a larger one is no code and no count.
_Small = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class CallbackMessage(_Body):
    """The message a callback speaks of."""

    id: str
    owner: str | None = None
    application_id: str | None = None
    time: datetime | None = None
    segment_count: _Small | None = None
    direction: str | None = None
    to: list[str] = []
    sender: str | None = msgspec.field(name="from", default=None)
    text: str | None = None
    tag: str | None = None
    media: list[str] | None = None
    priority: str | None = None
    channel: str | None = None


class Callback(_Body, kw_only=True):
    """One event. Bandwidth sends arrays of them."""

    #: When it happened (aware, UTC).
    time: datetime
    type: str
    to: str
    description: str = ""
    message: CallbackMessage
    #: Only for ``message-failed``.
    error_code: _Small | None = None
    #: Only where the account has the feature.
    carrier_name: str | None = None

    def __post_init__(self) -> None:
        self.time = _utc(self.time)


# --- POST token -----------------------------------------------------------------------------------


class TokenBody(msgspec.Struct, kw_only=True):
    """An OAuth2 access token (RFC 6749 section 5.1). Prints without the token."""

    access_token: str
    expires_in: int = DEFAULT_TOKEN_SECONDS
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme

    def __repr__(self) -> str:
        return f"TokenBody(access_token='***', expires_in={self.expires_in})"


def _utc(time: datetime) -> datetime:
    """Return the moment in UTC; one without a zone is the provider's own clock, which is UTC."""
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)

    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment outside of the calendar") from None


def query_time(time: datetime) -> str:
    """Write a moment in RFC 3339 with milliseconds, which the listing's date filters insist on.

    Raises:
        ValueError: the moment has no time zone.
    """
    if time.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be asked for")

    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
