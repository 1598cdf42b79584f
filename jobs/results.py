"""bandcast results: the result table of a campaign, as the journal knows it now."""

from __future__ import annotations

from contextlib import closing

from jobs import console, options
from jobs.drifting import drift_json, print_drift
from pipeline import campaign as campaigns
from pipeline.drafts import drafted
from pipeline.errors import UsageError
from pipeline.journal.opening import find_journal


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
    """Write results.parquet and results.csv again, with every receipt that came since.

    Where the provider counted other segments than the estimate, drift.csv has each such message.
    """
    settings = options.settings_from(
        campaign, template=template, senders=senders, name=name, rate=rate, card=card
    )
    folder, known = options.out_folder(out, settings), settings.campaign.name
    url = options.journal_url(campaign)
    journal = find_journal(url)
    if journal is None or (enlisted := journal.enlistment(known)) is None:
        raise UsageError(f"the journal at {url} has no campaign '{known}' yet")

    started = enlisted.created_at
    bars = options.bars_of(settings, url, now=started)
    with closing(journal), drafted(settings, folder, on=started.date(), bars=bars) as found:
        campaigns.refuse_mismatch(enlisted, found)
        files = campaigns.write_results(journal, found, folder)
        found.publish(folder / "plan.parquet")

    states = dict(files.states)
    if as_json:
        console.print_json(
            {
                "campaign": known,
                "rows": sum(states.values()),
                "states": states,
                "in_doubt": states.get("in_doubt", 0),
                "cost_of_results": files.cost_micros / 1e6,
                "drift": drift_json(files),
                "results": str(files.parquet),
            }
        )
    elif not quiet:
        currency = found.totals.currency
        cost = console.money(files.cost_micros / 1e6, currency)
        facts = {"cost": cost, "results": f"{files.parquet} and .csv"}
        console.print_states(f"Results of '{known}'", states, facts)
        if files.drift:
            print_drift(files, currency)
