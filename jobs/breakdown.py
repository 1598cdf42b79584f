"""Where the money of a campaign goes, and what would cost less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from jobs.console import duration, money, paper, printable
from pipeline.estimate import Estimate
from pipeline.prepare.plan import Share

_TITLES = {
    "segments": "segments each",
    "encoding": "encoding",
    "channel": "channel",
    "from": "sender",
    "variant": "variant",
    "country": "country",
    "area": "area",
    "carrier": "carrier",
    "zones": "time zone",
}
_MAX_SHARES = 8  # of a breakdown; --json has them all
_BAR_CELLS = 12
_MAX_ZONES = 2  # of a number that may lie in several


def print_breakdown(found: Estimate) -> None:
    """Show every breakdown that has more than one share, and always the histogram of segments."""
    table = Table(title="Where it goes", title_justify="left")
    table.add_column()
    for heading in ("messages", "segments", "cost", "time"):
        table.add_column(heading, justify="right")

    table.add_column()
    for name, title in _TITLES.items():
        shares = found.totals.shares.get(name, ())
        if len(shares) > (name != "segments"):
            table.add_section()
            table.add_row(f"[bold]{title}[/]")
            for cells in _rows(found, shares):
                table.add_row(*cells)

    if found.totals.messages:
        paper.print(table)
        _print_dearest(found)


def print_advice(found: Estimate) -> None:
    """Show what would cost less, the most saving first."""
    if not found.advice:
        return

    table = Table(title="What would cost less", title_justify="left")
    for heading in ("saves", "messages"):
        table.add_column(heading, justify="right", no_wrap=True)

    table.add_column("change (each for itself; savings do not add up)", overflow="fold")
    for each in found.advice:
        saving = money(each.saving_micros / 1e6, found.totals.currency)
        table.add_row(saving, f"{each.messages:,}", escape(printable(each.sentence)))

    paper.print(table)


def _rows(found: Estimate, shares: Sequence[Share]) -> Iterator[tuple[str, ...]]:
    total = max(found.totals.cost_micros, 1)
    shown = shares if len(shares) <= _MAX_SHARES + 1 else shares[:_MAX_SHARES]
    bar = "#" if paper.options.ascii_only else "█"
    for share in shown:
        yield (
            f"  {escape(printable(_label(share.value)))}",
            f"{share.messages:,}",
            f"{share.segments:,}",
            money(share.cost_micros / 1e6, found.totals.currency),
            duration(found.seconds_of(share.segments)),
            bar * max(1, round(share.cost_micros / total * _BAR_CELLS)),
        )

    if len(shown) < len(shares):
        yield (f"  and {len(shares) - len(shown)} more",)


def _label(value: str | int | None) -> str:
    zones = [zone.rpartition("/")[2].replace("_", " ") for zone in str(value).split("|")]
    if len(zones) > _MAX_ZONES:
        return f"one of {len(zones)} zones"

    return "not known" if value is None else " or ".join(zones)


def _print_dearest(found: Estimate) -> None:
    row, segments, micros = found.totals.dearest[0]
    paper.print(
        f"The dearest message is that of row {row:,}: segments: {segments}, "
        f"{money(micros / 1e6, found.totals.currency)}."
    )
