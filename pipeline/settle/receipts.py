"""Events by webhook: durable first, answered second, within the provider's ten seconds.

Bandwidth repeats a callback for 24 hours until it gets a 2xx. So an answer before the journal has
the event would lose it, and what is refused comes back: an event that we cannot read today is
perhaps one for the bandcast of tomorrow.

    204  every event is durable, or of a type that is not about our texts
    400  no webhook, or an event in it that cannot be read; those beside it are durable
    401 405 413 415  not the provider, no POST, more than 1 MiB, a packed body
    503  not durable: the journal failed, or too many wait for it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import anyio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.bandwidth.wire import INBOUND_TYPE, Sorted, Unreadable, sort_callbacks
from pipeline.errors import JournalError
from pipeline.journal import Journal
from pipeline.model import Inbound, Receipt
from pipeline.settle.callers import Guard

#: More than the largest callback by far: one event is about one kilobyte.
MOST_BODY_BYTES = 1_048_576

#: In `Receiver.events`: of a type that is not about our texts, and not readable.
OTHER, UNREADABLE = "other", "unreadable"

Events = Sequence[tuple[Receipt | Inbound, bytes]]
#: Makes events durable, and returns only then: the inbound messages that are new.
Keep = Callable[[Events], Awaitable[list[Inbound]]]


def keep_events(journal: Journal, events: Events, *, now: datetime) -> list[Inbound]:
    """Keep events of all kinds in one transaction; return the inbound messages that are new."""
    receipts = [(event, raw) for event, raw in events if isinstance(event, Receipt)]
    messages = [(event, raw) for event, raw in events if isinstance(event, Inbound)]
    with journal.transaction():
        if receipts:
            journal.receive(receipts, now=now)

        return journal.hear(messages, now=now) if messages else []


class Receiver:
    """Takes callbacks at any path of `app`, and counts them without a number or a text.

    Args:
        keep: makes events durable.
        guard: lets only the provider in; None lets in everybody who reaches the port.
        told: gets each inbound message that is new, after it is durable; must not wait.
    """

    def __init__(
        self,
        keep: Keep,
        *,
        guard: Guard | None = None,
        told: Callable[[Inbound], None] | None = None,
    ) -> None:
        #: Type -> how many events came, also those that came again.
        self.events: Counter[str] = Counter()
        #: HTTP status -> how many bodies were refused with it.
        self.refused: Counter[int] = Counter()
        #: Set when the journal has failed: nothing is kept any more.
        self.failed = anyio.Event()
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["POST"])])
        self._keep, self._guard, self._told = keep, guard, told

    async def _answer(self, request: Request) -> Response:
        status = await self._take(request)
        if status >= 400:
            self.refused[status] += 1

        headers = {"www-authenticate": 'Basic realm="callbacks"'} if status == 401 else None
        return Response(status_code=status, headers=headers)

    async def _take(self, request: Request) -> int:
        if self._guard and not self._guard.admits(request.headers.get("authorization")):
            return 401

        if request.headers.get("content-encoding", "identity").lower() != "identity":
            return 415

        try:
            body = await _body(request)
            if body is None:
                return 413

            events = sort_callbacks(body)
        except (Unreadable, ClientDisconnect):
            return 400

        return await self._keep_all(events)

    async def _keep_all(self, events: Sorted) -> int:
        try:
            news = await self._keep(events.known) if events.known else []
        except JournalError:
            self.failed.set()
            return 503

        self._count(events)
        if self._told is not None:
            for message in news:
                self._told(message)

        return 400 if events.unreadable else 204

    def _count(self, events: Sorted) -> None:
        for event, _ in events.known:
            self.events[event.kind if isinstance(event, Receipt) else INBOUND_TYPE] += 1

        for kind, uncounted in ((OTHER, events.strange), (UNREADABLE, events.unreadable)):
            if uncounted:
                self.events[kind] += len(uncounted)


async def _body(request: Request) -> bytes | None:
    """Read at most so much of a body; None where it is larger."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:20]) > MOST_BODY_BYTES:
        return None

    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            return None

    return bytes(body)
