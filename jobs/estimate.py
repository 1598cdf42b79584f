"""bandcast estimate: what a campaign would send and cost. Sends nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs import budgets, console, doctor, options
from pipeline.drafts import drafted
from pipeline.estimate import preview


def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    budget: options.Budget = None,
    card: options.Card = None,
    strict: options.Strict = False,
    out: options.Out = None,
    texts: Annotated[
        bool | None,
        typer.Option(
            "--texts/--no-texts",
            help="Show the first ten texts and the longest (default: on a terminal).",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what a campaign would send and cost, to the segment and the cent. Sends nothing."""
    settings = options.settings_from(
        campaign,
        template=template,
        senders=senders,
        name=name,
        rate=rate,
        budget=budget,
        card=card,
        strict=strict,
    )
    folder, now = options.out_folder(out, settings), datetime.now(UTC)
    bars = options.bars_of(settings, options.journal_url(campaign), now=now)
    with drafted(settings, folder, on=now.date(), bars=bars) as found:
        found.publish(folder / "plan.parquet")

    shown = preview(folder / "plan.parquet")
    if as_json:
        console.print_json({**found.as_json(), **({"texts": shown.as_json()} if texts else {})})
    elif not quiet:
        doctor.print_findings(found)
        if texts if texts is not None else console.paper.is_terminal:
            doctor.print_preview(shown)

        console.print_estimate(found, plan=str(folder / "plan.parquet"))

    if not quiet:
        budgets.print_warnings(found)
