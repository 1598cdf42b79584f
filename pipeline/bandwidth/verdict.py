"""What an answer, or the lack of one, proves. Pure; the most reviewed page of the house.

    202 and other 2xx with an id             Accepted; InDoubt where it names another attempt's tag
    400 413 415 422                          Rejected: this message is refused, for ever
    401 403 404 405 406                      Halted: so would be every other message
    429                                      NotSent, after the wait that the provider asks for
    5xx with Bandwidth's own JSON body       NotSent: documented as neither sent nor billed
    other 4xx with Bandwidth's own body      Rejected: its application has read it and refused it
    408 502 504, with any body               InDoubt: some hop's clock ran out, not its decision
    1xx 3xx, other 4xx and 5xx, other 2xx    InDoubt: written by nobody who would know
    no connection (refused, DNS, TLS, time)  NotSent: not a byte of the request has left
    anything else that goes wrong            InDoubt

Only proof leads to NotSent and Halted, which put a message back to READY. A redirect is not
followed and proves nothing: a hop may pass a request on and still answer with one. An undocumented
4xx may come from such a hop too (409: something has it already), and a 408 from a proxy that waited
in vain for the application. A doubt costs an operator a look; its opposite, somebody a second text.
"""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime

import httpx

from pipeline.bandwidth import wire
from pipeline.model import Accepted, AttemptId, Halted, InDoubt, NotSent, Outcome, Rejected

#: A longer `Retry-After` is nonsense: the deepest queue the provider sells drains in 4 hours.
MAX_RETRY_AFTER_SECONDS = 86_400

_QUEUE_FULL = "max-message-queue-size-exceeded"
_HALTED = {
    401: "401 credentials refused",
    403: "403 not permitted",
    404: "404 no such address or account",
    405: "405 method refused",
    406: "406 not acceptable",
}


def outcome_of_answer(status: int, headers: httpx.Headers, body: bytes, *, tag: str) -> Outcome:
    """Judge a complete answer to the POST of one message.

    Args:
        status: HTTP status.
        headers: Of the answer; `Retry-After` is read, and `Date` where it needs one.
        body: The whole body, decoded.
        tag: Of the attempt. The provider repeats it, so a 202 tells whose it is.
    """
    if 200 <= status < 300:
        return _of_success(status, body, tag)

    error = wire.decode_error(body)
    match status:
        case 400 | 413 | 415 | 422:
            return _rejected(status, error)
        case 401 | 403 | 404 | 405 | 406:
            return Halted(reason=_HALTED[status], http_status=status)
        case 429:
            return _not_sent(status, headers, _too_many(error))
        case 408 | 502 | 504:
            return InDoubt(reason=f"{status} time-out on the way", http_status=status)
        case _ if error is not None and 400 <= status < 500:
            return _rejected(status, error)
        case _ if error is not None and 500 <= status < 600:
            return _not_sent(status, headers, f"{status} server error")
        case _:
            return InDoubt(reason=f"{status} proves nothing", http_status=status)


def outcome_of_error(error: BaseException) -> Outcome:
    """Judge the failure of an exchange. `error` comes from a transport that is honest about phases.

    The three classes that mean "not a byte of the request has left" are believed; any other
    exception, known or not, leaves the message in doubt.
    """
    match error:
        case httpx.PoolTimeout():
            return NotSent(reason="no free connection in time")
        case httpx.ConnectTimeout():
            return NotSent(reason="connect time-out")
        case httpx.ConnectError():
            return NotSent(reason="connect failed")
        case httpx.TimeoutException():
            return InDoubt(reason="no answer in time")
        case httpx.NetworkError():
            return InDoubt(reason="connection lost")
        case httpx.RemoteProtocolError() | httpx.DecodingError():
            return InDoubt(reason="answer cut or garbled")
        case asyncio.CancelledError():
            return InDoubt(reason="cancelled while sending")
        case _:
            return InDoubt(reason=f"unexpected {type(error).__name__}")


def retry_after_seconds(headers: httpx.Headers) -> float | None:
    """Read how long the provider asks us to wait (RFC 9110 section 10.2.3).

    A date is measured against the answer's own `Date`, so no clock but the provider's takes part.

    Returns:
        Seconds, or None where nothing sensible is said.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return _sensible(float(value[:12]))

    try:
        until = parsedate_to_datetime(value)
        return _sensible((until - parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _sensible(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MAX_RETRY_AFTER_SECONDS else None


def _of_success(status: int, body: bytes, tag: str) -> Outcome:
    try:
        accepted = wire.decode_accepted(body)
    except wire.Unreadable:
        return InDoubt(reason=f"{status} without a readable id", http_status=status)

    if accepted.tag != tag and AttemptId.from_tag(accepted.tag) is not None:
        return InDoubt(reason=f"{status} to another message", http_status=status)

    return Accepted(
        message_id=accepted.id, segments_billed=accepted.segment_count, http_status=status
    )


def _rejected(status: int, error: wire.ErrorBody | None) -> Rejected:
    if error is None:
        return Rejected(http_status=status)

    fields = [f"{field.field_name}: {field.description}" for field in error.field_errors]
    return Rejected(
        http_status=status,
        error_code=error.type,
        error="; ".join([error.description, *fields]),
    )


def _not_sent(status: int, headers: httpx.Headers, reason: str) -> NotSent:
    return NotSent(
        reason=reason, http_status=status, retry_after_seconds=retry_after_seconds(headers)
    )


def _too_many(error: wire.ErrorBody | None) -> str:
    queue_full = error is not None and error.type == _QUEUE_FULL
    return "429 queue full" if queue_full else "429 too many requests"
