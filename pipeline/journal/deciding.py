"""What people decide about campaigns and doubts: part of the specification of a journal.

    IN_DOUBT ─> release ─> READY       FAILED ─> retry ─> READY       pause ─> resume
             └> write_off

Each decision is recorded with its name and reason, in the transaction that obeys it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pipeline.journal.words import Decision


class Deciding(Protocol):
    """The methods of a `Journal` by which people decide."""

    def release(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make IN_DOUBT messages READY again on an operator's word, recorded with the name.

        Their shards are open again. Rows in any other state are left alone. A row of a group takes
        the others of it along.

        Returns:
            How many were released.
        """

    def write_off(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make IN_DOUBT messages WRITTEN_OFF on an operator's word: no more is tried.

        Evidence still settles them. Their cost stays spent until then. Rows in any other state are
        left alone.

        Returns:
            How many were written off.
        """

    def retryable(self, campaign: str) -> list[int]:
        """Return the rows whose message failed and may be sent again (`retrying.may_retry`).

        Never one that a receipt says is delivered, to whomever, nor one about whose doubt an
        operator decided.
        """

    def retry(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make FAILED messages READY again, those of `rows` that are `retryable`; recorded once.

        Their shards are open again. What the failed attempt cost stays spent, and is
        `MessageRecord.earlier_micros` once the next one is begun.

        Returns:
            How many are to be sent again.
        """

    def pause(self, campaign: str, *, by: str, because: str, now: datetime) -> bool:
        """Ask that the campaign is not sent until `resume`, recorded; True where that is new.

        Nothing here enforces it: who sends asks `paused` before and meanwhile.
        """

    def resume(self, campaign: str, *, by: str, because: str, now: datetime) -> bool:
        """End a pause, recorded; False where there is none."""

    def paused(self, campaign: str) -> Decision | None:
        """Return the pause that the campaign is in; cheap enough to ask all the time."""

    def decisions(self, campaign: str) -> list[Decision]:
        """Return what people decided about the campaign and its messages, oldest first."""
