"""The dry run: settings in, a plan on disk and its totals out. Sends nothing.

recipients ─> read ─> plan_frame ─> plan.parquet ─> Totals
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import barring, tables
from pipeline.barring import BarsOf
from pipeline.errors import InputError, UsageError
from pipeline.model import EXAMPLE_ROWS, MICROS_PER_UNIT, Campaign, Finding
from pipeline.passing import own_name, passing
from pipeline.pictures import Pictures, find_pictures, refuse_heavy
from pipeline.prepare import columns, groups, plan, pricing, smart
from pipeline.prepare.advice import Advice, Advisor
from pipeline.prepare.carriers import CarrierTable, read_table
from pipeline.prepare.recipients import find_named, find_phone_columns
from pipeline.prepare.several import rows_of
from pipeline.reading.files import files_digest, read_recipients
from pipeline.reading.reading import Reading
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a campaign will send and cost, exact to its rate card."""

    settings: Settings
    #: plan.parquet: one row per row of the recipient file.
    plan_path: Path
    totals: plan.Totals
    #: Name of a part of the plan -> its digest (see `prepare.plan.fingerprint`).
    fingerprint: Mapping[str, str]
    #: Where the prices come from.
    card: pricing.RateCard
    #: How the recipient files were understood (`reading.Reading.as_json`).
    file: Mapping[str, Any]
    #: What was found in the files, in order, and which characters were replaced.
    findings: tuple[Finding, ...]
    #: The characters of the messages that were replaced; None where none are looked for.
    replaced: tuple[smart.Replaced, ...] | None
    #: Reason -> the first rows that are not sent for it.
    examples: Mapping[str, tuple[int, ...]]
    #: How many go to groups; None where the campaign has none.
    groups: groups.GroupSums | None = None
    #: The local files among its pictures.
    pictures: Pictures = field(default_factory=Pictures)
    #: What would cost less, the most saving first; empty where nobody asked.
    advice: tuple[Advice, ...] = ()

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
        return self.seconds_of(self.totals.segments)

    def seconds_of(self, segments: int) -> float:
        """How long sending so many segments takes at the account's rate."""
        return segments / self.settings.rate_segments_per_second

    def publish(self, path: Path) -> None:
        """Give the plan its lasting name beside the one it has: a run reads only its own."""
        with passing(lambda: self.plan_path.with_name(own_name(path.name))) as published:
            try:
                os.link(self.plan_path, published)
            except OSError:  # a file system without links
                shutil.copy(self.plan_path, published)

            published.replace(path)


def estimate(
    settings: Settings,
    plan_path: Path,
    *,
    on: date,
    bars_of: BarsOf = barring.nobody,
    with_advice: bool = False,
) -> Estimate:
    """Plan the campaign, write the plan atomically and add it up.

    Args:
        settings: The campaign.
        plan_path: Where plan.parquet goes; its folder is made. Nothing is written on an error.
        on: The day whose prices count.
        bars_of: Says who is left out.
        with_advice: Find out what would cost less, which takes a few more passes over the plan.

    Raises:
        UsageError: the file, the template, the rate card or the folder cannot be used, or the file
            changed while it was read: its columns are read in two passes, and must be of one file.
    """
    card = pricing.load_card(settings.card)
    with read_recipients(settings.recipients, settings.file_format) as reading:
        before, pictures = _state_of(reading.files), _find_pictures(reading, settings)
        fingerprint = _fingerprint(settings, card, reading, pictures)
        name, bars = _name(reading), bars_of(fingerprint)
        frame, campaign, added = rows_of(reading.frame, settings.campaign, file=name)
        draft = plan.draft(
            frame,
            campaign,
            card,
            on=on,
            file=name,
            barred=bars.barred,
            carriers=_read_carriers(settings.carriers),
            pictures=pictures.references,
        )
        findings = (*reading.findings, *added, *draft.findings)
        _refuse_repairs(settings, findings, bars.findings, file=name)
        written = _write(draft.frame, plan_path)
        replaced = _count_replaced(draft, campaign, plan_path)
        file = {**reading.as_json(), "phone_columns": _phone_columns(reading, settings)}

    _refuse_change(reading, before, plan_path)
    _refuse_heavy(written, pictures, campaign, plan_path, file=name)
    sums, others = _groups_of(written, campaign, draft)
    totals = plan.totals(written, draft.grid.carrier_name(), has_variants=bool(campaign.variants))
    return Estimate(
        settings=settings,
        plan_path=plan_path,
        totals=totals,
        groups=sums,
        fingerprint=fingerprint,
        card=card,
        file=file,
        findings=(*findings, *bars.findings, *others, *smart.findings_of(replaced or ())),
        replaced=replaced,
        examples={reason: _first_rows(written, reason) for reason in totals.skipped},
        pictures=pictures,
        advice=_advise(written, campaign, draft) if with_advice else (),
    )


def _advise(written: pl.LazyFrame, campaign: Campaign, draft: plan.Draft) -> tuple[Advice, ...]:
    return Advisor(
        plan=written,
        campaign=campaign,
        views=draft.views,
        grid=draft.grid,
        has_picture=draft.has_picture,
    ).advise()


def _fingerprint(
    settings: Settings, card: pricing.RateCard, reading: Reading, pictures: Pictures
) -> dict[str, str]:
    campaign = settings.campaign
    listed = pictures.named(campaign.media)
    return plan.fingerprint(
        replace(campaign, media=listed),
        card,
        recipients_digest=files_digest(reading, settings.file_format),
        suppression_digest=barring.files_digest(settings.suppression),
        carriers_digest=barring.files_digest([settings.carriers] if settings.carriers else []),
        own_pictures=[each for each in pictures.by_reference if each not in listed],
    )


def _find_pictures(reading: Reading, settings: Settings) -> Pictures:
    campaign, cells, column = settings.campaign, None, settings.campaign.columns.media
    if column is not None:
        schema = reading.frame.collect_schema()
        column = find_named(column, schema.names(), file=_name(reading))
        cells = reading.frame.select(columns.text_view(column, schema[column]))

    return find_pictures(
        campaign.media,
        folder=settings.folder,
        most_bytes=settings.most_media_bytes,
        shrink=settings.shrink_media,
        senders=None if campaign.columns.sender else campaign.senders,
        cells=cells,
        column=column or "",
        file=_name(reading),
    )


def _read_carriers(path: Path | None) -> CarrierTable | None:
    if path is None:
        return None

    with read_recipients([path]) as reading:
        return read_table(reading.frame, file=path.name)


def _write(frame: pl.LazyFrame, plan_path: Path) -> pl.LazyFrame:
    try:
        tables.write_parquet(frame, plan_path)
    except OSError as error:
        raise UsageError(
            f"{plan_path.parent}: plan and results cannot be written there: {error.strerror}; "
            "name another folder with --out"
        ) from None

    return pl.scan_parquet(plan_path)


def _groups_of(
    written: pl.LazyFrame, campaign: Campaign, draft: plan.Draft
) -> tuple[groups.GroupSums | None, tuple[Finding, ...]]:
    if campaign.columns.group is None:
        return None, ()

    return groups.sums(written), tuple(groups.other_texts(written, campaign, draft.views))


def _count_replaced(
    draft: plan.Draft, campaign: Campaign, plan_path: Path
) -> tuple[smart.Replaced, ...] | None:
    if draft.originals is None:
        return None

    rows = pl.concat([pl.scan_parquet(plan_path), draft.originals], how="horizontal")
    messages = rows.filter(pl.col(columns.REASON).is_null())
    return smart.count_replaced(messages, smart.replacements_of(campaign))


def _refuse_heavy(
    written: pl.LazyFrame, pictures: Pictures, campaign: Campaign, plan_path: Path, *, file: str
) -> None:
    own = plan.media_column(campaign, written.collect_schema().names())
    try:
        refuse_heavy(written, pictures, media=campaign.media, column=own, file=file)
    except InputError:
        plan_path.unlink()
        raise


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


def _refuse_repairs(
    settings: Settings, findings: Sequence[Finding], listed: Sequence[Finding], *, file: str
) -> None:
    """Refuse what was mended in the recipients, or in the lists, which name themselves."""
    found = [(f"{file}: ", each) for each in findings] + [("", each) for each in listed]
    repairs = [(place, each) for place, each in found if each.is_repair and settings.strict]
    if repairs:
        raise UsageError("\n".join(f"--strict: {place}{_told(each)}" for place, each in repairs))


def _told(finding: Finding) -> str:
    if not finding.rows:
        return finding.sentence

    rows = ", ".join(map(str, finding.rows))
    return f"{finding.count:,}: {finding.sentence} (row {rows})"


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
