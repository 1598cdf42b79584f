"""Status callbacks: what happened, posted to the application, as unreliably as configured.

One heap orders what is due, one loop takes from it, a few tasks post. Delivered at least once, in
arrays, in no promised order; a refused callback is posted again a few times, then given up.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from pipeline.bandwidth.wire import Callback, encode
from pipeline.simulator.behaviour import Behaviour, Dice

ANSWER_SECONDS = 10.0  #: a receiver that takes longer has not answered
MAX_POSTS = 4  #: of one event, the first included
RETRY_SECONDS = 0.1  #: before the second post; doubles
_POSTERS = 8

_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "BandwidthAPI/v2"}


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """An event and when to post it; compares by time, then by order of scheduling."""

    at: float
    number: int
    posts: int
    event: Callback


class Callbacks:
    """Posts events when they are due, while `running`; what is scheduled before waits."""

    def __init__(
        self, url: str, *, auth: tuple[str, str] | None, behaviour: Behaviour, dice: Dice
    ) -> None:
        self._url, self._auth = url, auth
        self._behaviour, self._dice = behaviour, dice
        self._heap: list[_Due] = []
        self._numbers = itertools.count()
        self._wake: anyio.Event | None = None
        #: Events that wait to be posted, or are being posted.
        self.pending = 0
        self.posted = 0
        self.given_up = 0

    def schedule(self, event: Callback, *, at: float, occasion: str) -> None:
        """Post the event at `at` (monotonic), or late, twice or never: as `occasion` rolls."""
        for due in self._due_times(at, f"{event.type}/{event.to}/{occasion}"):
            self.pending += 1
            self._push(_Due(due, next(self._numbers), 0, event))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post what is due until the block ends; what is pending then is dropped."""
        send, receive = anyio.create_memory_object_stream[list[_Due]]()
        async with (
            httpx.AsyncClient(auth=self._auth, timeout=ANSWER_SECONDS, trust_env=False) as client,
            send,
            receive,
            anyio.create_task_group() as group,
        ):
            group.start_soon(self._take_due, send)
            for _ in range(_POSTERS):
                group.start_soon(self._post_all, receive, client)

            yield
            group.cancel_scope.cancel()

    def _due_times(self, at: float, occasion: str) -> Iterator[float]:
        behaviour, roll = self._behaviour, self._dice.roll
        if roll("unreceipted", occasion) < behaviour.unreceipted:
            return

        if roll("late", occasion) < behaviour.late:
            at += behaviour.late_ms / 1000

        if roll("reorder", occasion) < behaviour.reorder:
            at += behaviour.delivery_ms / 1000 * (1 + 2 * roll("held back", occasion))

        yield at
        if roll("duplicate", occasion) < behaviour.duplicate:
            yield at + behaviour.delivery_ms / 1000 * roll("again", occasion)

    def _push(self, due: _Due) -> None:
        heapq.heappush(self._heap, due)
        if self._wake is not None and self._heap[0] is due:
            self._wake.set()

    async def _take_due(self, send: MemoryObjectSendStream[list[_Due]]) -> None:
        while True:
            pause = self._heap[0].at - time.monotonic() if self._heap else math.inf
            if pause <= 0:
                await send.send(self._pop_batch())
                continue

            self._wake = anyio.Event()
            with anyio.move_on_after(pause):
                await self._wake.wait()

    def _pop_batch(self) -> list[_Due]:
        now, batch = time.monotonic(), [heapq.heappop(self._heap)]
        while self._heap and len(batch) < self._behaviour.batch and self._heap[0].at <= now:
            batch.append(heapq.heappop(self._heap))

        return batch

    async def _post_all(
        self, receive: MemoryObjectReceiveStream[list[_Due]], client: httpx.AsyncClient
    ) -> None:
        async for batch in receive:
            if await self._post(client, [due.event for due in batch]):
                self.posted += len(batch)
                self.pending -= len(batch)
            else:
                self._post_again(batch)

    async def _post(self, client: httpx.AsyncClient, events: list[Callback]) -> bool:
        try:
            answer = await client.post(self._url, content=encode(events), headers=_HEADERS)
        except httpx.HTTPError:  # not answered is not received
            return False

        return answer.is_success

    def _post_again(self, batch: list[_Due]) -> None:
        for due in batch:
            posts = due.posts + 1
            if posts == MAX_POSTS:
                self.given_up += 1
                self.pending -= 1
                continue

            at = time.monotonic() + RETRY_SECONDS * 2 ** (posts - 1)
            self._push(_Due(at, next(self._numbers), posts, due.event))
