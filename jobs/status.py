"""bandcast status: where the campaigns of a journal stand."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs import console, deciding, options
from jobs.enlisted import unknown
from pipeline.journal import Tally
from pipeline.journal.opening import find_journal
from pipeline.lifecycle import MessageState
from pipeline.sections import SettlingSection
from pipeline.settings import Options, load_settings
from pipeline.settle.billing import UNCONFIRMED


def run(
    campaign: Annotated[
        str | None,
        typer.Argument(help="A campaign.toml or a campaign's name; none: all.", show_default=False),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say how many messages of each campaign are in which state."""
    file = Path(campaign) if campaign and campaign.lower().endswith(".toml") else None
    settings = load_settings(file, Options(), needs_files=False) if file else None
    silence = (settings.settling if settings else SettlingSection()).silence
    url = options.journal_url(file)
    journal = find_journal(url)
    name = settings.campaign.name if settings else campaign
    folder = options.usual_folder(name or "")
    if journal is None:
        raise unknown(None, url, name or "", folder)

    with closing(journal):
        names = journal.campaigns() if name is None else [name]
        tallies = [(name, journal.tally(name)) for name in names]
        pauses = {name: journal.paused(name) for name in names}
        decisions = {name: journal.decisions(name) for name in names}
        if missing := [name for name, tally in tallies if tally is None]:
            raise unknown(journal, url, missing[0], folder)

        since = datetime.now(UTC) - silence
        silent = {name: journal.silent(name, since=since) for name in names}

    found = [tally for _, tally in tallies if tally is not None]
    if as_json:
        documents = [
            _as_json(tally, silent[tally.campaign])
            | {"paused": deciding.pause_json(pauses[tally.campaign])}
            | {"decisions": deciding.decided_json(decisions[tally.campaign])}
            for tally in found
        ]
        console.print_json({"campaigns": documents})
        return

    for tally in found:
        name, facts = tally.campaign, {"started": tally.created_at.isoformat(" ", "seconds")}
        facts |= deciding.decided_facts(decisions[name], pauses[name])
        states = _states(tally, silent[name])
        console.print_states(f"Campaign '{tally.campaign}'", states, facts)


def _states(tally: Tally, silent: int) -> dict[str, int]:
    """Count by state, where accepted messages that stayed silent too long are unconfirmed."""
    states = {state.value: count for state, count in tally.states.items()}
    states[MessageState.ACCEPTED.value] = states.get(MessageState.ACCEPTED.value, 0) - silent
    return {state: count for state, count in (states | {UNCONFIRMED: silent}).items() if count}


def _as_json(tally: Tally, silent: int) -> dict[str, object]:
    return {
        "campaign": tally.campaign,
        "messages": tally.messages,
        "segments": tally.segments,
        "cost": {"total": tally.cost_micros / 1e6, "currency": tally.currency},
        "created_at": tally.created_at.isoformat(),
        "states": _states(tally, silent),
    }
