"""The bodies the provider answers with, and the broken answers it gives instead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from starlette.responses import Response

from pipeline.bandwidth.wire import ErrorBody, FieldError, SpringError, encode
from pipeline.simulator.behaviour import Fault
from pipeline.simulator.faults import Closed, CutBody, Garbage, Reset, Silence

_JSON = "application/json"
_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def accepted(body: bytes) -> Response:
    """202: the message was taken."""
    return Response(body, 202, media_type=_JSON)


def refused(
    status: int,
    kind: str,
    description: str,
    *,
    fields: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Refuse with Bandwidth's own body."""
    body = ErrorBody(type=kind, description=description, field_errors=list(fields))
    return Response(encode(body), status, headers=headers, media_type=_JSON)


def invalid(fields: Sequence[FieldError] = ()) -> Response:
    """400: the request could not be accepted, with every field that is wrong."""
    return refused(400, "request-validation", "Your request could not be accepted", fields=fields)


def unauthorized() -> Response:
    """401: no credentials, or wrong ones."""
    return refused(401, "unauthorized", "Authentication Failed")


def forbidden() -> Response:
    """403: right credentials, without permission for this account."""
    return refused(403, "forbidden", "Access Denied")


def not_found(path: str, at: datetime) -> Response:
    """404: an address that does not exist, refused by the framework before the API."""
    body = SpringError(
        timestamp=at.isoformat(timespec="milliseconds"),
        status=404,
        error="Not Found",
        message="No message available",
        path=path,
    )
    return Response(encode(body), 404, media_type=_JSON)


def method_not_allowed(method: str, allowed: str) -> Response:
    """405: the address exists, the method does not."""
    return refused(
        405,
        "method-not-allowed",
        f"Request method '{method}' not supported",
        headers={"allow": allowed},
    )


def not_acceptable() -> Response:
    """406: the caller does not want JSON, and there is nothing else."""
    return refused(406, "not-acceptable", "Only 'application/json' can be produced")


def unsupported(content_type: str) -> Response:
    """415: the body is not JSON."""
    return refused(
        415,
        "unsupported-content-type",
        f"Content type '{content_type}' not supported. Please use 'application/json'",
    )


def unsupported_media(content_type: str) -> Response:
    """415: the file is of no type that the provider takes."""
    return refused(415, "unsupported-content-type", f"Content type '{content_type}' not supported")


def no_such_media() -> Response:
    """404: the address exists, the file does not."""
    return refused(404, "not-found", "There is no media with this name")


def store_full(megabytes: float) -> Response:
    """429: the simulator keeps no more files until some are deleted or over their time."""
    return refused(
        429, "too-many-requests", f"The simulator keeps {megabytes:g} MB of media: delete some"
    )


def too_many_requests() -> Response:
    """429 to a media request."""
    return refused(429, "too-many-requests", "Too many requests: try again later")


def internal_error(description: str) -> Response:
    """500 in Bandwidth's own words: nothing was done."""
    return refused(500, "internal-server-error", description)


def queue_full(sentence: str) -> Response:
    """429 to a POST: the account's queue is full. There is no Retry-After."""
    return refused(429, "max-message-queue-size-exceeded", sentence)


def listed_too_often(retry_after_seconds: int) -> Response:
    """429 to a GET: too many requests of one address."""
    return refused(
        429,
        "rate_limit_exceeded",
        "Rate limit exceeded. Wait for Retry-After time before sending another request.",
        headers={"retry-after": str(retry_after_seconds)},
    )


def faulty(fault: Fault, body: bytes, *, full_text: str) -> Response:
    """Answer as the fault demands; `body` is what a 202 would have said."""
    match fault:
        case Fault.BUSY:
            return queue_full(full_text)
        case Fault.ERROR:
            return internal_error("The message could not be processed")
        case Fault.GATEWAY:
            return Response(_PAGE.format("502 Bad Gateway"), 502, media_type="text/html")
        case Fault.LOST | Fault.REFUSED:
            return Closed()
        case Fault.RESET:
            return Reset()
        case Fault.SLOW:
            return accepted(body)
        case Fault.SILENT:
            return Silence()
        case Fault.CUT:
            return CutBody(body, 202, media_type=_JSON)
        case Fault.GARBAGE:
            return Garbage()
        case Fault.UNREADABLE:
            return Response(_PAGE.format("Accepted"), 202, media_type=_JSON)

    assert_never(fault)
