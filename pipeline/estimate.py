"""The dry run: settings in, a plan on disk and its totals out. Sends nothing.

recipients ─> read ─> plan_frame ─> plan.parquet ─> Totals
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import barring, tables
from pipeline.barring import Bars
from pipeline.errors import InputError, UsageError
from pipeline.model import EXAMPLE_ROWS, MICROS_PER_UNIT, Encoding, Finding
from pipeline.prepare import columns, plan, pricing
from pipeline.prepare.recipients import find_phone_columns
from pipeline.reading.files import files_digest, read_recipients
from pipeline.reading.reading import Reading
from pipeline.settings import Settings

NOBODY = Bars()  #: nobody is left out


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
    #: How the recipient files were understood (`reading.Reading.as_json`).
    file: Mapping[str, Any]
    #: What was found in the files, in order.
    findings: tuple[Finding, ...]
    #: Reason -> the first rows that are not sent for it.
    examples: Mapping[str, tuple[int, ...]]

    @property
    def digest(self) -> str:
        """One word for the whole fingerprint."""
        text = json.dumps(dict(self.fingerprint), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def cost(self) -> Decimal:
        """Total in the card's currency."""
        return Decimal(self.totals.cost_micros) / MICROS_PER_UNIT

    def _budget_json(self) -> dict[str, Any]:
        budget, daily = self.settings.budget, self.settings.daily_budget
        return {
            "campaign": None if budget is None else float(budget),
            "daily": None if daily is None else float(daily),
            "covers_estimate": not any(
                limit is not None and limit < self.cost for limit in (budget, daily)
            ),
        }

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
            "budget": self._budget_json(),
            "seconds_at_rate": round(self.seconds_at_rate, 3),
            "fingerprint": self.digest,
            "file": {
                **self.file,
                "findings": [asdict(finding) for finding in self.findings],
                "refusals": {
                    reason: {"count": count, "rows": list(self.examples.get(reason, ()))}
                    for reason, count in totals.skipped.items()
                },
            },
        }


def estimate(settings: Settings, plan_path: Path, *, on: date, bars: Bars = NOBODY) -> Estimate:
    """Plan the campaign, write the plan atomically and add it up.

    Args:
        settings: The campaign.
        plan_path: Where plan.parquet goes; its folder is made. Nothing is written on an error.
        on: The day whose prices count.
        bars: Who is left out.

    Raises:
        UsageError: the file, the template, the rate card or the folder cannot be used, or the file
            changed while it was read: its columns are read in two passes, and must be of one file.
    """
    card = pricing.load_card(settings.card)
    with read_recipients(settings.recipients, settings.file_format) as reading:
        before = _state_of(reading.files)
        draft = plan.draft(
            reading.frame,
            settings.campaign,
            card,
            on=on,
            file=_name(reading),
            barred=bars.barred,
        )
        findings = (*reading.findings, *draft.findings, *bars.findings)
        if settings.strict:
            _refuse_repairs(findings)

        _write(draft.frame, plan_path)
        digest = files_digest(reading, settings.file_format)
        file = {**reading.as_json(), "phone_columns": _phone_columns(reading, settings)}

    _refuse_change(reading, before, plan_path)
    written = pl.scan_parquet(plan_path)
    totals = plan.totals(written)
    return Estimate(
        settings=settings,
        plan_path=plan_path,
        totals=totals,
        fingerprint=plan.fingerprint(
            settings.campaign,
            card,
            recipients_digest=digest,
            suppression_digest=barring.files_digest(settings.suppression),
        ),
        card=card.name,
        file=file,
        findings=findings,
        examples={reason: _first_rows(written, reason) for reason in totals.skipped},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What people will read: shown to the person who asks, never logged."""

    #: The first texts of the plan, with their rows.
    first: tuple[tuple[int, str], ...]
    #: The longest text, with its row; None where nothing is sent.
    longest: tuple[int, str] | None

    def as_json(self) -> dict[str, Any]:
        """Return the texts as ``estimate --json --texts`` prints them."""
        return {
            "first": [{"row": row, "text": text} for row, text in self.first],
            "longest": dict(zip(("row", "text"), self.longest, strict=True))
            if self.longest
            else None,
        }


def preview(plan_path: Path, *, texts: int = 10) -> Preview:
    """Return the first texts of a plan and its longest, as they will be sent."""
    messages = pl.scan_parquet(plan_path).filter(pl.col(columns.REASON).is_null())
    shown = messages.select(columns.ROW, columns.TEXT)
    length = pl.col(columns.TEXT).str.len_chars()
    first = shown.head(texts).collect(engine="streaming")
    longest = shown.top_k(1, by=length)
    return Preview(
        first=tuple(first.iter_rows()),
        longest=next(longest.collect(engine="streaming").iter_rows(), None),
    )


def _write(frame: pl.LazyFrame, plan_path: Path) -> None:
    try:
        tables.write_parquet(frame, plan_path)
    except OSError as error:
        raise UsageError(
            f"{plan_path.parent}: plan and results cannot be written there: {error.strerror}; "
            "name another folder with --out"
        ) from None


def _refuse_change(reading: Reading, before: list[tuple[int, int, int]], plan_path: Path) -> None:
    if _state_of(reading.files) != before:
        plan_path.unlink()
        raise InputError(
            "the file changed while it was read: run the command again when it is complete",
            file=_name(reading),
        )


def _state_of(files: Sequence[str]) -> list[tuple[int, int, int]]:
    """Tell whether files were touched: inode, size and time of those on this machine."""
    states = [Path(file).stat() for file in files if "://" not in file]
    return [(state.st_ino, state.st_size, state.st_mtime_ns) for state in states]


def _refuse_repairs(findings: tuple[Finding, ...]) -> None:
    repairs = [finding for finding in findings if finding.is_repair]
    if repairs:
        raise UsageError(
            "\n".join(
                f"--strict: {finding.code}: {finding.count:,}: {finding.sentence}"
                + (f" (row {', '.join(map(str, finding.rows))})" if finding.rows else "")
                for finding in repairs
            )
        )


def _name(reading: Reading) -> str:
    first = Path(reading.files[0]).name
    return first if len(reading.files) == 1 else f"{first} and {len(reading.files) - 1} more"


def _phone_columns(reading: Reading, settings: Settings) -> list[str]:
    schema = reading.frame.collect_schema()
    names = [name for name, dtype in schema.items() if columns.has_text(dtype)]
    return list(find_phone_columns(names, settings.campaign.columns.phone, file=reading.files[0]))


def _first_rows(plan: pl.LazyFrame, reason: str) -> tuple[int, ...]:
    rows = plan.filter(pl.col(columns.REASON) == reason).select(columns.ROW).head(EXAMPLE_ROWS)
    return tuple(rows.collect(engine="streaming")[columns.ROW])
