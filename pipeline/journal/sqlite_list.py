"""The suppression list of the SQLite journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.journal import Suppression, rules
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.sqlite_file import SqliteFile


class SuppressionList:
    """What a `Journal` says about suppression, in a file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add numbers to the suppression list; see `Journal.suppress`."""
        why = (source, because, to_micros(now))
        with self._file.transaction():
            return sum(self._file.run("suppress", number, *why) for number in numbers)

    def lift(self, numbers: Iterable[str], *, by: str, because: str, now: datetime) -> int:
        """Take numbers off the suppression list; see `Journal.lift`."""
        count, why = 0, (by, because, to_micros(now))
        with self._file.transaction():
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
