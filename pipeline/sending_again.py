"""What it costs to send messages of a campaign again, and which failures are worth it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from pipeline.journal import Journal
from pipeline.prepare import columns
from pipeline.prepare.shards import COST_MICROS, read_prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Messages that are to be sent once more."""

    rows: tuple[int, ...] = ()
    segments: int = 0
    #: The most that they cost this time, in millionths of the campaign's currency.
    cost_micros: int = 0


def again(journal: Journal, campaign: str, rows: Collection[int]) -> Again:
    """Price rows of a campaign, and the others of their groups; one without a message is left."""
    return _priced(_messages(journal, campaign, rows))


def failures_again(journal: Journal, campaign: str) -> Again:
    """Return the failed messages that may be sent again, without suppressed numbers."""
    failed = _messages(journal, campaign, journal.retryable(campaign))
    suppressed = [each.number for page in journal.suppressions() for each in page]
    return _priced(failed.filter(~pl.col(columns.TO).is_in(suppressed)))


def _messages(journal: Journal, campaign: str, rows: Collection[int]) -> pl.DataFrame:
    found = [read_prices(payload, rows) for payload in (journal.payloads(campaign) if rows else ())]
    empty = {columns.ROW: pl.Int64, columns.TO: pl.String, columns.SEGMENTS: pl.Int64,
             COST_MICROS: pl.Int64}  # fmt: skip
    return pl.concat(found) if found else pl.DataFrame(schema=empty)


def _priced(messages: pl.DataFrame) -> Again:
    return Again(
        rows=tuple(messages[columns.ROW]),
        segments=int(messages[columns.SEGMENTS].sum()),
        cost_micros=int(messages[COST_MICROS].sum()),
    )
