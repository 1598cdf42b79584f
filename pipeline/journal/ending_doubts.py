"""How an operator ends doubts, in every store: which event, which record, which price.

Stores say which messages are in doubt, and write what became of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime

from pipeline.journal import Decision, MessageRecord, rules
from pipeline.journal.spending import Price, released
from pipeline.lifecycle import Event


class EndingDoubts(ABC):
    """`Journal.release` and `Journal.write_off`."""

    @abstractmethod
    def _end_doubts(
        self,
        campaign: str,
        rows: Sequence[int],
        decision: Decision,
        changed: Callable[[MessageRecord], MessageRecord],
        priced: Callable[[Price], Price],
    ) -> int:
        """Change those of the rows, and the others of their groups, that are IN_DOUBT; count them.

        `decision` is recorded for each, with its row.
        """

    def release(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """Make messages in doubt READY; see `Journal.release`."""
        decision = Decision(0, Event.RELEASE, by, because, now)
        return self._end_doubts(campaign, rows, decision, rules.released, released)

    def write_off(
        self, campaign: str, rows: Sequence[int], *, by: str, because: str, now: datetime
    ) -> int:
        """End the matter of messages in doubt; see `Journal.write_off`."""
        decision = Decision(0, Event.WRITE_OFF, by, because, now)
        return self._end_doubts(
            campaign, rows, decision, lambda record: rules.written_off(record, now), lambda it: it
        )
