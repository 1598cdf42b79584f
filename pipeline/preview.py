"""The texts of a plan as people will read them, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.prepare import columns


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
