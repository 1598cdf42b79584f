"""The filters of the listing as options: one line each, in the order of the API reference."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeVar

import typer

from pipeline.bandwidth.client import Filter
from pipeline.errors import UsageError
from pipeline.prepare.lists import read_spoken

F = TypeVar("F", bound=Callable[..., Any])

#: In one search (API reference, listMessages).
MOST_NUMBERS = 10
FEWEST_CHARACTERS = 5
#: Digits without a plus that are more are no short code.
LONGEST_SHORT_CODE = 8
#: How a whole number without a plus is read.
_HOME = "US"


class Status(StrEnum):
    """Where a message stands."""

    RECEIVED = "RECEIVED"
    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    DELIVERED = "DELIVERED"
    ACCEPTED = "ACCEPTED"
    UNDELIVERED = "UNDELIVERED"


class Direction(StrEnum):
    """Which way it went."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


class Type(StrEnum):
    """What kind it is."""

    SMS = "sms"
    MMS = "mms"
    RCS = "rcs"


class Product(StrEnum):
    """What kind of sender it came from."""

    LOCAL_A2P = "LOCAL_A2P"
    P2P = "P2P"
    SHORT_CODE_REACH = "SHORT_CODE_REACH"
    TOLL_FREE = "TOLL_FREE"
    HOSTED_SHORT_CODE = "HOSTED_SHORT_CODE"
    ALPHA_NUMERIC = "ALPHA_NUMERIC"
    RBM_MEDIA = "RBM_MEDIA"
    RBM_RICH = "RBM_RICH"
    RBM_CONVERSATIONAL = "RBM_CONVERSATIONAL"


class _Option(NamedTuple):
    #: As `BandwidthClient.list_messages` has it; the option has dashes.
    name: str
    type: Any
    help: str


_NUMBERS = f"a number, part of one, or up to {MOST_NUMBERS} with commas."
_SECONDS = "seconds (accounts with Advanced Quality Metrics)."
_MOMENT = "as 2026-11-24, or 2026-11-24T18:30:00.000+01:00; UTC where no zone is said"

OPTIONS = (
    _Option("message_id", str, "The message of this id."),
    _Option("source_tn", str, f"Sent by: {_NUMBERS}"),
    _Option("destination_tn", str, f"Received by: {_NUMBERS}"),
    _Option("message_status", Status, "Where it stands."),
    _Option("message_direction", Direction, "Which way it went."),
    _Option("carrier_name", str, "The carrier, such as Verizon or AT&T."),
    _Option("message_type", Type, "What kind it is."),
    _Option("error_code", int, "The code of its failure; 0 is none."),
    _Option("from_date_time", str, f"Taken at or after, {_MOMENT} (default: 14 days ago)."),
    _Option("to_date_time", str, f"Taken at or before, {_MOMENT} (default: now)."),
    _Option("campaign_id", str, "The registered campaign, such as CJEUMDK."),
    _Option("from_bw_latency", int, f"Spent at Bandwidth at least so many {_SECONDS}"),
    _Option("bw_queued", bool, "Whether it waits at Bandwidth."),
    _Option("product", Product, "What kind of sender it came from."),
    _Option("location", str, "The location's id."),
    _Option("carrier_queued", bool, "Whether it waits at the carrier."),
    _Option("from_carrier_latency", int, f"Spent at the carrier at least so many {_SECONDS}"),
    _Option("calling_number_country_a3", str, "The sender's country, such as USA."),
    _Option("called_number_country_a3", str, "The recipient's country, such as USA."),
    _Option("from_segment_count", int, "At least so many segments."),
    _Option("to_segment_count", int, "At most so many segments."),
    _Option("from_message_size", int, "At least so many bytes."),
    _Option("to_message_size", int, "At most so many bytes."),
    _Option("sort", str, "A field and asc or desc, such as sourceTn:desc (default: by time)."),
    _Option("page_token", str, "Ask only for the page that an earlier answer's token names."),
    _Option("limit", int, "So many messages at most (default: all; of a page: 100)."),
    _Option("limit_total_count", bool, "With --page-token: count no further than 10,000."),
)


def with_filters(command: F) -> F:
    """Give a command every filter as an option, in its ``**filters``."""
    own = inspect.signature(command, eval_str=True)
    kept = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
    added = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[each.type | None, typer.Option(help=each.help)],
        )
        for each in OPTIONS
    ]
    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in kept]
    command.__signature__ = own.replace(parameters=[*keyword, *added])  # type: ignore[attr-defined]
    return command


def said(filters: dict[str, Any]) -> dict[str, Filter]:
    """Return the filters that were given, checked.

    Raises:
        UsageError: one of them cannot be asked for.
    """
    given: dict[str, Filter] = {name: value for name, value in filters.items() if value is not None}
    for name in ("source_tn", "destination_tn"):
        if name in given:
            given[name] = _numbers(name, str(given[name]))

    for name in ("from_date_time", "to_date_time"):
        if name in given:
            given[name] = _moment(name, str(given[name]))

    return given


def check_stretch(start: datetime, end: datetime) -> None:
    """Check that a time does not end before it begins.

    Raises:
        UsageError: it does.
    """
    if start > end:
        raise UsageError("--from-date-time: lies after the end of the time that is searched")


def _numbers(name: str, text: str) -> list[str]:
    numbers = [part.strip() for part in text.split(",") if part.strip()]
    option = f"--{name.replace('_', '-')}"
    if not 1 <= len(numbers) <= MOST_NUMBERS:
        raise UsageError(f"{option}: the provider takes 1 to {MOST_NUMBERS} numbers in one search")

    if any(len(number) < FEWEST_CHARACTERS for number in numbers):
        raise UsageError(
            f"{option}: part of a number has at least {FEWEST_CHARACTERS} characters, as +1919"
        )

    return [_number(option, numbers, position) for position in range(len(numbers))]


def _number(option: str, numbers: list[str], position: int) -> str:
    """Return a number as the listing has it, in E.164; parts, short codes and names as they are."""
    written = numbers[position]
    try:
        return read_spoken([written], _HOME)[0]
    except UsageError:
        if len(written) <= LONGEST_SHORT_CODE or not written.isdigit():
            return written

    raise UsageError(
        f"{option}: number {position + 1} of {len(numbers)}: write it with + and its country code"
    )


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        option = f"--{name.replace('_', '-')}"
        raise UsageError(f"{option}: write a moment {_MOMENT}") from None

    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
