"""bandcast resume: a paused campaign may be sent again."""

from __future__ import annotations

from datetime import UTC, datetime

from jobs import console, deciding, options


def run(
    campaign: deciding.Campaign,
    because: deciding.Because = "",
    by: deciding.By = None,
    as_json: options.Json = False,
) -> None:
    """End a pause. The next `send` goes on where the last one stopped; this sends nothing."""
    with deciding.enlisted(campaign) as (journal, plan):
        who, now = by or deciding.current_user(), datetime.now(UTC)
        was_paused = journal.resume(plan.campaign, by=who, because=because, now=now)

    if as_json:
        console.print_json({"campaign": plan.campaign, "resumed": was_paused})
        return

    how = "may be sent again: run `bandcast send`" if was_paused else "was not paused"
    console.paper.print(f"campaign '{plan.campaign}' {how}", markup=False)
