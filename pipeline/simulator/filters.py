"""The filters of GET messages: what each of them lets through, and what values they take.

All that Bandwidth's listMessages page documents. What a message does not have, no value finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from operator import eq, ge, le

from pipeline.simulator.book import PRODUCTS, Entry

MAX_NUMBERS = 10  #: in one comma list
MIN_PARTIAL_CHARACTERS = 5
MAX_DIGITS = 18  #: of a whole number

Test = Callable[[Entry], bool]

_MILLISECOND_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{3}", re.ASCII)
_HANDSET = re.compile(r"\+?[0-9]{1,15}", re.ASCII)  # or the beginning of one
_SENDER = re.compile(r"[A-Za-z0-9 +_&-]{1,16}", re.ASCII)  # also names
_WORDS = {
    "messageStatus": {
        *("RECEIVED", "QUEUED", "SENDING", "SENT"),
        *("FAILED", "DELIVERED", "ACCEPTED", "UNDELIVERED"),
    },
    "messageDirection": {"INBOUND", "OUTBOUND"},
    "messageType": {"sms", "mms", "rcs"},
    "product": set(PRODUCTS),
}


class BadQuery(ValueError):
    """A query that is answered with 400; says why."""


def read_filter(name: str, value: str, now: float) -> Test:
    """Return what a filter of the query lets through; `now` is by the clock.

    Raises:
        BadQuery: there is no such filter, or its value cannot be read.
    """
    if name in _WORDS:
        wanted = word(name, value)
        return lambda entry: _WORD_OF[name](entry, now) == wanted

    if name in _FACT_OF:
        is_so, fact_of = boolean(name, value), _FACT_OF[name]
        return lambda entry: fact_of(entry, now) is is_so

    if name in _NUMBER_OF:
        bound, number_of = whole(name, value), _NUMBER_OF[name]
        compare = le if name.startswith("to") else ge if name.startswith("from") else eq
        return lambda entry: (
            (number := number_of(entry, now)) is not None and compare(number, bound)
        )

    if name in _EXACT:
        exact = _EXACT[name]
        return lambda entry: exact(entry) == value

    if name in _OTHERS:
        return _OTHERS[name](name, value)

    raise BadQuery(f"there is no search parameter '{name}'")


_WORD_OF: dict[str, Callable[[Entry, float], str]] = {
    "messageStatus": lambda entry, now: entry.status(now),
    "messageDirection": lambda entry, _now: entry.direction,
    "messageType": lambda entry, _now: entry.channel,
    "product": lambda entry, _now: entry.product,
}
_FACT_OF: dict[str, Callable[[Entry, float], bool | None]] = {
    "bwQueued": lambda entry, now: entry.status(now) == "QUEUED",
    "carrierQueued": lambda entry, now: (
        None if entry.is_inbound else entry.status(now) == "SENT"  # of outbound messages only
    ),
}
_EXACT: dict[str, Callable[[Entry], str | None]] = {
    "messageId": lambda entry: entry.text.message_id,
    "carrierName": lambda entry: entry.carrier_name,
    "campaignId": lambda entry: entry.campaign_id,
    "location": lambda entry: entry.belongings.location,
}
_NUMBER_OF: dict[str, Callable[[Entry, float], int | None]] = {
    "errorCode": lambda entry, now: entry.known_error(now),
    "fromSegmentCount": lambda entry, _now: entry.text.segments,
    "toSegmentCount": lambda entry, _now: entry.text.segments,
    "fromMessageSize": lambda entry, _now: entry.text.length,
    "toMessageSize": lambda entry, _now: entry.text.length,
    "fromBwLatency": lambda entry, _now: entry.bandwidth_seconds,
    "fromCarrierLatency": lambda entry, now: entry.carrier_seconds(now),
}


def _source(name: str, value: str) -> Test:
    wanted = numbers(name, value)
    if len(wanted) == 1:
        return lambda entry: entry.text.sender.startswith(wanted[0])

    return lambda entry: entry.text.sender in wanted


def _destination(name: str, value: str) -> Test:
    numbers(name, value)
    return lambda _entry: True  # the book was only opened at these numbers


def _from_time(name: str, value: str) -> Test:
    bound = moment(name, value)
    return lambda entry: entry.received_at >= bound


def _to_time(name: str, value: str) -> Test:
    bound = moment(name, value)
    return lambda entry: entry.received_at <= bound


def _calling(name: str, value: str) -> Test:
    wanted = country(name, value)
    return lambda entry: entry.calling_country == wanted


def _called(name: str, value: str) -> Test:
    wanted = country(name, value)
    return lambda entry: entry.called_country == wanted


_OTHERS: dict[str, Callable[[str, str], Test]] = {
    "sourceTn": _source,
    "destinationTn": _destination,
    "fromDateTime": _from_time,
    "toDateTime": _to_time,
    "callingNumberCountryA3": _calling,
    "calledNumberCountryA3": _called,
}


# --- Values ---------------------------------------------------------------------------------------


def numbers(name: str, value: str) -> list[str]:
    """Read one number or its beginning, or a list of numbers with commas.

    Raises:
        BadQuery: it is none.
    """
    found = value.split(",")
    if len(found) > MAX_NUMBERS:
        raise BadQuery(f"'{name}' can have at most {MAX_NUMBERS} telephone numbers")

    if len(found) == 1 and len(value) < MIN_PARTIAL_CHARACTERS:
        raise BadQuery(f"'{name}' must be at least {MIN_PARTIAL_CHARACTERS} characters")

    form = _SENDER if name == "sourceTn" else _HANDSET
    if not all(form.fullmatch(number) for number in found):
        raise BadQuery(f"'{name}' must be telephone numbers in E164 format, with '+' as '%2B'")

    return found


def word(name: str, value: str) -> str:
    """Read one of the words that the filter knows.

    Raises:
        BadQuery: it is none.
    """
    if value not in _WORDS[name]:
        raise BadQuery(f"'{name}' must be one of {', '.join(sorted(_WORDS[name]))}")

    return value


def whole(name: str, value: str) -> int:
    """Read a whole number that is not negative.

    Raises:
        BadQuery: it is none.
    """
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS):
        raise BadQuery(f"'{name}' must be a whole number")

    return int(value)


def boolean(name: str, value: str) -> bool:
    """Read true or false.

    Raises:
        BadQuery: it is neither.
    """
    if value not in {"true", "false"}:
        raise BadQuery(f"'{name}' must be true or false")

    return value == "true"


def country(name: str, value: str) -> str:
    """Read a country's three letters.

    Raises:
        BadQuery: it is none.
    """
    if not _COUNTRY.fullmatch(value):
        raise BadQuery(f"'{name}' must be a country of three letters, such as USA")

    return value


def moment(name: str, value: str) -> datetime:
    """Read a date and time, which must have milliseconds.

    Raises:
        BadQuery: it is none.
    """
    if not _MILLISECOND_TIME.fullmatch(value):
        raise BadQuery(
            f"'{name}' must be a date and time with milliseconds, such as 2024-01-01T00:00:00.000Z"
        )

    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise BadQuery(f"'{name}' is no date and time") from None
