"""bandcast estimate: what a campaign would send and cost. Sends nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from jobs import breakdown, budgets, console, doctor, options
from jobs.document import estimate_json
from jobs.enlisted import begun_otherwise
from jobs.signals import interrupting
from pipeline.drafts import drafted
from pipeline.errors import PlanMismatch
from pipeline.estimate import Estimate
from pipeline.preview import Preview, preview


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
    url = options.sending_url(campaign)
    bars = options.bars_by(settings, url, now=now)
    with drafted(
        settings, folder, on=now.date(), bars_of=bars, with_advice=advice and not quiet
    ) as found:
        mismatch = begun_otherwise(url, found)
        plan = _publish(found, folder, mismatch, is_chosen=out is not None)
        shown = preview(found.plan_path)

    if mismatch is not None:
        _warn(mismatch, folder, plan)

    if as_json:
        otherwise = mismatch and {"changed": list(mismatch.changed), "plan": plan and str(plan)}
        more = {"begun_otherwise": otherwise, "texts": shown.as_json() if texts else None}
        document = estimate_json(found) | {name: part for name, part in more.items() if part}
        console.print_json(document)
    elif not quiet:
        show_texts = texts if texts is not None else console.paper.is_terminal
        _print(found, shown if show_texts else None, plan)

    if not quiet:
        budgets.print_warnings(found)


def _print(found: Estimate, texts: Preview | None, plan: Path | None) -> None:
    doctor.print_findings(found)
    if texts is not None:
        doctor.print_preview(texts)

    console.print_estimate(found, plan=str(plan or "not written"))
    breakdown.print_breakdown(found)
    breakdown.print_advice(found)


def _publish(
    found: Estimate, folder: Path, mismatch: PlanMismatch | None, *, is_chosen: bool
) -> Path | None:
    """Write the plan, unless that would take the place of the one that was sent; say where."""
    belongs_to_it = not is_chosen or (folder / "results.parquet").exists()
    if mismatch is not None and belongs_to_it:
        return None

    plan = folder / "plan.parquet"
    found.publish(plan)
    return plan


def _warn(mismatch: PlanMismatch, folder: Path, plan: Path | None) -> None:
    """Say that `send` will refuse the plan; also where nothing else is said: it may be missing."""
    kept = f", and {folder} is for the one that was sent: not written (--out names another folder)"
    sentence = f"`bandcast send` will refuse this plan{'' if plan else kept}; {mismatch}"
    console.margin.print(f"[bold yellow]warning[/]: {escape(sentence)}")
