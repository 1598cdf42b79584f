"""The suppression list of the memory journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.journal import Suppression, rules
from pipeline.journal.memory_tables import Lifted, Tables
from pipeline.journal.transactional import Transactional


class SuppressionList(Transactional):
    """What a `Journal` says about suppression, on tables."""

    tables: Tables

    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add numbers to the suppression list; see `Journal.suppress`."""
        suppressed = self.tables.suppressed
        with self.transaction():
            before = len(suppressed)
            for number in numbers:
                suppressed.setdefault(number, Suppression(number, source, because, now))

            return len(suppressed) - before

    def lift(self, numbers: Iterable[str], *, by: str, because: str, now: datetime) -> int:
        """Take numbers off the suppression list; see `Journal.lift`."""
        count, lifted = 0, self.tables.lifted
        with self.transaction():
            for number in numbers:
                if (known := self.tables.suppressed.pop(number, None)) is not None:
                    lifted[len(lifted)] = Lifted(known, by, because, now)
                    count += 1

        return count

    def suppressions(self) -> Iterator[list[Suppression]]:
        """Yield the suppression list; see `Journal.suppressions`."""
        ordered = sorted(self.tables.suppressed.values())
        for start in range(0, len(ordered), rules.PAGE_ROWS):
            yield ordered[start : start + rules.PAGE_ROWS]
