"""bandcast estimate: what a campaign would send and cost. Sends nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from jobs import console, options
from pipeline.estimate import drafted


def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    card: options.Card = None,
    out: options.Out = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what a campaign would send and cost, to the segment and the cent. Sends nothing."""
    settings = options.settings_from(
        campaign, template=template, senders=senders, name=name, rate=rate, card=card
    )
    folder = options.out_folder(out, settings)
    with drafted(settings, folder, on=datetime.now(UTC).date()) as found:
        found.publish(folder / "plan.parquet")

    if as_json:
        console.print_json(found.as_json())
    elif not quiet:
        console.print_estimate(found, plan=str(folder / "plan.parquet"))
