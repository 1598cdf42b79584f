"""What the listing says of a message, as the receipt that would have said it."""

from __future__ import annotations

from datetime import timedelta

from pipeline.bandwidth.wire import ListItem, encode
from pipeline.model import Receipt, ReceiptKind

#: The listing's words for outbound messages (API reference, listMessages). Whatever else it says of
#: a message, it has taken it.
_KINDS = {
    "RECEIVED": ReceiptKind.SENDING,
    "QUEUED": ReceiptKind.SENDING,
    "SENDING": ReceiptKind.SENDING,
    "DELIVERED": ReceiptKind.DELIVERED,
    "FAILED": ReceiptKind.FAILED,
}
_ENDS = frozenset({ReceiptKind.DELIVERED, ReceiptKind.FAILED})


def told_by(item: ListItem) -> tuple[Receipt, bytes] | None:
    """Return an entry as a receipt with its raw JSON; None where it lacks a number or its time.

    An end is dated by the latencies that the provider tells to some accounts, else by the moment it
    took the message: the same entry is always the same receipt.
    """
    if item.receive_time is None or not item.destination_tn:
        return None

    kind = _KINDS.get(item.message_status or "", ReceiptKind.SENT)
    latency = (item.bw_latency or 0) + (item.carrier_latency or 0) if kind in _ENDS else 0
    receipt = Receipt(
        kind=kind,
        message_id=item.message_id,
        to=item.destination_tn,
        time=item.receive_time + timedelta(seconds=latency),
        error_code=(item.error_code or None) if kind is ReceiptKind.FAILED else None,
        description=f"listed as {item.message_status}",
        carrier=item.carrier_name,
        segments_billed=item.segment_count,
    )
    return receipt, encode(item)
