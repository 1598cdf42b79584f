"""How the simulated provider misbehaves: shares of requests, reproducible by seed.

    fault       what the client sees                                      taken?
    ----------  --------------------------------------------------------  -----------------------
    busy        429 with the text of a full queue                         no
    error       500 with the provider's own JSON body                     no
    gateway     502 with a page of HTML                                   by share gateway_taken
    lost        the connection is closed without an answer                yes
    reset       the connection is reset (RST) without an answer           yes
    refused     the connection is closed and the request thrown away      no
    slow        the right answer, slow_ms late                            yes
    silent      no answer, and the connection stays open                  yes
    cut         a 202 whose body ends in the middle, then a closed line   yes
    garbage     bytes that are not HTTP                                   yes
    unreadable  a whole 202 whose body is not JSON                        yes

Of these, requests for media can only be busy or meet an error; nothing is done then.

Of the messages taken, shares end badly, at most one way each: `failed` with failed_code,
`opted_out` (4775), `landline` (4700), `slow_delivery`, `unlisted`, `swallowed` and `contradicted`,
as the magic numbers of `magic` always do. Of the callbacks, `late`, `duplicate`, `reorder` and
`unreceipted` come late_ms later, twice, after their successors, or never. Segments are counted as
the standard says, or as `count` names it (`segments.Counting`): ``count=ceil``. Times are the
simulator's (`clock`), but for latency_ms and slow_ms, which the connection takes.
"""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Self

from pipeline.simulator.magic import LANDLINE, OPTED_OUT, Ending
from pipeline.simulator.segments import Counting


class Fault(StrEnum):
    """What can go wrong between a POST and its answer; the module's table has a row for each."""

    BUSY = "busy"
    ERROR = "error"
    GATEWAY = "gateway"
    LOST = "lost"
    RESET = "reset"
    REFUSED = "refused"
    SLOW = "slow"
    SILENT = "silent"
    CUT = "cut"
    GARBAGE = "garbage"
    UNREADABLE = "unreadable"


#: These answers mean that the provider does not have the message.
NOT_TAKEN = frozenset({Fault.BUSY, Fault.ERROR, Fault.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Shares between 0 and 1, and times in milliseconds. The default is a provider without faults.

    Raises:
        ValueError: a share outside 0 to 1, answer faults of more than 1 together, a negative time.
    """

    #: Share of requests for each fault of the table above; at most one happens to a request.
    busy: float = 0.0
    error: float = 0.0
    gateway: float = 0.0
    lost: float = 0.0
    reset: float = 0.0
    refused: float = 0.0
    slow: float = 0.0
    silent: float = 0.0
    cut: float = 0.0
    garbage: float = 0.0
    unreadable: float = 0.0
    #: Share of the `gateway` answers behind which the message was taken all the same.
    gateway_taken: float = 0.5
    #: Every answer to a POST comes this much later.
    latency_ms: float = 0.0
    #: How much later a `slow` answer comes.
    slow_ms: float = 1_000.0
    #: Mean time from leaving the account's queue to delivered or failed.
    delivery_ms: float = 20.0
    #: A message can be listed only this long after it was taken.
    visible_ms: float = 0.0
    #: Share of messages that fail with the code `failed_code`.
    failed: float = 0.0
    failed_code: int = 4720
    #: Shares of messages that fail because the recipient opted out, or has a landline.
    opted_out: float = 0.0
    landline: float = 0.0
    #: Share of messages that are delivered `slow_delivery_ms` later.
    slow_delivery: float = 0.0
    slow_delivery_ms: float = 60_000.0
    #: Share of messages that are never listed.
    unlisted: float = 0.0
    #: Share of messages that are accepted, and never heard of again.
    swallowed: float = 0.0
    #: Share of messages that are called both failed (with `failed_code`) and delivered.
    contradicted: float = 0.0
    #: When a text fails for want of a carrier's receipt (9902): 73 h.
    receipt_wait_ms: float = 73 * 3_600_000.0
    #: Share of magic numbers that are heeded: 1 or 0, which makes them numbers like any other.
    magic: float = 1.0
    #: Share of messages that get a `message-sent` callback: an application asks for them with 1.
    sent: float = 0.0
    #: Share of MMS that get a `message-sending` callback.
    sending: float = 0.0
    #: Share of callbacks that come `late_ms` after their time.
    late: float = 0.0
    late_ms: float = 1_000.0
    #: Share of callbacks that are posted twice.
    duplicate: float = 0.0
    #: Share of callbacks held back until others that happened later have overtaken them.
    reorder: float = 0.0
    #: Share of callbacks that are never posted.
    unreceipted: float = 0.0
    #: How many events one callback may carry; the provider's own arrays normally hold one.
    batch: int = 1
    #: How the provider counts the segments of a text, for its queue, its answers and its receipts.
    count: Counting = Counting.STANDARD

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"'{name}' is a share: give a number between 0 and 1")

        for name in _NUMBERS:
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"'{name}' must be a number, and not negative")

        if self.batch < 1:
            raise ValueError("'batch' must be at least 1")

        if sum(getattr(self, fault) for fault in Fault) > 1 + 1e-9:
            raise ValueError("the shares of the answer faults are more than 1 together")

        if sum(getattr(self, name) for name in _ENDINGS) > 1 + 1e-9:
            raise ValueError("the shares of the messages that end badly are more than 1 together")

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read ``busy=0.05,latency=40,count=ceil``; a time may be written without its ``_ms``.

        Raises:
            ValueError: an unknown name (names the nearest known one), no number, or out of range.
        """
        values: dict[str, Any] = {}
        for part in filter(None, (part.strip() for part in spec.split(","))):
            written, _, value = (piece.strip() for piece in part.partition("="))
            name = _known_name(written)
            if name == "count":
                values[name] = _counting(value)
            else:
                values[name] = _number(written, value, int if name in _WHOLE else float)

        return cls(**values)

    def fault(self, roll: float) -> Fault | None:
        """Return the fault a roll between 0 and 1 falls on, if any."""
        for fault in Fault:
            roll -= getattr(self, fault)
            if roll < 0:
                return fault

        return None

    def ending(self, roll: float) -> Ending | int | None:
        """Return the ending, or the error code, a roll between 0 and 1 falls on, if any."""
        for name, ending in _ENDINGS.items():
            roll -= getattr(self, name)
            if roll < 0:
                return ending or self.failed_code

        return None

    @property
    def heeds_magic(self) -> bool:
        """Tell whether magic numbers are magic."""
        return self.magic > 0


class Dice:
    """Rolls that depend on the seed and on who is texted for which time, and on nothing else.

    So a run is reproducible whatever its concurrency, and a message that is tried again rolls anew.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._requests: Counter[str] = Counter()

    def reset(self) -> None:
        """Count the requests from the first again."""
        self._requests.clear()

    def occasion(self, recipient: str) -> str:
        """Name the next request for this recipient."""
        self._requests[recipient] += 1
        return f"{recipient}#{self._requests[recipient]}"

    def token(self, occasion: str) -> str:
        """Return sixteen hexadecimal digits: always the same for the same occasion."""
        return blake2b(f"{self._seed}/id/{occasion}".encode(), digest_size=8).hexdigest()

    def roll(self, question: str, occasion: str) -> float:
        """Return a number from 0 to below 1: always the same for the same question and occasion."""
        digest = blake2b(f"{self._seed}/{question}/{occasion}".encode(), digest_size=6).digest()
        return int.from_bytes(digest) / 2**48

    def hits(self, question: str, share: float, occasion: str) -> bool:
        """Tell whether this occasion is one of the `share` to which it happens."""
        return share > 0 and self.roll(question, occasion) < share


#: Share -> how the message ends; 0: with `failed_code`.
_ENDINGS: dict[str, Ending | int] = {
    "failed": 0,
    "opted_out": OPTED_OUT,
    "landline": LANDLINE,
    **{ending: ending for ending in Ending if ending is not Ending.UNRECEIPTED},
}
#: Names of the shares of texts that end badly.
TEXT_SHARES = tuple(_ENDINGS)
_NAMES = tuple(field.name for field in fields(Behaviour))
_NUMBERS = ("failed_code", *(name for name in _NAMES if name.endswith("_ms")))
_WHOLE = frozenset({"failed_code", "batch"})
_SHARES = tuple(name for name in _NAMES if name not in {*_NUMBERS, "batch", "count"})


def _known_name(name: str) -> str:
    for candidate in (name, f"{name}_ms"):
        if candidate in _NAMES:
            return candidate

    (nearest,) = difflib.get_close_matches(name, _NAMES, n=1, cutoff=0.0)
    raise ValueError(f"'{name}' is no behaviour of the simulator: did you mean '{nearest}'?")


def _number(name: str, value: str, kind: type[int | float]) -> float:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"'{name}' needs a number, as in '{name}=1'") from None


def _counting(value: str) -> Counting:
    try:
        return Counting(value)
    except ValueError:
        raise ValueError(f"'count' is one of {', '.join(Counting)}") from None
