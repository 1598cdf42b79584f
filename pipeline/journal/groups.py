"""A group message in a journal: one attempt, and a row for each recipient. The same in every store.

    begun, lost, finished, released    all rows alike, by the attempt of the first
    a receipt                          the row of its recipient; the others only learn that the
                                       provider has the message

So each recipient's row has its own key, price and end, and is counted like any other. Pure.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.journal.words import Intent
from pipeline.model import Receipt, ReceiptKind

#: `error` of a row that was cancelled for another recipient of its group.
WITH_ITS_GROUP = "cancelled: another recipient of its group may not be texted"


def parts(intent: Intent) -> list[Intent]:
    """Return the intent of each row: of a group as if each recipient were alone."""
    if not intent.members:
        return [intent]

    return [
        Intent(
            row=member.row,
            key=member.key,
            to=(member.to,),
            segments=intent.segments // len(intent.members),
            cost_micros=member.cost_micros,
        )
        for member in intent.members
    ]


def told_to(recipient: str | None, receipt: Receipt) -> Receipt:
    """Return what a receipt says to the row of a recipient; None is the only one of its message."""
    if recipient in (None, receipt.to):
        return receipt

    return replace(receipt, kind=ReceiptKind.SENT, error_code=None, description="", carrier=None)
