"""What people say to us, in every store: kept once, and their latest word obeyed.

Stores say how it is kept; what a word does to the suppression list is decided here, inside the
transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from pipeline.model import Inbound, Receipt, Wish
from pipeline.wishes import OPTED_OUT, OWN_WISH, REPLY, Bar, Word, bar_of, is_person, wish_of

_TEXTED_STOP = Bar(REPLY, "texted STOP")
_TEXTED_START = "texted START"


class Hearing(ABC):
    """`Journal.hear`, and what `Journal.receive` does about failures."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make the calls inside one durable transaction."""

    @abstractmethod
    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add numbers to the suppression list."""

    @abstractmethod
    def lift(self, numbers: Iterable[str], *, by: str, because: str, now: datetime) -> int:
        """Take numbers off the suppression list."""

    @abstractmethod
    def _keep_inbound(self, message: Inbound, raw: bytes, wish: Wish | None, now: datetime) -> bool:
        """Keep a message as it came; False where it came before."""

    @abstractmethod
    def _last_word(self, number: str) -> Word | None:
        """Return what somebody wanted last."""

    @abstractmethod
    def _set_last_word(self, number: str, word: Word) -> None:
        """Remember what somebody wants now."""

    @abstractmethod
    def _source(self, number: str) -> str | None:
        """Return where a number's suppression came from; None where it is on no list."""

    def hear(self, messages: Sequence[tuple[Inbound, bytes]], *, now: datetime) -> list[Inbound]:
        """Keep messages and obey the words in them; see `Journal.hear`."""
        news: list[Inbound] = []
        with self.transaction():
            for message, raw in messages:
                wish = wish_of(message.text)
                if not self._keep_inbound(message, raw, wish, now):
                    continue

                news.append(message)
                if wish is not None and wish is not Wish.HELP:
                    self._obey(message.sender, Word(wish, message.time), _TEXTED_STOP, now)

        return news

    def _heed(self, receipt: Receipt, now: datetime) -> None:
        """Suppress whom a failure, which came for the first time, says not to text again."""
        bar = bar_of(receipt)
        if bar is None or not is_person(receipt.to):
            return

        if bar.source == OPTED_OUT:
            self._obey(receipt.to, Word(Wish.STOP, receipt.time), bar, now)
        else:
            self.suppress([receipt.to], source=bar.source, because=bar.because, now=now)

    def _obey(self, number: str, word: Word, bar: Bar, now: datetime) -> None:
        if not is_person(number) or not word.overrules(self._last_word(number)):
            return

        self._set_last_word(number, word)
        if word.wish is Wish.STOP:
            self.suppress([number], source=bar.source, because=bar.because, now=now)
        elif self._source(number) in OWN_WISH:
            self.lift([number], by=REPLY, because=_TEXTED_START, now=now)
