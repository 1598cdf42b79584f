"""Which messages are in doubt, and which proofs may settle them: the same in every store. Pure."""

from __future__ import annotations

from datetime import datetime

from pipeline.journal.rules import told
from pipeline.journal.settling import Proof
from pipeline.journal.words import MessageRecord, Past
from pipeline.lifecycle import TAKEN, MessageState
from pipeline.model import Receipt, ReceiptKind

_UNANSWERED = frozenset({MessageState.SENDING, MessageState.IN_DOUBT, MessageState.WRITTEN_OFF})


def is_doubtful(record: MessageRecord, *, is_released: bool) -> bool:
    """Tell whether nobody knows what the latest attempt of a message came to."""
    return record.state in _UNANSWERED or (is_released and record.state not in TAKEN)


def may_settle(record: MessageRecord, proof: Proof, *, is_released: bool) -> bool:
    """Tell whether a proof is about the message as it is: what was attempted again is another."""
    waits = record.state in _UNANSWERED or (is_released and record.state == MessageState.READY)
    return waits and record.attempts == proof.attempts


def identified(record: MessageRecord, message_id: str) -> MessageRecord:
    """Give a message the id that the listing has for it; an earlier attempt's is void."""
    return record._replace(message_id=message_id)


def tells_news(record: MessageRecord, receipt: Receipt, past: Past | None) -> bool:
    """Tell whether a receipt adds anything but an earlier moment to what is known of a message.

    A delivery does not undo a failure, and is news all the same: such a message is not sent again.
    """
    if record.state == MessageState.FAILED and receipt.kind is ReceiptKind.DELIVERED:
        return True

    return told(record, receipt, past)._replace(accepted_at=record.accepted_at) != record


def is_silent(record: MessageRecord, since: datetime) -> bool:
    """Tell whether the provider took a message before a moment, and no receipt ever came."""
    accepted_at = record.accepted_at
    is_waiting = record.state == MessageState.ACCEPTED
    return is_waiting and accepted_at is not None and accepted_at <= since
