"""Smart characters: what looks like a GSM-7 character becomes one, so that a text stays GSM-7.

The table, smart_characters.csv, has two parts that are asked for separately: look-alikes (quotes,
dashes, spaces ...), and letters without their accents. A text is changed at every place or not at
all: one that would be UCS-2 all the same, would need more segments or become too long keeps what
its author wrote.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.model import EXAMPLE_ROWS, Campaign, Finding
from pipeline.prepare import alphabet, columns
from pipeline.prepare.reasons import MAX_CHARACTERS

#: The text as it was rendered.
ORIGINAL = columns.WORKING + "original"

#: Up to so much longer a GSM-7 text never has more segments than as UCS-2: 153 units, or 160 of a
#: single message, are more than twice the 67, or 70.
_MOST_GROWTH = 2
_SINGLE_UNITS = 160  # of a single GSM-7 message
_ACCENTS = "accents"  # the group of the table that changes letters
_SPELLED = {" ": "a space", "\n": "a line break"}
_NAMED_IN_FINDINGS = 10

_SMART, _FOUND, _COUNT, _ROWS = (
    columns.WORKING + name for name in ("smart", "found", "count", "rows")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A character of the messages that was replaced, and how often."""

    character: str
    replacement: str
    count: int
    #: Messages that had it.
    rows: int
    #: 1-based data row of the first of them.
    first_row: int

    def as_json(self) -> dict[str, Any]:
        """Return the entry that ``estimate --json`` prints under ``smart``."""
        return {
            **alphabet.described(self.character),
            "replacement": self.replacement,
            "count": self.count,
            "rows": self.rows,
            "first_row": self.first_row,
        }

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        code, name = alphabet.code_point(self.character), alphabet.name_of(self.character)
        became, times = fate_of(self.replacement), times_of(self.count)
        return f"{code} {name} was {became} {times} in these messages"


def replacements_of(campaign: Campaign) -> Mapping[str, str]:
    """Return what a campaign replaces; nothing unless it asks for it."""
    return replacements(look_alikes=campaign.smart, accents=campaign.smart_accents)


@cache
def replacements(*, look_alikes: bool, accents: bool) -> Mapping[str, str]:
    """Return the parts of the table that are asked for: character -> GSM-7 text."""
    return {
        chr(int(row["code_point"].removeprefix("U+"), 16)): row["replacement"]
        for row in _table()
        if (accents if row["group"] == _ACCENTS else look_alikes)
    }


def smart_text(text: str, table: Mapping[str, str]) -> str:
    """Return a text with every character of the table replaced, if that makes it GSM-7."""
    replaced = text.translate({ord(character): to for character, to in table.items()})
    units = len(replaced) + sum(map(replaced.count, alphabet.EXTENSION))
    helps = units <= max(_SINGLE_UNITS, _MOST_GROWTH * len(text))
    helps = helps and len(replaced) <= MAX_CHARACTERS
    return replaced if helps and alphabet.GSM7.issuperset(replaced) else text


def fate_of(replacement: str) -> str:
    """Say what became of a character: ``replaced by -``, ``removed``."""
    return f"replaced by {spelled(replacement)}" if replacement else "removed"


def spelled(replacement: str) -> str:
    """Return a replacement so that it can be seen in a sentence."""
    return _SPELLED.get(replacement, replacement)


def times_of(count: int) -> str:
    """Spell how often."""
    return "once" if count == 1 else f"{count:,} times"


def add_smart_text(lf: pl.LazyFrame, table: Mapping[str, str]) -> pl.LazyFrame:
    """Do to every `text` (String) what `smart_text` does to one; an empty table changes nothing."""
    if not table:
        return lf

    text = pl.col(columns.TEXT)
    looked_for = list(filter(str.isascii, table))
    is_odd = text.map_batches(  # a batch at a time, because they are scanned as one first
        partial(alphabet.beyond_ascii_or, looked_for), return_dtype=pl.Boolean, is_elementwise=True
    )
    odd = pl.when(is_odd).then(text).otherwise(pl.lit(""))  # '' and not null: see `segments`
    smart = pl.col(_SMART)
    characters = smart.str.len_chars()
    pairs = pl.sum_horizontal(smart.str.count_matches(each) for each in alphabet.PAIRS)
    most = pl.max_horizontal(_SINGLE_UNITS, _MOST_GROWTH * text.str.len_chars())
    helps = (characters + pairs <= most) & (characters <= MAX_CHARACTERS)
    return (
        lf.with_columns(odd.str.replace_many(list(table), list(table.values())).alias(_SMART))
        .with_columns(
            pl.when(is_odd & helps & ~smart.str.contains(alphabet.NOT_GSM7))
            .then(_SMART)
            .otherwise(text)
            .alias(columns.TEXT)
        )
        .drop(_SMART)
    )


def count_replaced(messages: pl.LazyFrame, table: Mapping[str, str]) -> tuple[Replaced, ...]:
    """Count what was replaced, a batch at a time.

    Args:
        messages: `row` (Int64), `text` and `ORIGINAL` (String) of every message.
        table: what they were made with.

    Returns:
        The characters, those in most messages first.
    """
    changed = messages.filter(pl.col(ORIGINAL) != pl.col(columns.TEXT)).select(
        columns.ROW, pl.col(ORIGINAL).str.extract_many(list(table)).alias(_FOUND)
    )
    counts = [_count(batch) for batch in changed.collect_batches(maintain_order=False)]
    if not counts:
        return ()

    totals = pl.concat(counts).group_by(_FOUND).agg(pl.col(_COUNT, _ROWS).sum(), _first_row())
    return tuple(
        Replaced(
            character=character, replacement=table[character], count=count, rows=rows, first_row=row
        )
        for character, count, rows, row in totals.sort(
            _ROWS, _COUNT, _FOUND, descending=[True, True, False]
        ).iter_rows()
    )


def findings_of(replaced: Sequence[Replaced]) -> tuple[Finding, ...]:
    """Say what was replaced; the rarest of many characters are only counted."""
    named, others = replaced[:_NAMED_IN_FINDINGS], replaced[_NAMED_IN_FINDINGS:]
    findings = [
        Finding(code="smart", sentence=each.sentence, count=each.rows, rows=(each.first_row,))
        for each in named
    ]
    if others:
        rows = tuple(sorted({each.first_row for each in others})[:EXAMPLE_ROWS])
        sentence = "further characters were replaced; --json names each of them"
        findings.append(Finding(code="smart", sentence=sentence, count=len(others), rows=rows))

    return tuple(findings)


@cache
def _table() -> tuple[dict[str, str], ...]:
    path = Path(__file__).with_name("smart_characters.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _count(batch: pl.DataFrame) -> pl.DataFrame:
    return (
        batch.explode(_FOUND)
        .group_by(columns.ROW, _FOUND)
        .agg(pl.len().cast(pl.Int64).alias(_COUNT))
        .group_by(_FOUND)
        .agg(pl.col(_COUNT).sum(), pl.len().cast(pl.Int64).alias(_ROWS), _first_row())
    )


def _first_row() -> pl.Expr:
    return pl.col(columns.ROW).min()
