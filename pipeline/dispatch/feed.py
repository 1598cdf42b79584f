"""Hands the messages of granted shards to the lanes, and gives every shard back.

The next shard is taken before the lanes run dry, so the rate does not dip between shards; a shard
goes back to the journal when its last message came home.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import anyio

from pipeline.errors import Fenced
from pipeline.journal import Grant, Journal
from pipeline.journal.committer import Committer
from pipeline.model import Message

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Open:
    grant: Grant
    waiting: deque[Message]
    away: int = 0
    #: A message was given up: the shard is kept until `close`, or this run would take it again.
    kept: bool = False


class Feed:
    """The messages of one campaign that still need sending, in the order of the plan."""

    def __init__(
        self,
        *,
        committer: Committer,
        take: Callable[[Journal], Grant | None],
        read_shard: Callable[[bytes], Iterable[Message]],
    ) -> None:
        self._committer, self._take, self._read_shard = committer, take, read_shard
        self._open: dict[int, _Open] = {}
        self._lock = anyio.Lock()
        self._exhausted = False

    async def next(self) -> tuple[Grant, Message] | None:
        """Return a message to send, or None when no shard is left to take."""
        while True:
            for shard in self._open.values():
                if shard.waiting:
                    shard.away += 1
                    return shard.grant, shard.waiting.popleft()

            async with self._lock:
                if not self._has_waiting() and not await self._refill():
                    return None

    async def came_home(self, grant: Grant, *, settled: bool) -> None:
        """Note that this run is done with a message from `next`; not `settled` is given up."""
        shard = self._open.get(grant.shard)
        if shard is None or shard.grant is not grant:
            return

        shard.away -= 1
        shard.kept |= not settled
        if not (shard.away or shard.waiting or shard.kept):
            await self._leave(shard)

    def drop(self, grant: Grant) -> None:
        """Forget a shard that somebody else has taken."""
        shard = self._open.get(grant.shard)
        if shard is not None and shard.grant is grant:
            log.warning("shard was taken over", extra={"action": "fenced", "shard": grant.shard})
            del self._open[grant.shard]

    async def renew(self, lease_of: Callable[[Grant], Callable[[Journal], object]]) -> None:
        """Renew the lease of every open shard; drop those that were taken over."""
        for shard in list(self._open.values()):
            try:
                await self._committer.call(lease_of(shard.grant))
            except Fenced:
                self.drop(shard.grant)

    async def close(self) -> None:
        """Give every open shard back, sent or not."""
        for shard in list(self._open.values()):
            await self._leave(shard)

    def _has_waiting(self) -> bool:
        return any(shard.waiting for shard in self._open.values())

    async def _refill(self) -> bool:
        grant = None if self._exhausted else await self._committer.call(self._take)
        if grant is None:
            self._exhausted = True
            return False

        messages = self._read_shard(grant.payload)
        waiting = deque(message for message in messages if message.row not in grant.settled)
        log.info(
            "took a shard",
            extra={"action": "take", "shard": grant.shard, "messages": len(waiting)},
        )
        shard = self._open[grant.shard] = _Open(grant=grant, waiting=waiting)
        if not waiting:
            await self._leave(shard)

        return True

    async def _leave(self, shard: _Open) -> None:
        del self._open[shard.grant.shard]
        await self._committer.call(lambda journal: journal.leave(shard.grant))
