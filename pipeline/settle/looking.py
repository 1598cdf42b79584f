"""Asks the listing about messages in doubt, ten numbers and a stretch of time at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.listing import Quota, messages_between
from pipeline.bandwidth.wire import ListItem
from pipeline.settle.matching import Suspect

#: In one filter (API reference, listMessages).
MOST_NUMBERS = 10
#: How long a stretch one question may be: the shorter, the less that is not asked for.
SLICE = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class Question:
    """Everything that was sent to some numbers in a stretch of time."""

    start: datetime
    end: datetime
    numbers: set[str] = field(default_factory=set)

    def takes(self, start: datetime, numbers: frozenset[str]) -> bool:
        """Tell whether more numbers fit in, in a stretch that begins later."""
        is_close = start <= self.start + SLICE
        return is_close and len(self.numbers | numbers) <= MOST_NUMBERS


def questions(suspects: Iterable[Suspect]) -> list[Question]:
    """Return what to ask, so that each of the suspects' windows is asked about whole."""
    stretches = sorted(
        (start, end, suspect.row, part, numbers)
        for suspect in suspects
        for start, end in suspect.windows
        for part, numbers in enumerate(_tens(suspect.to))
    )
    asked: list[Question] = []
    for start, end, _, _, numbers in stretches:
        if not asked or not asked[-1].takes(start, numbers):
            asked.append(Question(start=start, end=end))

        asked[-1].numbers |= numbers
        asked[-1].end = max(asked[-1].end, end)

    return asked


def _tens(numbers: Iterable[str]) -> list[frozenset[str]]:
    """Cut the recipients of a message: a large group is more than one filter takes."""
    ordered = sorted(numbers)
    return [
        frozenset(ordered[first : first + MOST_NUMBERS])
        for first in range(0, len(ordered), MOST_NUMBERS)
    ]


async def look(
    client: BandwidthClient, suspects: Iterable[Suspect], *, quota: Quota
) -> list[ListItem]:
    """Return everything that is listed for the suspects' numbers in their time.

    Raises:
        CredentialsError: the provider does not know us, or does not allow it.
        RequestFailed: one of the answers did not come or cannot be read; what came is not used.
    """
    return [
        item
        for question in questions(suspects)
        async for item in messages_between(
            client,
            question.start,
            question.end,
            quota=quota,
            destination_tn=sorted(question.numbers),
            message_direction="OUTBOUND",
        )
    ]
