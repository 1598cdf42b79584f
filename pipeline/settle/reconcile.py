"""Settles doubt by the listing, and reconciles whole campaigns with it.

    doubts ─> questions ─> listing ─> (doubts again) ─> matching ─> journal: settle, or note why not

The doubts are read again after the listing: whatever it shows had been begun by then, so that
nobody who may have sent a listed text is missed. What changes later only ends doubts, and the
journal lets an id explain one message. So this needs no lease: it may run beside a send, and beside
itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.listing import Quota, messages_between
from pipeline.bandwidth.wire import ListItem
from pipeline.journal import Candidate, Doubt, Evidence, Journal, Proof
from pipeline.lifecycle import MessageState
from pipeline.model import Message
from pipeline.settle.looking import MOST_NUMBERS, look
from pipeline.settle.matching import (
    MARGIN,
    POST_TIME,
    REACH,
    Suspect,
    Text,
    Weighed,
    suspect_of,
    texts_of,
    weigh,
)
from pipeline.settle.told import told_by

T = TypeVar("T")

#: How many listed messages one transaction takes.
_BATCH = 1_000
#: Where a message waits for evidence: READY is one that an operator released.
WAITING = frozenset({MessageState.SENDING, MessageState.IN_DOUBT, MessageState.READY})
#: The same, and those about which an operator wants to wait no longer.
UNKNOWN = WAITING | {MessageState.WRITTEN_OFF}


class Call(Protocol):
    """Runs an operation on a journal, which is durable when it returns."""

    def __call__(self, operation: Callable[[Journal], T], /) -> Awaitable[T]:
        """Run it."""


#: Reads these rows of a shard's payload back into messages.
ReadShard = Callable[[bytes, Collection[int]], Iterable[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look at the listing came to."""

    settled: int = 0
    #: The doubts of the campaign that are left; those of which something is listed are noted.
    left: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a whole campaign's listing came to."""

    #: Messages of these senders in this time, whosever.
    listed: int = 0
    #: Of these, how many told something new about a message of the journal.
    news: int = 0


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Looks at an account's listing for the campaigns of one journal."""

    client: BandwidthClient
    call: Call
    read_shard: ReadShard
    #: The wall clock (aware, UTC).
    clock: Callable[[], datetime]
    quota: Quota = field(default_factory=Quota)
    #: What is asked about.
    states: frozenset[MessageState] = WAITING
    _known: dict[tuple[str, int], Message] = field(default_factory=dict)

    async def doubts(self, campaign: str) -> list[Doubt]:
        """Return the campaign's messages in doubt, without those whose attempt may be under way."""
        doubts, now = await self.call(lambda journal: journal.doubts()), self.clock()
        own = [each for each in doubts if each.campaign == campaign and each.state in self.states]
        return [each for each in own if _is_ripe(each, now)]

    async def look(self, campaign: str) -> Looked:
        """Settle what one look at the listing can settle.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it.
            RequestFailed: the listing did not come whole. Nothing was changed.
        """
        doubts = await self.doubts(campaign)
        asked = [each for each in await self._suspects(doubts) if each.windows]
        if not asked:
            return Looked(left=tuple(doubts))

        texts = texts_of(await look(self.client, asked, quota=self.quota))
        found = await self._weigh(campaign, asked, texts)
        settled = await self._record(campaign, found)
        return Looked(settled=settled, left=tuple(await self.doubts(campaign)))

    async def _weigh(
        self, campaign: str, asked: Sequence[Suspect], texts: Sequence[Text]
    ) -> list[Weighed]:
        """Decide about what was asked, where it was not attempted again since."""
        suspects = await self._rivals(asked)
        attempts = {each.row: each.attempts for each in asked}
        wanted = [
            each
            for each in suspects
            if each.campaign == campaign and attempts.get(each.row) == each.attempts
        ]
        ids = {text.message_id for text in texts}
        explained = await self.call(lambda journal: journal.explained(ids))
        return weigh(wanted, suspects, [each for each in texts if each.message_id not in explained])

    async def _record(self, campaign: str, found: Sequence[Weighed]) -> int:
        """Settle what is proved, and note why the rest is not; return how many were settled."""
        now = self.clock()
        proofs = [proof for each in found if (proof := _proof_of(each)) is not None]
        evidence = [_evidence_of(each, now) for each in found if each.text is None]

        def record(journal: Journal) -> list[bool]:
            with journal.transaction():
                journal.note(campaign, evidence)
                return journal.settle(proofs, now=now)

        return sum(await self.call(record))

    async def _rivals(self, asked: Sequence[Suspect]) -> list[Suspect]:
        """Return every suspect of the journal that a text of these moments may be."""
        windows = [window for each in asked for window in each.windows]
        first, last = min(start for start, _ in windows), max(end for _, end in windows)
        doubts = await self.call(lambda journal: journal.doubts())
        return await self._suspects(
            each
            for each in doubts
            if any(
                moment is None or first - REACH <= moment <= last + MARGIN
                for moment in each.begun_at
            )
        )

    async def _suspects(self, doubts: Iterable[Doubt]) -> list[Suspect]:
        doubts = list(doubts)
        await self._read(doubts)
        return [
            suspect_of(
                self._known[each.campaign, each.row],
                campaign=each.campaign,
                attempts=each.attempts,
                begun_at=each.begun_at,
                is_released=each.state is MessageState.READY,
            )
            for each in doubts
        ]

    async def _read(self, doubts: Iterable[Doubt]) -> None:
        """Read the messages of doubts, one shard at a time, each once."""
        missing: dict[tuple[str, int], set[int]] = {}
        for each in doubts:
            if (each.campaign, each.row) not in self._known:
                missing.setdefault((each.campaign, each.shard), set()).add(each.row)

        for (campaign, shard), rows in missing.items():
            (payload,) = await self.call(_payload_of(campaign, shard))
            for message in self.read_shard(payload, rows):
                self._known[campaign, message.row] = message


def _payload_of(campaign: str, shard: int) -> Callable[[Journal], list[bytes]]:
    return lambda journal: list(journal.payloads(campaign, {shard}))


def _is_ripe(doubt: Doubt, now: datetime) -> bool:
    """Tell whether a doubt may be settled: what is being sent right now will be answered."""
    if doubt.state is not MessageState.SENDING:
        return True

    return all(moment is None or moment + POST_TIME + MARGIN < now for moment in doubt.begun_at)


def _proof_of(found: Weighed) -> Proof | None:
    if found.text is None:
        return None

    receipts = tuple(told for item in found.text.items if (told := told_by(item)) is not None)
    return Proof(
        campaign=found.suspect.campaign,
        row=found.suspect.row,
        attempts=found.suspect.attempts,
        message_id=found.text.message_id,
        receipts=receipts,
    )


def _evidence_of(found: Weighed, now: datetime) -> Evidence:
    candidates = [Candidate(text.message_id, text.taken_at) for text in found.candidates]
    return Evidence(found.suspect.row, now, tuple(candidates), found.rivals)


# --- Whole campaigns -----------------------------------------------------------------------------


async def reconcile_all(
    reconciler: Reconciler, *, senders: Sequence[str], start: datetime, end: datetime
) -> AsyncIterator[Reconciled]:
    """Learn everything that is listed from these senders in this time; yield how far it is.

    It goes through the journal by the rules of receipts: failed wins, a final state never goes
    back, what comes twice changes nothing. What breaks off keeps what was learned: run it again.

    Raises:
        CredentialsError: the provider does not know us, or does not allow it.
        RequestFailed: the listing did not come.
    """
    listed = news = 0
    for first in range(0, len(senders), MOST_NUMBERS):
        items: list[ListItem] = []
        async for item in messages_between(
            reconciler.client,
            start - MARGIN,
            end + POST_TIME + MARGIN,
            quota=reconciler.quota,
            source_tn=list(senders[first : first + MOST_NUMBERS]),
            message_direction="OUTBOUND",
        ):
            items.append(item)
            if len(items) == _BATCH:
                listed, news = listed + len(items), news + await _learn(reconciler, items)
                items = []
                yield Reconciled(listed=listed, news=news)

        listed, news = listed + len(items), news + await _learn(reconciler, items)

    yield Reconciled(listed=listed, news=news)


async def _learn(reconciler: Reconciler, items: list[ListItem]) -> int:
    told, now = [each for item in items if (each := told_by(item))], reconciler.clock()
    return await reconciler.call(lambda journal: journal.learn(told, now=now))
