"""bandcast estimate: what a campaign would send and cost. Sends nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs import breakdown, budgets, console, doctor, options
from jobs.document import estimate_json
from jobs.signals import interrupting
from pipeline.drafts import drafted
from pipeline.preview import preview


@interrupting()
def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    budget: options.Budget = None,
    card: options.Card = None,
    smart: options.Smart = None,
    smart_accents: options.SmartAccents = None,
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
    advice: Annotated[
        bool, typer.Option("--advice/--no-advice", help="Say what would cost less.")
    ] = True,
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
        smart=smart,
        smart_accents=smart_accents,
    )
    folder, now = options.out_folder(out, settings), datetime.now(UTC)
    bars = options.bars_by(settings, options.sending_url(campaign), now=now)
    with drafted(
        settings, folder, on=now.date(), bars_of=bars, with_advice=advice and not quiet
    ) as found:
        found.publish(folder / "plan.parquet")

    shown = preview(folder / "plan.parquet")
    if as_json:
        console.print_json(
            {**estimate_json(found), **({"texts": shown.as_json()} if texts else {})}
        )
    elif not quiet:
        doctor.print_findings(found)
        if texts if texts is not None else console.paper.is_terminal:
            doctor.print_preview(shown)

        console.print_estimate(found, plan=str(folder / "plan.parquet"))
        breakdown.print_breakdown(found)
        breakdown.print_advice(found)

    if not quiet:
        budgets.print_warnings(found)
