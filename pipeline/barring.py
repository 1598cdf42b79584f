"""Whom a campaign leaves out: suppression lists, earlier campaigns, and whoever was texted lately.

    files ─┐
    journal's list ─┼─> Bars ─> prepare.plan.draft
    earlier campaigns ─┘

When a campaign is enlisted, its bars are frozen into the journal: lists change, and a plan that is
made again to go on must be the one that was begun. The journal still asks its own list at the
moment of sending: who asks for no more texts after the plan was made gets none either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl

from pipeline.errors import SettingsError
from pipeline.journal import Journal
from pipeline.lifecycle import MessageState
from pipeline.model import Finding
from pipeline.prepare import columns
from pipeline.prepare.lists import NumberList, read_list
from pipeline.prepare.plan import Barred
from pipeline.prepare.shards import read_addresses
from pipeline.reading.files import read_recipients
from pipeline.settings import Settings
from pipeline.spelling import counted

SUPPRESSED, EXCLUDED, FREQUENCY_CAP = "suppressed", "excluded", "frequency_cap"

#: A message in one of these states never reached anybody.
_NOT_TEXTED = frozenset(
    {
        MessageState.READY,
        MessageState.REJECTED,
        MessageState.CANCELLED,
        MessageState.FAILED,
    }
)
_DIGEST_CHARACTERS = 16
_NUMBERS = "numbers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Who is left out, and what was found in the lists."""

    barred: tuple[Barred, ...] = ()
    findings: tuple[Finding, ...] = ()


#: Says who is left out of the plan that has this fingerprint.
BarsOf = Callable[[Mapping[str, str]], Bars]


def nobody(_: Mapping[str, str]) -> Bars:
    """Leave nobody out (a `BarsOf`)."""
    return Bars()


def bars_of(
    settings: Settings, journal: Journal, fingerprint: Mapping[str, str], *, now: datetime
) -> Bars:
    """Return who is left out: as it was enlisted where this very plan was, else by the lists.

    A plan of which nothing can have left holds for the start that it was made for (`now`): another
    start asks the lists again.

    A campaign that was enlisted before journals kept this is judged by the lists, without what
    became known after its start.

    Raises:
        InputError: a suppression file cannot be read.
        SettingsError: an excluded campaign is unknown.
    """
    name = settings.campaign.name
    earlier = journal.enlistment(name)
    parts = {} if earlier is None else earlier.fingerprint
    if earlier is None or any(parts.get(part) != fingerprint[part] for part in fingerprint):
        return find_bars(settings, journal, now=now)

    if earlier.created_at != now and not journal.is_begun(name):
        return find_bars(settings, journal, now=now)

    frozen = journal.left_out(name)
    if frozen is None:
        return find_bars(settings, journal, now=earlier.created_at)

    return thaw(frozen)


def freeze(plan: pl.LazyFrame) -> bytes:
    """Return whom a plan leaves out, for the journal: in Arrow IPC, compressed.

    Only numbers of its rows: a list of millions that nobody in the file is on takes no room.
    """
    number = pl.col(columns.TO).str.strip_prefix("+").cast(pl.Int64)
    frozen = (
        plan.filter(pl.col(columns.REASON).is_in([SUPPRESSED, EXCLUDED, FREQUENCY_CAP]))
        .select(columns.REASON, columns.REASON_DETAIL, number.alias(_NUMBERS))
        .group_by(columns.REASON, columns.REASON_DETAIL)
        .agg(_NUMBERS)
        .with_columns(pl.col(_NUMBERS).list.unique().list.sort())
        .collect(engine="streaming")
    )
    buffer = BytesIO()
    frozen.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def thaw(frozen: bytes) -> Bars:
    """Return what `freeze` found; a number is in one of the bars only, so their order is free."""
    frame = pl.read_ipc(BytesIO(frozen))
    return Bars(
        barred=tuple(
            Barred(reason=reason, detail=detail, numbers=numbers)
            for reason, detail, numbers in zip(*frame.get_columns(), strict=True)
        )
    )


def find_bars(settings: Settings, journal: Journal | None, *, now: datetime) -> Bars:
    """Read every list that the campaign names.

    Args:
        settings: the campaign.
        journal: where earlier campaigns are; None where there is no journal yet.
        now: when the campaign started, or starts: what became known later does not change its plan.

    Raises:
        InputError: a suppression file cannot be read.
        SettingsError: an excluded campaign is unknown.
    """
    lists = [_read_file(path, settings.campaign.region) for path in settings.suppression]
    barred = [barred for barred, _ in lists]
    if journal is not None:
        barred += _suppressed(journal, now)

    barred += _excluded(journal, settings)
    if journal is not None and settings.campaign.frequency_days:
        barred += _capped(journal, settings, now)

    findings = [finding for _, found in lists for finding in found]
    return Bars(barred=tuple(barred), findings=tuple(findings))


def files_digest(paths: Sequence[Path]) -> str:
    """Return a digest of what suppression files hold, in hex; '' without any."""
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:_DIGEST_CHARACTERS] * bool(paths)


def read_numbers_of(path: Path, region: str) -> NumberList:
    """Read a file of numbers of any kind that recipients may have.

    Returns:
        The list, and as findings what of the file bars nobody.

    Raises:
        InputError: the file cannot be read, or it is not clear which column has the numbers.
    """
    with read_recipients([path]) as reading:
        found = read_list(reading.frame, region=region, file=path.name)

    unread = (
        replace(each, sentence=f"of the suppression list '{path.name}', {each.sentence}")
        for each in reading.findings
        if each.code == "sheets"
    )
    return replace(found, findings=(*unread, *found.findings))


def _read_file(path: Path, region: str) -> tuple[Barred, tuple[Finding, ...]]:
    found = read_numbers_of(path, region)
    detail = f"on the suppression list '{path.name}'"
    return Barred(reason=SUPPRESSED, detail=detail, numbers=found.numbers), found.findings


def _suppressed(journal: Journal, now: datetime) -> Iterator[Barred]:
    by_source: dict[str, list[str]] = {}
    for page in journal.suppressions():
        for each in page:
            if each.at <= now:
                by_source.setdefault(each.source, []).append(each.number)

    for source, numbers in sorted(by_source.items()):
        detail = f"asked for no more texts, or was taken off by us (source: {source})"
        yield Barred(reason=SUPPRESSED, detail=detail, numbers=_to_integers(pl.Series(numbers)))


def _excluded(journal: Journal | None, settings: Settings) -> Iterator[Barred]:
    names = settings.campaign.exclude
    known = [] if journal is None else journal.campaigns()
    if unknown := [name for name in names if name not in known]:
        raise SettingsError(
            [f"exclude: the journal has no campaign '{name}' to leave out" for name in unknown]
        )

    for name in names:
        assert journal is not None  # or the name would be unknown
        addresses = [read_addresses(payload)["to"] for payload in journal.payloads(name)]
        numbers = _to_integers(
            pl.concat(addresses) if addresses else pl.Series([], dtype=pl.String)
        )
        yield Barred(reason=EXCLUDED, detail=f"a recipient of campaign '{name}'", numbers=numbers)


def _capped(journal: Journal, settings: Settings, now: datetime) -> Iterator[Barred]:
    days = settings.campaign.frequency_days
    since = now - timedelta(days=days)
    for name in journal.campaigns():
        plan = journal.enlistment(name)
        if name == settings.campaign.name or plan is None or plan.created_at > now:
            continue

        rows = [
            each.row
            for page in journal.rows(name)
            for each in page
            if each.state not in _NOT_TEXTED and since <= (each.accepted_at or plan.created_at)
        ]
        if rows:
            numbers = _numbers_of_rows(journal, name, pl.Series(rows, dtype=pl.Int64))
            detail = f"texted by campaign '{name}' within the last {counted(days, 'day')}"
            yield Barred(reason=FREQUENCY_CAP, detail=detail, numbers=numbers)


def _numbers_of_rows(journal: Journal, campaign: str, rows: pl.Series) -> pl.Series:
    chosen = rows.alias("row").to_frame()
    found = [
        read_addresses(payload).join(chosen, on="row", how="semi")["to"]
        for payload in journal.payloads(campaign)
    ]
    return _to_integers(pl.concat(found))


def _to_integers(numbers: pl.Series) -> pl.Series:
    """Return E.164 numbers without their plus; what is none, such as a short code, bars nobody."""
    e164 = numbers.filter(numbers.str.starts_with("+"))
    return e164.str.strip_prefix("+").cast(pl.Int64, strict=False).drop_nulls().unique()
