"""What every address of the API checks first: who asks, for which account, and for what form."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipeline.simulator import answers
from pipeline.simulator.access import Gate

JSON = "application/json"


def refusal(request: Request, gate: Gate, *, now: float) -> Response | None:
    """Return the 401 or 403 of a caller who may not ask; None where it may."""
    if not gate.knows(request.headers.get("authorization"), now=now):
        return answers.unauthorized()

    if not gate.allows(request.path_params["account_id"]):
        return answers.forbidden()

    return None


def wants(request: Request, content_type: str) -> bool:
    """Say whether the Accept header allows this type."""
    family = content_type.partition("/")[0]
    wanted = request.headers.get("accept", "*/*").split(",")
    return any(media_type(kind) in {content_type, f"{family}/*", "*/*"} for kind in wanted)


def media_type(header: str) -> str:
    """Return the type of a header without its parameters."""
    return header.partition(";")[0].strip().lower()
