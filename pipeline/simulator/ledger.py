"""What each handset received, and when: the witness's own notebook.

It sees requests as they arrive and knows nothing of plans, attempts or outcomes; every figure is
worked out from the list of texts when somebody asks. A text counts as received unless it is known
not to arrive: it expired in the queue, failed, or was swallowed. Seconds are the `clock`'s.

What grows: every text that is taken keeps 1.1 KB (1.7 KB while a callback waits), here, in the
listing's `book` and with the dice, until `POST /_ledger/reset`.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BUCKET_SECONDS = 0.1  #: width of the arrival histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message that was taken."""

    message_id: str
    #: The sender's word for it, as it came.
    tag: str | None
    #: The handsets.
    to: tuple[str, ...]
    sender: str
    #: Segments on the air, by the simulator's own count; 1 for an MMS.
    segments: int
    #: Characters of the text.
    length: int
    #: Digest of the text: tells whether two are the same.
    digest: str
    #: When its request was first seen, by the simulator's clock.
    arrival_seconds: float
    #: The same moment by the wall clock (aware, UTC).
    arrived_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A handset that received more than one text."""

    to: str
    texts: int
    #: Tags of its texts in order of arrival.
    tags: list[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that `GET /_ledger` tells without the single messages."""

    #: Requests to create a message, taken or not.
    requests: int
    #: Messages taken.
    messages: int
    segments: int
    #: Texts from handsets that were injected.
    inbound: int
    #: Distinct recipients that received a text, or will.
    handsets: int
    #: Texts that a handset does not receive, by error code; "swallowed" where there is none.
    missed: dict[str, int]
    #: How many handsets received more than one text.
    duplicates: int
    duplicate_handsets: list[Duplicate]
    #: Name of a fault -> how often it happened.
    faults: dict[str, int]
    #: Segments by `BUCKET_SECONDS`: [milliseconds after the first arrival, segments], no zeros.
    arrivals: list[tuple[int, int]]
    #: Most segments that arrived in any 1 s and any 100 ms, wherever the window begins.
    max_segments_in_1_s: int
    max_segments_in_100_ms: int
    #: Mean rate from the first to the last arrival; None with fewer than two.
    segments_per_second: float | None


class Ledger:
    """The list of texts; written by one thread, readable from any."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.requests = self.inbound = 0
        self.faults: Counter[str] = Counter()
        self._missed: dict[tuple[str, str], str] = {}  # message and handset -> why

    def reset(self) -> None:
        """Forget everything."""
        self.texts, self.requests, self.inbound = [], 0, 0
        self.faults, self._missed = Counter(), {}

    def miss(self, text: Text, handset: str, code: int | None) -> None:
        """Note that this handset does not receive this text."""
        self._missed[text.message_id, handset] = "swallowed" if code is None else str(code)

    def handsets(self) -> dict[str, list[Text]]:
        """Return the texts that each recipient received or will, in order of arrival."""
        received: defaultdict[str, list[Text]] = defaultdict(list)
        for text in self._by_arrival():
            for handset in text.to:
                if (text.message_id, handset) not in self._missed:
                    received[handset].append(text)

        return dict(received)

    def duplicates(self) -> list[Duplicate]:
        """Return the handsets with more than one text."""
        return [
            Duplicate(to=handset, texts=len(texts), tags=[text.tag for text in texts])
            for handset, texts in self.handsets().items()
            if len(texts) > 1
        ]

    def max_segments_within(self, seconds: float) -> int:
        """Return the most segments in any window ``[t, t + seconds)``, wherever it begins."""
        window: deque[tuple[float, int]] = deque()
        inside = most = 0
        for moment, segments in self._arrivals():
            window.append((moment, segments))
            inside += segments
            while window[0][0] <= moment - seconds:
                inside -= window.popleft()[1]

            most = max(most, inside)

        return most

    def segments_per_second(self) -> float | None:
        """Return the mean rate from the first to the last arrival; None where that is no time.

        The last arrival's segments are left out: their time lies after the interval.
        """
        arrivals = self._arrivals()
        if len(arrivals) < 2 or arrivals[-1][0] == arrivals[0][0]:
            return None

        duration = arrivals[-1][0] - arrivals[0][0]
        return sum(segments for _, segments in arrivals[:-1]) / duration

    def summary(self) -> Summary:
        """Work out every figure."""
        texts, handsets, duplicates = list(self.texts), self.handsets(), self.duplicates()
        return Summary(
            requests=self.requests,
            messages=len(texts),
            segments=sum(text.segments for text in texts),
            inbound=self.inbound,
            handsets=len(handsets),
            missed=dict(Counter(list(self._missed.values()))),
            duplicates=len(duplicates),
            duplicate_handsets=duplicates,
            faults=dict(self.faults),
            arrivals=_histogram(self._arrivals()),
            max_segments_in_1_s=self.max_segments_within(1.0),
            max_segments_in_100_ms=self.max_segments_within(0.1),
            segments_per_second=self.segments_per_second(),
        )

    def _by_arrival(self) -> list[Text]:
        return sorted(self.texts, key=lambda text: text.arrival_seconds)

    def _arrivals(self) -> list[tuple[float, int]]:
        return [(text.arrival_seconds, text.segments) for text in self._by_arrival()]


def _histogram(arrivals: Sequence[tuple[float, int]]) -> list[tuple[int, int]]:
    buckets: Counter[int] = Counter()
    for moment, segments in arrivals:
        buckets[int((moment - arrivals[0][0]) / BUCKET_SECONDS)] += segments

    return [
        (round(bucket * BUCKET_SECONDS * 1000), count) for bucket, count in sorted(buckets.items())
    ]
