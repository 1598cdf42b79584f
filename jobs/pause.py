"""bandcast pause: nobody sends this campaign until somebody resumes it."""

from __future__ import annotations

from datetime import UTC, datetime

from jobs import console, deciding, options
from jobs.ending import words_of


def run(
    campaign: deciding.Campaign,
    because: deciding.Because = "",
    by: deciding.By = None,
    as_json: options.Json = False,
) -> None:
    """Stop a campaign that is being sent, within a second or so, and keep it from being sent.

    What is in flight finishes; `send` texts nobody (exit code 5) until `bandcast resume`.
    """
    with deciding.enlisted(campaign) as (journal, plan):
        name = plan.campaign
        who, now = by or deciding.current_user(), datetime.now(UTC)
        is_new = journal.pause(name, by=who, because=because, now=now)
        pause = journal.paused(name)

    assert pause is not None
    if as_json:
        words = deciding.pause_json(pause)
        console.print_json({"campaign": name, "paused": words, "new": is_new})
        return

    already = "" if is_new else "already "
    said = f"campaign '{name}' is {already}{words_of(pause)}"
    console.paper.print(console.printable(said), markup=False)
