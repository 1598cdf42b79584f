"""The suppression list of the SQLite journal, and what people said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

from pipeline.journal import Heard, Suppression, rules
from pipeline.journal.hearing import Hearing
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.sqlite_file import SqliteFile
from pipeline.model import Inbound, Wish
from pipeline.wishes import OWN_WISH, Word


class SuppressionList(Hearing):
    """What a `Journal` says about suppression, in a file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def transaction(self) -> AbstractContextManager[None]:
        """Make the calls inside one commit; see `Journal.transaction`."""
        return self._file.transaction()

    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add numbers to the suppression list; see `Journal.suppress`."""
        why = (source, because, to_micros(now))
        with self.transaction():
            return sum(self._suppress(number, why) for number in numbers)

    def _suppress(self, number: str, why: tuple[str, str, int]) -> int:
        new = self._file.run("suppress", number, *why)
        if not new and why[0] not in OWN_WISH and self._source(number) in OWN_WISH:
            self._file.run("suppress_otherwise", number, *why[:2])

        return new

    def lift(self, numbers: Iterable[str], *, by: str, because: str, now: datetime) -> int:
        """Take numbers off the suppression list; see `Journal.lift`."""
        count, why = 0, (by, because, to_micros(now))
        with self.transaction():
            for number in numbers:
                self._file.run("keep_lifted", number, *why)
                count += self._file.run("lift", number)

        return count

    def suppressions(self) -> Iterator[list[Suppression]]:
        """Yield the suppression list; see `Journal.suppressions`."""
        last = ""
        while page := self._file.all("suppressions", last, rules.PAGE_ROWS):
            yield [
                Suppression(number, source, because, from_micros(at))
                for number, source, because, at in page
            ]
            last = page[-1][0]

    def heard(self) -> Iterator[list[Heard]]:
        """Yield what people said; see `Journal.heard`."""
        last = 0
        while page := self._file.all("heard", last, rules.PAGE_ROWS):
            yield [
                Heard(
                    message_id=message_id,
                    to=to,
                    sender=sender,
                    wish=None if wish is None else Wish(wish),
                    raw=raw,
                    time=from_micros(time),
                    came_at=from_micros(came_at),
                )
                for _, message_id, to, sender, wish, raw, time, came_at in page
            ]
            last = page[-1][0]

    def _keep_inbound(self, message: Inbound, raw: bytes, wish: Wish | None, now: datetime) -> bool:
        who = (message.message_id, message.to, message.sender)
        times = (to_micros(message.time), to_micros(now))
        return bool(self._file.run("keep_inbound", *who, wish, raw, *times))

    def _last_word(self, number: str) -> Word | None:
        known = self._file.one("last_word", number)
        return None if known is None else Word(Wish(known[0]), from_micros(known[1]))

    def _set_last_word(self, number: str, word: Word) -> None:
        self._file.run("set_last_word", number, word.wish, to_micros(word.at))

    def _source(self, number: str) -> str | None:
        known = self._file.one("source_of_suppression", number)
        return None if known is None else str(known[0])
