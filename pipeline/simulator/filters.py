"""The filters of GET messages: what each one's value must look like, and which entries it keeps.

They follow Bandwidth's listMessages page. Some ask for what no simulated message has (a carrier, a
campaign, a location, a size, countries, measured latencies): those are read, checked, and match
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from pipeline.simulator.book import Entry

MAX_NUMBERS = 10  #: in one comma list
MIN_PARTIAL_CHARACTERS = 5
MAX_DIGITS = 18  #: of a whole number

Test = Callable[[Entry], bool]
Filter = Callable[[str, str, float], Test]

_MILLISECOND_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{3}", re.ASCII)
_TOLL_FREE = re.compile(r"\+18(00|33|44|55|66|77|88)\d{7}", re.ASCII)
_HANDSET = re.compile(r"\+?[0-9]{1,15}", re.ASCII)  # or the beginning of one
_SENDER = re.compile(r"[A-Za-z0-9 +_&-]{1,16}", re.ASCII)  # also names
_WORDS = {
    "messageStatus": {
        *("RECEIVED", "QUEUED", "SENDING", "SENT"),
        *("FAILED", "DELIVERED", "ACCEPTED", "UNDELIVERED"),
    },
    "messageDirection": {"INBOUND", "OUTBOUND"},
    "messageType": {"sms", "mms", "rcs"},
    "product": {
        *("LOCAL_A2P", "P2P", "SHORT_CODE_REACH", "TOLL_FREE", "HOSTED_SHORT_CODE"),
        *("ALPHA_NUMERIC", "RBM_MEDIA", "RBM_RICH", "RBM_CONVERSATIONAL"),
    },
}
_PAGING = frozenset({"sort", "limit", "pageToken", "limitTotalCount"})


class BadQuery(ValueError):
    """A query that is answered with 400; says why."""


def tests(query: Mapping[str, str], now: float) -> list[Test]:
    """Return a test for each filter of the query; `now` is monotonic.

    Raises:
        BadQuery: no filter, an unknown one, or a value that cannot be read.
    """
    filters = [(name, value) for name, value in query.items() if name not in _PAGING]
    if not filters:
        raise BadQuery("at least one search parameter is required")

    for name, _ in filters:
        if name not in _FILTERS:
            raise BadQuery(f"the simulator has no filter '{name}'")

    return [_FILTERS[name](name, value, now) for name, value in filters]


def _message_id(_name: str, value: str, _now: float) -> Test:
    return lambda entry: entry.text.message_id == value


def _source(name: str, value: str, _now: float) -> Test:
    asked = numbers(name, value)
    if len(asked) == 1:
        return lambda entry: entry.text.sender.startswith(asked[0])

    return lambda entry: entry.text.sender in asked


def _destination(name: str, value: str, _now: float) -> Test:
    numbers(name, value)
    return lambda _entry: True  # the book was only opened at these numbers


def _status(name: str, value: str, now: float) -> Test:
    word = _word(name, value)
    return lambda entry: entry.fate.status(now) == word


def _direction(name: str, value: str, _now: float) -> Test:
    outbound = _word(name, value) == "OUTBOUND"
    return lambda _entry: outbound


def _type(name: str, value: str, _now: float) -> Test:
    word = _word(name, value)
    return lambda entry: entry.channel == word


def _error_code(name: str, value: str, now: float) -> Test:
    code = whole(name, value)
    return lambda entry: entry.fate.known_error(now) == code


def _from_time(name: str, value: str, _now: float) -> Test:
    moment = _moment(name, value)
    return lambda entry: entry.received_at >= moment


def _to_time(name: str, value: str, _now: float) -> Test:
    moment = _moment(name, value)
    return lambda entry: entry.received_at <= moment


def _from_segments(name: str, value: str, _now: float) -> Test:
    least = whole(name, value)
    return lambda entry: entry.text.segments >= least


def _to_segments(name: str, value: str, _now: float) -> Test:
    most = whole(name, value)
    return lambda entry: entry.text.segments <= most


def _product(name: str, value: str, _now: float) -> Test:
    product = _word(name, value)
    return lambda entry: _product_of(entry.text.sender) == product


def _product_of(sender: str) -> str:
    if not sender.startswith("+"):
        return "SHORT_CODE_REACH" if sender.isdigit() else "ALPHA_NUMERIC"

    return "TOLL_FREE" if _TOLL_FREE.fullmatch(sender) else "LOCAL_A2P"


def _at_provider(name: str, value: str, now: float) -> Test:
    waits = boolean(name, value)
    return lambda entry: (entry.fate.status(now) == "QUEUED") is waits


def _at_carrier(name: str, value: str, now: float) -> Test:
    waits = boolean(name, value)
    return lambda entry: (entry.fate.status(now) == "SENT") is waits


def _unknown_text(_name: str, _value: str, _now: float) -> Test:
    return _nothing


def _unknown_number(name: str, value: str, _now: float) -> Test:
    whole(name, value)
    return _nothing


def _unknown_country(name: str, value: str, _now: float) -> Test:
    if not _COUNTRY.fullmatch(value):
        raise BadQuery(f"'{name}' must be a country of three letters, such as USA")

    return _nothing


def _nothing(_entry: Entry) -> bool:
    return False


_FILTERS: dict[str, Filter] = {
    "messageId": _message_id,
    "sourceTn": _source,
    "destinationTn": _destination,
    "messageStatus": _status,
    "messageDirection": _direction,
    "messageType": _type,
    "errorCode": _error_code,
    "fromDateTime": _from_time,
    "toDateTime": _to_time,
    "fromSegmentCount": _from_segments,
    "toSegmentCount": _to_segments,
    "product": _product,
    "bwQueued": _at_provider,
    "carrierQueued": _at_carrier,
    "carrierName": _unknown_text,
    "campaignId": _unknown_text,
    "location": _unknown_text,
    "fromBwLatency": _unknown_number,
    "fromCarrierLatency": _unknown_number,
    "fromMessageSize": _unknown_number,
    "toMessageSize": _unknown_number,
    "callingNumberCountryA3": _unknown_country,
    "calledNumberCountryA3": _unknown_country,
}


# --- Values ---------------------------------------------------------------------------------------


def numbers(name: str, value: str) -> list[str]:
    """Read one telephone number, the beginning of one, or a comma list of them."""
    listed = value.split(",")
    if len(listed) > MAX_NUMBERS:
        raise BadQuery(f"'{name}' can have at most {MAX_NUMBERS} telephone numbers")

    if len(listed) == 1 and len(value) < MIN_PARTIAL_CHARACTERS:
        raise BadQuery(f"'{name}' must be at least {MIN_PARTIAL_CHARACTERS} characters")

    form = _SENDER if name == "sourceTn" else _HANDSET
    if not all(form.fullmatch(number) for number in listed):
        raise BadQuery(f"'{name}' must be telephone numbers in E164 format, with '+' as '%2B'")

    return listed


def _word(name: str, value: str) -> str:
    if value not in _WORDS[name]:
        raise BadQuery(f"'{name}' must be one of {', '.join(sorted(_WORDS[name]))}")

    return value


def whole(name: str, value: str) -> int:
    """Read a whole number that is not negative."""
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS):
        raise BadQuery(f"'{name}' must be a whole number")

    return int(value)


def boolean(name: str, value: str) -> bool:
    """Read true or false."""
    if value not in {"true", "false"}:
        raise BadQuery(f"'{name}' must be true or false")

    return value == "true"


def _moment(name: str, value: str) -> datetime:
    if not _MILLISECOND_TIME.fullmatch(value):
        raise BadQuery(
            f"'{name}' must be a date and time with milliseconds, such as 2024-01-01T00:00:00.000Z"
        )

    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise BadQuery(f"'{name}' is no date and time") from None
