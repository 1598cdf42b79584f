"""What a person or a program reads: tables and one JSON document on stdout, all else on stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.estimate import Estimate

#: Attributes that every log record has; the others are our fields.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

paper = Console(soft_wrap=True, highlight=False, emoji=False)  #: stdout: what was asked for
#: stderr: what happens meanwhile
margin = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


class _Fields(logging.Formatter):
    """A sentence for people, then ``name=value`` for machines."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        tail = "".join(f" {name}={value}" for name, value in fields.items())
        return super().format(record) + tail


def accept_any_letter() -> None:
    """Print a question mark for a letter that the encoding of stdout lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def set_up_logging(*, quiet: bool) -> None:
    """Log to stderr: every step where nobody watches, only trouble below a progress bar."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(message)s"))
    level = logging.WARNING if quiet or margin.is_terminal else logging.INFO
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "asyncio", "aiohttp.client", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def print_json(document: Mapping[str, Any]) -> None:
    """Print the one document that ``--json`` promises."""
    sys.stdout.write(json.dumps(document) + "\n")  # ASCII, so that it fits any terminal's encoding
    sys.stdout.flush()


def stop_printing() -> None:
    """Let what is still to be printed go nowhere: whoever read stdout has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(sentences: str) -> None:
    """Say what went wrong: a sentence on a line, and nothing else."""
    for line in sentences.split("\n"):
        margin.print(f"[bold red]error[/]: {escape(printable(line))}")


def print_unexpected(error: BaseException) -> None:
    """Say where a defect of ours showed itself, without the values it may hold."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    margin.print(
        f"[bold red]unexpected error[/]: {type(error).__name__} at {place}; this is a defect of "
        "bandcast. What was sent is in the journal: running the same command again is safe."
    )


def money(amount: float, currency: str) -> str:
    """Spell an amount: two decimals, or as many as it takes to show less than a cent."""
    text = f"{amount:,.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')} {currency}"


def duration(seconds: float) -> str:
    """Spell a duration for people: ``9 s``, ``12 min 30 s``, ``3 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"

    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"

    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def print_estimate(estimate: Estimate, *, plan: str) -> None:
    """Show a person what the campaign will send and cost, and where the plan is."""
    totals = estimate.totals
    table = _table(f"Estimate of '{estimate.settings.campaign.name}'")
    table.add_row("rows", f"{totals.rows:,}")
    table.add_row("messages", f"{totals.messages:,}")
    for reason, count in sorted(totals.skipped.items(), key=lambda item: -item[1]):
        table.add_row(f"  skipped: {reason}", f"{count:,}")

    if groups := estimate.groups:
        table.add_row("  in groups", f"{groups.recipients:,} in {groups.groups:,}")

    for encoding, count in sorted(totals.encodings.items()):
        table.add_row(f"  in {encoding}", f"{count:,}")

    rate = estimate.settings.rate_segments_per_second
    table.add_row("segments", f"{totals.segments:,}")
    table.add_row("cost", f"[bold]{money(float(estimate.cost), totals.currency)}[/]")
    if totals.cost_low_micros < totals.cost_high_micros:
        low, high = totals.cost_low_micros / 1e6, totals.cost_high_micros / 1e6
        table.add_row("  at least", money(low, totals.currency))
        table.add_row("  at most", money(high, totals.currency))
        for prefix, shares in estimate.card.mix.items():
            for name, share in shares.items():
                table.add_row(f"  assumed in {prefix}: {escape(name)}", f"{float(share * 100):g} %")

    table.add_row("by rate card", escape(estimate.card.name))
    table.add_row(f"time at {rate:g} segments/s", duration(estimate.seconds_at_rate))
    if pictures := estimate.pictures.by_reference:
        files = f"{len(pictures):,} ({estimate.pictures.size_bytes:,} bytes)"
        table.add_row("pictures to upload", files)

    table.add_row("every row, with its reason", plan)
    paper.print(table)


def print_states(title: str, states: Mapping[str, int], facts: Mapping[str, str]) -> None:
    """Show how many rows ended how, then what else there is to say."""
    table = _table(title)
    for state, count in states.items():
        table.add_row(state.replace("_", " "), f"{count:,}")

    for name, value in facts.items():
        table.add_row(name, escape(value))

    paper.print(table)


def printable(text: str) -> str:
    """Show what could move the cursor, as the names of columns in a binary file may, as �."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _table(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right", overflow="fold")
    return table
