"""Campaigns of the SQLite journal: how their plans are found, stored and replaced."""

from __future__ import annotations

import json
from typing import NamedTuple

from pipeline.journal import Enlistment
from pipeline.journal.rules import from_micros, to_micros
from pipeline.journal.sqlite_file import Row, SqliteFile

#: All that a plan and the attempts of it have in a journal, but for its campaign.
_REMOVE = (
    *("remove_shards", "remove_payloads", "remove_left_out"),
    *("remove_messages", "remove_earlier", "remove_notes"),
)


class Plan(NamedTuple):
    """A campaign and the integer that stands for it in every row."""

    id: int
    enlistment: Enlistment


def find_plan(file: SqliteFile, campaign: str) -> Plan | None:
    """Find a campaign by its name."""
    found = file.one("campaign", campaign)
    if found is None:
        return None

    number, run, fingerprint, messages, segments, cost_micros, currency, created_at = found
    enlistment = Enlistment(
        campaign=campaign,
        run=run,
        fingerprint=json.loads(fingerprint),
        messages=messages,
        segments=segments,
        cost_micros=cost_micros,
        currency=currency,
        created_at=from_micros(created_at),
    )
    return Plan(number, enlistment)


def add_plan(file: SqliteFile, plan: Enlistment) -> int:
    """Store a campaign without its shards; return its number."""
    ((number,),) = file.all("add_campaign", plan.campaign, *_plan_values(plan))
    return int(number)


def replace_plan(file: SqliteFile, before: Plan, plan: Enlistment) -> int:
    """Store another plan without its shards for a campaign that has not begun."""
    for statement in _REMOVE:
        file.run(statement, before.id)

    file.run("replace_campaign", *_plan_values(plan), before.id)
    return before.id


def _plan_values(plan: Enlistment) -> Row:
    fingerprint = json.dumps(dict(plan.fingerprint), sort_keys=True)
    totals = (plan.messages, plan.segments, plan.cost_micros, plan.currency)
    return (plan.run, fingerprint, *totals, to_micros(plan.created_at))
