"""What people ask for by text, and which failures mean that nobody should be texted again.

A whole message that is one of the words counts, in any case and with any punctuation around it;
a word inside a sentence does not. Stop words: those of 47 CFR 64.1200(a)(10) and of the CTIA
Messaging Principles; on toll-free numbers the network itself obeys STOP and START (Bandwidth
support, 360010785613) and tells us all the same.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import NamedTuple

from pipeline.bandwidth.error_codes import find
from pipeline.model import Receipt, ReceiptKind, Wish

_WORDS = {
    Wish.STOP: (
        "stop",
        "stopall",
        "unsubscribe",
        "cancel",
        "end",
        "quit",
        "revoke",
        "optout",
    ),
    Wish.START: ("start", "unstop"),
    Wish.HELP: ("help", "info"),
}
_WISHES = {word: wish for wish, words in _WORDS.items() for word in words}
_LONGEST_TEXT = 2_048  # characters that a message may have

#: `Suppression.source` of somebody who texted a stop word.
REPLY = "reply"
#: Of a failure that says the recipient has opted out at Bandwidth or the carrier.
OPTED_OUT = "opted_out"
#: Of a failure that says there is no such number, or none that takes texts.
DEAD_NUMBER = "dead_number"
#: What somebody has asked for himself, and takes back himself: everything else stays.
OWN_WISH = (REPLY, OPTED_OUT)

_OPTED_OUT_CODES = frozenset({4475, 4775})
_DEAD_NUMBER_CODES = frozenset({4303, 4350, 4404, 4406, 4720, 4721})
_E164 = re.compile(r"\+[1-9][0-9]{4,14}")


class Bar(NamedTuple):
    """Why a number gets no more texts."""

    source: str
    because: str


class Word(NamedTuple):
    """What somebody wants, and since when: the time of the event, not of its arrival."""

    wish: Wish
    at: datetime

    def overrules(self, known: Word | None) -> bool:
        """Tell whether this is news: an older word is none; of two at one moment STOP is."""
        if known is None or self.at != known.at:
            return known is None or self.at > known.at

        return self.wish is Wish.STOP and known.wish is not Wish.STOP


def wish_of(text: str) -> Wish | None:
    """Return what a whole message asks for, None where it is none of the words.

    ``Opt-out!`` and ``STOP ALL.`` count; ``please stop by`` does not.
    """
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_TEXT]).casefold()
    return _WISHES.get(re.sub(r"[\W_]+", "", plain))


def bar_of(receipt: Receipt) -> Bar | None:
    """Return why its recipient must not be texted again after this failure, None where he may."""
    code = receipt.error_code
    if code is None or receipt.kind is not ReceiptKind.FAILED:
        return None

    if code not in _OPTED_OUT_CODES | _DEAD_NUMBER_CODES:
        return None

    known = find(code)
    assert known is not None  # the table has all of them
    source = OPTED_OUT if code in _OPTED_OUT_CODES else DEAD_NUMBER
    return Bar(source, f"error {code}: {known.means}")


def is_person(number: str) -> bool:
    """Tell whether this is a phone number (E.164): only those can be suppressed."""
    return _E164.fullmatch(number) is not None
