"""bandcast results: the result table of a campaign, as the journal knows it now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jobs import console, options
from jobs.drifting import drift_json, print_drift
from jobs.enlisted import made_again, opened
from jobs.signals import interrupting
from pipeline import campaign as campaigns
from pipeline.campaign import ResultFiles


@interrupting()
def run(
    campaign: options.CampaignFile,
    template: options.Template = None,
    senders: options.Senders = None,
    name: options.Name = None,
    rate: options.Rate = None,
    card: options.Card = None,
    smart: options.Smart = None,
    smart_accents: options.SmartAccents = None,
    out: options.Out = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write results.parquet and results.csv again, with every receipt that came since.

    Where the provider counted other segments than the estimate, drift.csv has each such message.
    """
    settings = options.settings_from(
        campaign,
        template=template,
        senders=senders,
        name=name,
        rate=rate,
        card=card,
        smart=smart,
        smart_accents=smart_accents,
    )
    folder, known = options.out_folder(out, settings), settings.campaign.name
    with (
        opened(campaign, settings, folder) as (journal, enlisted),
        made_again(campaign, settings, folder, enlisted) as found,
    ):
        files = campaigns.write_results(journal, found, folder, now=datetime.now(UTC))

    if as_json:
        console.print_json(_as_json(known, files))
    elif not quiet:
        _print(known, files, found.totals.currency)


def _as_json(campaign: str, files: ResultFiles) -> dict[str, Any]:
    return {
        "campaign": campaign,
        "rows": sum(files.states.values()),
        "states": dict(files.states),
        "in_doubt": files.states.get("in_doubt", 0),
        "cost_of_results": files.cost_micros / 1e6,
        "drift": drift_json(files),
        "results": str(files.parquet),
    }


def _print(campaign: str, files: ResultFiles, currency: str) -> None:
    cost = console.money(files.cost_micros / 1e6, currency)
    facts = {"cost": cost, "results": f"{files.parquet} and .csv"}
    console.print_states(f"Results of '{campaign}'", files.states, facts)
    if files.drift:
        print_drift(files, currency)
