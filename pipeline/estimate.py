"""The dry run: settings in, a plan on disk and its totals out. Sends nothing.

recipients ─> scan ─> plan_frame ─> plan.parquet ─> Totals
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import tables
from pipeline.errors import InputError, UsageError
from pipeline.model import MICROS_PER_UNIT, Encoding
from pipeline.prepare import plan, pricing
from pipeline.settings import Settings, exists


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a campaign will send and cost, exact to its rate card."""

    settings: Settings
    #: plan.parquet: one row per row of the recipient file.
    plan_path: Path
    totals: plan.Totals
    #: Name of a part of the plan -> its digest (see `prepare.plan.fingerprint`).
    fingerprint: Mapping[str, str]
    #: Name of the rate card the prices come from.
    card: str

    @property
    def digest(self) -> str:
        """One word for the whole fingerprint."""
        text = json.dumps(dict(self.fingerprint), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def cost(self) -> Decimal:
        """Total in the card's currency."""
        return Decimal(self.totals.cost_micros) / MICROS_PER_UNIT

    @property
    def seconds_at_rate(self) -> float:
        """How long sending takes at the account's rate."""
        return self.totals.segments / self.settings.rate_segments_per_second

    def publish(self, path: Path) -> None:
        """Give the plan its lasting name beside the one it has: a run reads only its own."""
        passing = self.plan_path.with_suffix(".published")
        try:
            os.link(self.plan_path, passing)
        except OSError:  # a file system without links
            shutil.copy(self.plan_path, passing)

        passing.replace(path)

    def as_json(self) -> dict[str, Any]:
        """Return the document that ``estimate --json`` prints."""
        totals = self.totals
        return {
            "campaign": self.settings.campaign.name,
            "rows": totals.rows,
            "messages": totals.messages,
            "skipped": dict(totals.skipped),
            "encodings": {each.value: totals.encodings.get(each, 0) for each in Encoding},
            "segments": totals.segments,
            "cost": {
                "total": float(self.cost),
                "currency": totals.currency,
                "rate_card": self.card,
            },
            "seconds_at_rate": round(self.seconds_at_rate, 3),
            "fingerprint": self.digest,
        }


@contextmanager
def drafted(settings: Settings, folder: Path, *, on: date) -> Iterator[Estimate]:
    """Estimate with the plan under a passing name; of this process's own, gone at the end.

    So a run that is refused or declined leaves nothing behind, and two runs at once do not write
    over each other's plan.
    """
    _spare_the_recipients(settings.recipients, folder)
    _remove_stale_drafts(folder)
    path = folder / f".plan-{os.getpid()}.parquet"
    new = [place for place in (folder, *folder.parents) if not exists(place)]
    try:
        yield estimate(settings, path, on=on)
    finally:
        with suppress(OSError):  # what cannot be removed was not made, or is not empty
            path.unlink(missing_ok=True)
            for place in new:
                place.rmdir()


def _spare_the_recipients(recipients: Path, folder: Path) -> None:
    written = [folder / name for name in ("plan.parquet", "results.parquet", "results.csv")]
    if recipients.resolve() in [path.resolve() for path in written]:
        raise UsageError(
            f"{recipients}: would be written over by this very run: name another folder with --out"
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


def estimate(settings: Settings, plan_path: Path, *, on: date) -> Estimate:
    """Plan the campaign, write the plan atomically and add it up.

    Args:
        settings: The campaign.
        plan_path: Where plan.parquet goes; its folder is made. Nothing is written on an error.
        on: The day whose prices count.

    Raises:
        UsageError: the file, the template, the rate card or the folder cannot be used, or the file
            changed while it was read: its columns are read in two passes, and must be of one file.
    """
    card = pricing.load_card(settings.card)
    recipients = tables.scan_recipients(settings.recipients)
    digest = tables.file_digest(settings.recipients)
    frame = plan.plan_frame(
        recipients, settings.campaign, card, on=on, file=settings.recipients.name
    )
    try:
        tables.write_parquet(frame, plan_path)
    except OSError as error:
        raise UsageError(
            f"{plan_path.parent}: plan and results cannot be written there: {error.strerror}; "
            "name another folder with --out"
        ) from None

    if tables.file_digest(settings.recipients) != digest:
        plan_path.unlink()
        raise InputError(
            "the file changed while it was read: run the command again when it is complete",
            file=str(settings.recipients),
        )

    return Estimate(
        settings=settings,
        plan_path=plan_path,
        totals=plan.totals(pl.scan_parquet(plan_path)),
        fingerprint=plan.fingerprint(settings.campaign, card, recipients_digest=digest),
        card=card.name,
    )
