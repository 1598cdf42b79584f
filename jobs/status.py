"""bandcast status: where the campaigns of a journal stand."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from jobs import console, deciding, options
from pipeline.errors import UsageError
from pipeline.journal import Tally
from pipeline.journal.opening import find_journal
from pipeline.settings import Options, load_settings


def run(
    campaign: Annotated[
        str | None,
        typer.Argument(help="A campaign.toml or a campaign's name; none: all.", show_default=False),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say how many messages of each campaign are in which state."""
    file = Path(campaign) if campaign and _is_file(campaign) else None
    url = options.journal_url(file)
    journal = find_journal(url)
    if journal is None:
        raise UsageError(f"there is no journal at {url} yet: nothing was ever sent from here")

    with closing(journal):
        names = journal.campaigns() if campaign is None else [_name(campaign)]
        tallies = [(name, journal.tally(name)) for name in names]
        pauses = {name: journal.paused(name) for name in names}
        decisions = {name: journal.decisions(name) for name in names}

    unknown = [name for name, tally in tallies if tally is None]
    if unknown:
        raise UsageError(f"the journal has no campaign '{unknown[0]}'")

    found = [tally for _, tally in tallies if tally is not None]
    if as_json:
        documents = [
            _as_json(tally)
            | {"paused": deciding.pause_json(pauses[tally.campaign])}
            | {"decisions": deciding.decided_json(decisions[tally.campaign])}
            for tally in found
        ]
        console.print_json({"campaigns": documents})
        return

    for tally in found:
        states = {state.value: count for state, count in tally.states.items()}
        name, facts = tally.campaign, {"started": tally.created_at.isoformat(" ", "seconds")}
        facts |= deciding.decided_facts(decisions[name], pauses[name])
        console.print_states(f"Campaign '{tally.campaign}'", states, facts)


def _is_file(campaign: str) -> bool:
    return campaign.lower().endswith(".toml")


def _name(campaign: str) -> str:
    if _is_file(campaign):
        return load_settings(Path(campaign), Options()).campaign.name

    return campaign


def _as_json(tally: Tally) -> dict[str, object]:
    return {
        "campaign": tally.campaign,
        "messages": tally.messages,
        "segments": tally.segments,
        "cost": {"total": tally.cost_micros / 1e6, "currency": tally.currency},
        "created_at": tally.created_at.isoformat(),
        "states": {state.value: count for state, count in tally.states.items()},
    }
