"""A plan under a passing name: what is refused or declined leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from pipeline.barring import BarsOf, nobody
from pipeline.errors import UsageError
from pipeline.estimate import Estimate, estimate
from pipeline.passing import own_name, passing, remove
from pipeline.settings import Settings, exists

#: What a campaign writes into its folder.
_WRITTEN = ("plan.parquet", "results.parquet", "results.csv", "drift.csv")


@contextmanager
def drafted(
    settings: Settings,
    folder: Path,
    *,
    on: date,
    bars_of: BarsOf = nobody,
    with_advice: bool = False,
) -> Iterator[Estimate]:
    """Estimate with the plan under a passing name; of this process's own, gone at the end.

    So a run that is refused or declined leaves nothing behind, and two runs at once do not write
    over each other's plan.
    """
    _spare_the_recipients(settings.recipients, folder)
    draft = folder / own_name("plan.parquet")
    new = [place for place in (folder, *folder.parents) if not exists(place)]

    def leave_nothing(draft: Path) -> None:
        remove(draft)
        with suppress(OSError):  # what cannot be removed was not made, or is not empty
            for place in new:
                place.rmdir()

    with passing(lambda: draft, removing=leave_nothing) as path:
        yield estimate(settings, path, on=on, bars_of=bars_of, with_advice=with_advice)


def _spare_the_recipients(recipients: Sequence[str], folder: Path) -> None:
    written = {(folder / name).resolve() for name in _WRITTEN}
    for source in recipients:
        if "://" not in source and Path(source).resolve() in written:
            raise UsageError(
                f"{source}: would be written over by this very run: name another folder with --out"
            )
