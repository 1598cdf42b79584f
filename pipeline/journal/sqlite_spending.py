"""The purses of the SQLite journal: running sums, so that no budget is ever added up anew."""

from __future__ import annotations

from datetime import datetime

from pipeline.journal import Spending, Sums
from pipeline.journal.spending import day_of
from pipeline.journal.sqlite_file import SqliteFile

_NOTHING = Sums()


class Purses:
    """What the messages of each campaign, account and UTC day of beginning hold together."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def open(self, campaign: int, account: str, now: datetime) -> int:
        """Return the number of the purse that an attempt of this moment is paid from."""
        place = (campaign, account, day_of(now))
        found = self._file.one("purse", *place)
        if found is None:
            found = self._file.one("add_purse", *place)
            assert found is not None  # inside a transaction nobody else adds it

        return int(found[0])

    def add(self, purse: int | None, more: Sums) -> None:
        """Add to the sums of a purse; a message that was never begun has none."""
        if purse is not None and more != _NOTHING:
            self._file.run("spend", *more, purse)

    def spending(self, campaign: int, *, account: str, now: datetime) -> Spending:
        """Add up the few purses of the campaign, and those of its account and currency today."""
        (own,) = self._file.all("spent_by_campaign", campaign)
        (day,) = self._file.all("spent_on_day", account, day_of(now), campaign)
        return Spending(Sums(*own), Sums(*day))
