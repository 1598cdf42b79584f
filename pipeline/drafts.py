"""A plan under a passing name: what is refused or declined leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from pipeline.barring import BarsOf, nobody
from pipeline.errors import UsageError
from pipeline.estimate import Estimate, estimate
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
    _remove_stale_drafts(folder)
    path = folder / f".plan-{os.getpid()}.parquet"
    new = [place for place in (folder, *folder.parents) if not exists(place)]
    try:
        yield estimate(settings, path, on=on, bars_of=bars_of, with_advice=with_advice)
    finally:
        with suppress(OSError):  # what cannot be removed was not made, or is not empty
            path.unlink(missing_ok=True)
            for place in new:
                place.rmdir()


def _spare_the_recipients(recipients: Sequence[str], folder: Path) -> None:
    written = {(folder / name).resolve() for name in _WRITTEN}
    for source in recipients:
        if "://" not in source and Path(source).resolve() in written:
            raise UsageError(
                f"{source}: would be written over by this very run: name another folder with --out"
            )


def _remove_stale_drafts(folder: Path) -> None:
    """Remove the drafts of processes that were killed: they hold people's numbers."""
    for draft in folder.glob(".plan-*.parquet"):
        pid = draft.stem.removeprefix(".plan-")
        if pid.isascii() and pid.isdigit() and not _is_alive(int(pid)):
            draft.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # alive, and somebody else's
        return True

    return True
