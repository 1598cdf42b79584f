"""What an event does to a message's record, and a permit to the pace: the same in every store.

Pure: a record goes in with what happened, the next record comes out. Every change of state is
`lifecycle.transition`. Stores only find records and write them back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, assert_never

from pipeline.errors import CampaignHeld, Fenced
from pipeline.journal import (
    MAX_LEAD_SECONDS,
    Enlistment,
    Finish,
    Grant,
    Intent,
    MessageRecord,
    Pace,
    Tally,
)
from pipeline.lifecycle import Event, MessageState, transition
from pipeline.model import (
    Accepted,
    Halted,
    InDoubt,
    NotSent,
    Outcome,
    Receipt,
    ReceiptKind,
    Rejected,
)

#: How many records `Journal.rows` yields together.
PAGE_ROWS = 10_000

#: `error` of a message whose owner was gone before it reported.
INTERRUPTED = "interrupted: the run ended before the answer"
#: `error` of a message, and reason of a `Denied`, whose recipient asked for no more texts.
SUPPRESSED = "suppressed"
#: The same where another row of the campaign has its key.
DUPLICATE = "duplicate"

_EVENTS = {
    ReceiptKind.SENDING: Event.CONFIRM,
    ReceiptKind.SENT: Event.CONFIRM,
    ReceiptKind.DELIVERED: Event.DELIVER,
    ReceiptKind.FAILED: Event.FAIL,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEAD_MICROS = round(MAX_LEAD_SECONDS * 1_000_000)


def to_micros(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970 (UTC), exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC time of `to_micros`."""
    return _EPOCH + timedelta(microseconds=micros)


# --- A message's record --------------------------------------------------------------------------


def untried(intent: Intent) -> MessageRecord:
    """Return the record of a message nobody tried: absence means READY."""
    nothing_known = (None,) * 8
    return MessageRecord(intent.row, intent.key, MessageState.READY.value, 0, *nothing_known)


def attempted(record: MessageRecord) -> MessageRecord:
    """Open the next attempt; what the one before came to is forgotten."""
    return record._replace(
        state=_after(record, Event.ATTEMPT),
        attempts=record.attempts + 1,
        http_status=None,
        error_code=None,
        error=None,
    )


def cancelled(record: MessageRecord, because: str, now: datetime) -> MessageRecord:
    """Refuse a message at the moment of sending."""
    return record._replace(state=_after(record, Event.CANCEL), error=because, final_at=now)


def lost(record: MessageRecord) -> MessageRecord:
    """Give up an open attempt whose owner is gone."""
    return record._replace(state=_after(record, Event.LOSE), error=INTERRUPTED)


def released(record: MessageRecord) -> MessageRecord:
    """Make a message in doubt READY again."""
    return record._replace(state=_after(record, Event.RELEASE), error=None)


def finished(record: MessageRecord, finish: Finish) -> MessageRecord:
    """Apply the outcome of an attempt that the caller matched to this record.

    An attempt that is not the latest is believed only when it was accepted. A late opinion that the
    lifecycle overrules leaves no trace.
    """
    outcome, latest = finish.outcome, finish.attempt.number == record.attempts
    if isinstance(outcome, Accepted):
        taken = _taken(record, Event.ACCEPT if latest else Event.CONFIRM, finish.at)
        return taken._replace(
            message_id=outcome.message_id if latest else record.message_id or outcome.message_id,
            http_status=outcome.http_status if latest else record.http_status,
            segments_billed=_first(record.segments_billed, outcome.segments_billed),
        )

    if not latest:
        return record

    state = _after(record, _event_of(outcome))
    if state == record.state:
        return record

    news = record._replace(
        state=state, http_status=outcome.http_status, error_code=None, final_at=None
    )
    if isinstance(outcome, Rejected):
        return news._replace(error_code=outcome.error_code, error=outcome.error, final_at=finish.at)

    return news._replace(error=outcome.reason)


def _event_of(outcome: Outcome) -> Event:
    match outcome:
        case Accepted():
            return Event.ACCEPT
        case Rejected():
            return Event.REJECT
        case NotSent() | Halted():
            return Event.NOT_SENT
        case InDoubt():
            return Event.LOSE
        case _:
            assert_never(outcome)


def told(record: MessageRecord, receipt: Receipt) -> MessageRecord:
    """Apply a receipt that the caller matched to this record. Applying it twice changes nothing."""
    event = _EVENTS[receipt.kind]
    taken = _taken(record, event, receipt.time)
    if taken.state != record.state and taken.state != MessageState.ACCEPTED:
        taken = taken._replace(final_at=receipt.time)

    if taken.state != record.state and event is Event.FAIL:
        code = receipt.error_code
        taken = taken._replace(
            error_code=None if code is None else str(code), error=receipt.description
        )

    return taken._replace(
        message_id=record.message_id or receipt.message_id,
        segments_billed=_first(record.segments_billed, receipt.segments_billed),
        carrier=record.carrier or receipt.carrier,
    )


def _taken(record: MessageRecord, event: Event, at: datetime) -> MessageRecord:
    """The provider has it, at the latest since `at`: doubts and refusals before that are void."""
    state = _after(record, event)
    accepted_at = at if record.accepted_at is None else min(record.accepted_at, at)
    if state == record.state:
        return record._replace(accepted_at=accepted_at)

    return record._replace(
        state=state, accepted_at=accepted_at, error_code=None, error=None, final_at=None
    )


def _after(record: MessageRecord, event: Event) -> str:
    return transition(MessageState(record.state), event).value


def _first(known: int | None, news: int | None) -> int | None:
    return news if known is None else known


# --- Campaigns and shards ------------------------------------------------------------------------


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Name the parts of a plan's fingerprint that differ, sorted."""
    return sorted(part for part in {*before, *after} if before.get(part) != after.get(part))


def tally(plan: Enlistment, tried: Mapping[MessageState, int]) -> Tally:
    """Count a campaign: the messages in `tried` have a row, all others are READY."""
    ready = plan.messages - sum(tried.values()) + tried.get(MessageState.READY, 0)
    states = {**tried, MessageState.READY: ready}
    return Tally(
        campaign=plan.campaign,
        messages=plan.messages,
        segments=plan.segments,
        cost_micros=plan.cost_micros,
        currency=plan.currency,
        created_at=plan.created_at,
        states={state: states[state] for state in MessageState if states.get(state)},
    )


def held(campaign: str) -> CampaignHeld:
    """Say that somebody else runs this campaign."""
    return CampaignHeld(f"another run holds campaign '{campaign}': wait for it, or stop it")


def fenced(grant: Grant) -> Fenced:
    """Say that the shard of a grant is somebody else's now."""
    return Fenced(
        f"shard {grant.shard} of campaign '{grant.campaign}' was given back or taken over"
    )


# --- The pace ------------------------------------------------------------------------------------


class Reservation(NamedTuple):
    """How far an account's rate is given away. Times are microseconds since 1970."""

    #: Where the next slot starts.
    until: int = 0
    #: How long the latest slot is, or how far it reaches beyond the lead.
    step: int = 0

    def seen_at(self, now: int) -> Reservation:
        """Bring back what no permit could have moved so far: a clock that jumped back.

        A permit starts at most `MAX_LEAD_SECONDS` ahead of its now, and moves on by its own step.
        """
        return self._replace(until=min(self.until, now + _LEAD_MICROS + self.step))

    def ask_at(self, now: int) -> int | None:
        """Return when to ask again, or None where a slot may be reserved now."""
        earliest = self.until - _LEAD_MICROS
        return earliest if earliest > now else None

    def reserve(self, now: int, segments: int, pace: Pace) -> tuple[int, Reservation]:
        """Return where the slot starts, and the reservation behind it; idle time is lost."""
        start = max(self.until, now)
        step = math.ceil(segments * 1_000_000 / pace.rate_segments_per_second)
        until = start + step
        return start, Reservation(until, max(step, until - now - _LEAD_MICROS))
