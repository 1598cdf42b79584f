"""What settles doubt: the journal's side of it. These docstrings are part of the specification.

A doubt is an attempt of which nobody knows what it came to. Only evidence ends it, and a message id
is evidence for one message at most, in all campaigns of a journal together.

    doubts ─> (ask the listing) ─> explained? ─> settle, where one text fits      else note, why not
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from pipeline.lifecycle import MessageState
from pipeline.model import Receipt


class How(StrEnum):
    """How it became known whose a message id is, where no message carries it as its own."""

    LISTING = "listing"  #: the listing had exactly one text that fits
    EARLIER = "earlier"  #: of an attempt that another one followed
    BESIDE = "beside"  #: an answer or a receipt told a second id of one message
    APART = "apart"  #: of a text of no campaign


class Doubt(NamedTuple):
    """A message with attempts of which nobody knows what they came to."""

    campaign: str
    shard: int
    row: int
    #: How many attempts it has had.
    attempts: int
    #: Where it stands: also READY (released), or taken, where an earlier attempt is in doubt.
    state: MessageState
    #: When each of the doubtful attempts was begun; None: by a bandcast that did not note it.
    begun_at: tuple[datetime | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The one listed text that a message in doubt must be."""

    campaign: str
    row: int
    #: How many attempts the message had when it was weighed.
    attempts: int
    message_id: str
    #: What the listing says of it, a handset each, with the raw JSON.
    receipts: tuple[tuple[Receipt, bytes], ...]


class Candidate(NamedTuple):
    """A listed text that a message in doubt may be."""

    message_id: str
    taken_at: datetime


class Evidence(NamedTuple):
    """Why the listing could not settle a doubt."""

    row: int
    looked_at: datetime
    #: The unexplained texts that fit, the first of them taken first.
    candidates: tuple[Candidate, ...]
    #: How many other messages one of them may be.
    rivals: int


class Settlement(Protocol):
    """The methods of a `Journal` that settle doubt."""

    def doubts(self) -> list[Doubt]:
        """List every message of every campaign with attempts that nobody knows the end of.

        Open attempts (SENDING), those IN_DOUBT, and those whose doubt an operator wrote off or
        released, also where another attempt has followed: the provider may have any of them.
        """

    def explained(self, message_ids: Collection[str]) -> set[str]:
        """Return those of the ids that are known to be a message's, or of a text that is not ours.

        Not ours is what a receipt has told under a tag that no attempt of this journal has.
        """

    def set_apart(self, message_id: str) -> None:
        """Note that a text belongs to no campaign, as an answer to HELP: it explains no message.

        An id that is known to be a message's stays so.
        """

    def settle(self, proofs: Sequence[Proof], *, now: datetime) -> list[bool]:
        """Apply what the listing says to messages in doubt, as receipts are applied.

        A proof is void where its message is not in doubt any more (IN_DOUBT, SENDING, WRITTEN_OFF,
        or released and READY), was attempted again since, or where its id is another message's: the
        id is claimed in the same transaction, and a claim that exists refuses it.

        Returns:
            Whether each settled its message.
        """

    def note(self, campaign: str, evidence: Sequence[Evidence]) -> None:
        """Keep why doubts of a campaign could not be settled; the latest look counts."""

    def evidence(self, campaign: str) -> list[Evidence]:
        """Return what was noted of the campaign's messages that are IN_DOUBT, by row.

        Only of the latest attempt: what was noted before it was begun is forgotten.
        """

    def learn(self, receipts: Sequence[tuple[Receipt, bytes]], *, now: datetime) -> int:
        """Apply what the listing says of attempts whose id is known, as receipts are applied.

        Unlike `receive` it keeps nothing of what is no attempt's id, or tells nothing new.

        Returns:
            How many of them told something new.
        """

    def last_attempt(self, campaign: str) -> datetime | None:
        """Tell when the last attempt of a campaign was begun; None where nobody knows one."""

    def silent(self, campaign: str, *, since: datetime) -> int:
        """Count the ACCEPTED messages that the provider took before a moment."""
