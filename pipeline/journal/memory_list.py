"""The suppression list of the memory journal, and what people said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.journal import Heard, Suppression, rules
from pipeline.journal.hearing import Hearing
from pipeline.journal.memory_tables import Lifted, Tables
from pipeline.journal.transactional import Transactional
from pipeline.model import Inbound, Wish
from pipeline.wishes import OWN_WISH, Word


class SuppressionList(Transactional, Hearing):
    """What a `Journal` says about suppression, on tables."""

    tables: Tables

    def suppress(self, numbers: Iterable[str], *, source: str, because: str, now: datetime) -> int:
        """Add numbers to the suppression list; see `Journal.suppress`."""
        suppressed = self.tables.suppressed
        with self.transaction():
            before = len(suppressed)
            for number in numbers:
                known = suppressed.setdefault(number, Suppression(number, source, because, now))
                if known.source in OWN_WISH and source not in OWN_WISH:
                    suppressed[number] = known._replace(source=source, because=because)

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

    def heard(self) -> Iterator[list[Heard]]:
        """Yield what people said; see `Journal.heard`."""
        kept = list(self.tables.inbound.values())
        for start in range(0, len(kept), rules.PAGE_ROWS):
            yield kept[start : start + rules.PAGE_ROWS]

    def _keep_inbound(self, message: Inbound, raw: bytes, wish: Wish | None, now: datetime) -> bool:
        key, inbound = (message.message_id, message.to), self.tables.inbound
        if key in inbound:
            return False

        inbound[key] = Heard(*key, message.sender, wish, raw, message.time, now)
        return True

    def _last_word(self, number: str) -> Word | None:
        return self.tables.last_words.get(number)

    def _set_last_word(self, number: str, word: Word) -> None:
        self.tables.last_words[number] = word

    def _source(self, number: str) -> str | None:
        known = self.tables.suppressed.get(number)
        return None if known is None else known.source
