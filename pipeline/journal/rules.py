"""What an event does to a message's record: the same in every store.

Pure: a record goes in with what happened, the next record comes out. Every change of state is
`lifecycle.transition`. Stores only find records and write them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import assert_never

from pipeline.errors import CampaignHeld, Fenced
from pipeline.journal import (
    Enlistment,
    Finish,
    Grant,
    Intent,
    MessageRecord,
    Past,
    Tally,
)
from pipeline.journal.spending import Price, held, is_retried
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

#: The row of a `Decision` about the whole campaign.
WHOLE_CAMPAIGN = 0

_EVENTS = {
    ReceiptKind.SENDING: Event.CONFIRM,
    ReceiptKind.SENT: Event.CONFIRM,
    ReceiptKind.DELIVERED: Event.DELIVER,
    ReceiptKind.FAILED: Event.FAIL,
}

_SERVER_ERROR = 500  # this HTTP status and those above

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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


def may_have_left(record: MessageRecord, *, is_released: bool) -> bool:
    """Tell whether a message is more than READY after one attempt that was surely not sent.

    An error of the server is its word only: a receipt may still belie it, by the run's tag. What an
    attempt was answered that another one followed is not kept.
    """
    is_known = record.message_id is not None or record.error_code is not None
    is_alleged = record.http_status is not None and record.http_status >= _SERVER_ERROR
    is_more = is_released or is_known or is_alleged or record.attempts > 1
    return record.state != MessageState.READY or is_more


def attempted(record: MessageRecord, price: Price) -> MessageRecord:
    """Open the next attempt; what the one before came to is forgotten, but for what it cost.

    Args:
        record: before.
        price: of the attempt before.
    """
    begun = record._replace(
        state=_after(record, Event.ATTEMPT),
        attempts=record.attempts + 1,
        http_status=None,
        error_code=None,
        error=None,
    )
    if not is_retried(record):
        return begun

    return begun._replace(
        message_id=None,
        accepted_at=None,
        segments_billed=None,
        carrier=None,
        earlier_micros=record.earlier_micros + held(record, price).spent,
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


def written_off(record: MessageRecord, now: datetime) -> MessageRecord:
    """End the matter of a message in doubt."""
    return record._replace(state=_after(record, Event.WRITE_OFF), final_at=now)


def retried(record: MessageRecord) -> MessageRecord:
    """Make a failed message READY again; what it failed with stays until it is attempted."""
    return record._replace(state=_after(record, Event.RETRY), final_at=None)


def finished(record: MessageRecord, finish: Finish, past: Past | None) -> MessageRecord:
    """Apply the outcome of an attempt that the caller matched to this record.

    An attempt that is not the latest is believed only when it was accepted. A late opinion that the
    lifecycle overrules leaves no trace, and so does one about an attempt that has failed since.

    Args:
        record: before.
        finish: the outcome.
        past: the attempt, where it is not the latest.
    """
    outcome, latest = finish.outcome, past is None
    if _has_failed(record, past):
        return record

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

    final_at = finish.at if state == MessageState.CANCELLED else None  # it was written off
    news = record._replace(
        state=state, http_status=outcome.http_status, error_code=None, final_at=final_at
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


def _has_failed(record: MessageRecord, past: Past | None) -> bool:
    """Tell whether an attempt is known to have failed, and the message was to be sent again."""
    return is_retried(record) if past is None else past.error_code is not None


def told(record: MessageRecord, receipt: Receipt, past: Past | None) -> MessageRecord:
    """Apply a receipt that the caller matched to this record. Applying it twice changes nothing.

    Of an attempt that has failed only a delivery is news, and what any attempt but the latest
    failed with says nothing of the latest.

    Args:
        record: before.
        receipt: what the provider says.
        past: the attempt it speaks of, where that is not the latest.
    """
    event = _EVENTS[receipt.kind]
    is_old = _has_failed(record, past) or (past is not None and event is Event.FAIL)
    if is_old and event is not Event.DELIVER:
        return record

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


def held_by_another(campaign: str) -> CampaignHeld:
    """Say that somebody else runs this campaign."""
    return CampaignHeld(f"another run holds campaign '{campaign}': wait for it, or stop it")


def fenced(grant: Grant) -> Fenced:
    """Say that the shard of a grant is somebody else's now."""
    return Fenced(
        f"shard {grant.shard} of campaign '{grant.campaign}' was given back or taken over"
    )
