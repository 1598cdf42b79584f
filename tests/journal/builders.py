"""Short ways to say what a journal test needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pipeline.journal import (
    NO_BUDGET,
    Answer,
    Denied,
    Enlistment,
    Finish,
    Grant,
    Intent,
    Journal,
    MessageRecord,
    Pace,
    Permit,
    Shard,
)
from pipeline.model import Accepted, AttemptId, Outcome, Receipt, ReceiptKind

CAMPAIGN = "spring-sale"
RUN = "r7k2"
OWNER = "host:1:a"
OTHER = "host:2:b"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LEASE_SECONDS = 30.0
FAST = Pace(account="4000000", rate_segments_per_second=1_000_000)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def enlistment(*, campaign=CAMPAIGN, run=RUN, messages=3, **parts: str) -> Enlistment:
    return Enlistment(
        campaign=campaign,
        run=run,
        fingerprint=parts or {"recipients": "aa", "template": "bb"},
        messages=messages,
        segments=2 * messages,
        cost_micros=8_300 * messages,
        currency="USD",
        created_at=NOW,
    )


def shard(number: int = 0, *, rows: int = 3, phase: int = 0) -> Shard:
    return Shard(
        number=number,
        rows=rows,
        payload=f"payload {number}".encode(),
        zone="America/New_York",
        phase=phase,
    )


def intent(
    row: int, *, key: str | None = None, to=("+19195550123",), segments: int = 1, cost_micros=0
) -> Intent:
    return Intent(
        row=row, key=key or f"key-{row}", to=to, segments=segments, cost_micros=cost_micros
    )


def enlist(journal: Journal, *shards: Shard) -> None:
    shards = shards or (shard(),)
    journal.enlist(enlistment(messages=sum(each.rows for each in shards)), shards)


def take(journal: Journal, *, owner: str = OWNER, now: datetime = NOW) -> Grant:
    grant = journal.take(CAMPAIGN, owner=owner, lease_seconds=LEASE_SECONDS, now=now)
    assert grant is not None
    return grant


def begin(
    journal: Journal, grant: Grant, *intents: Intent, pace=FAST, budget=NO_BUDGET, now=NOW
) -> list[Answer]:
    return journal.begin(
        grant, intents, pace=pace, budget=budget, lease_seconds=LEASE_SECONDS, now=now
    )


def begin_one(journal: Journal, grant: Grant, row: int, *, now: datetime = NOW) -> AttemptId:
    (answer,) = begin(journal, grant, intent(row), now=now)
    assert isinstance(answer, Permit)
    return answer.attempt


def finish(
    journal: Journal,
    attempt: AttemptId,
    outcome: Outcome,
    *,
    owner: str = OWNER,
    at: datetime = NOW,
) -> None:
    journal.finish([Finish(attempt=attempt, owner=owner, outcome=outcome, at=at)])


def accepted(message_id: str = "id-1") -> Accepted:
    return Accepted(message_id=message_id, segments_billed=2)


def receipt(
    kind: ReceiptKind = ReceiptKind.DELIVERED,
    *,
    message_id: str = "id-1",
    tag: str | None = None,
    seconds: float = 5,
    **more: object,
) -> Receipt:
    return Receipt(
        kind=kind,
        message_id=message_id,
        to="+19195550123",
        time=later(seconds),
        tag=tag,
        **more,  # type: ignore[arg-type]  # the caller names the fields
    )


def receive(journal: Journal, *receipts: Receipt) -> int:
    return journal.receive([(each, b"{}") for each in receipts], now=later(9))


def records(journal: Journal, campaign: str = CAMPAIGN) -> dict[int, MessageRecord]:
    return {each.row: each for page in journal.rows(campaign) for each in page}


def states(journal: Journal, campaign: str = CAMPAIGN) -> dict[str, int]:
    tally = journal.tally(campaign)
    assert tally is not None
    return {state.value: count for state, count in tally.states.items()}


def reasons(answers: list[Answer]) -> list[str]:
    return [each.reason if isinstance(each, Denied) else "permit" for each in answers]


def starts(answers: list[Answer]) -> Iterator[float]:
    """Yield where each permit starts, in seconds after NOW."""
    for answer in answers:
        assert isinstance(answer, Permit)
        yield (answer.start_at - NOW).total_seconds()
