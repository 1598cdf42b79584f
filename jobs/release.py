"""bandcast release: an operator decides about messages in doubt."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs import console, deciding, options
from pipeline.errors import NotNow, UsageError
from pipeline.journal import Journal
from pipeline.lifecycle import MessageState
from pipeline.sending_again import Again, again
from pipeline.spelling import counted

_ALL = "all"
_RANGE = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?", re.ASCII)
_MOST_ROWS = 1_000_000
#: How many rows that cannot be decided about are named.
_NAMED = 10


def run(
    campaign: deciding.Campaign,
    rows: Annotated[
        str,
        typer.Option(
            help="Rows of the recipient file, as in the results: 3,17,20-25; or all that are in "
            "doubt, which may text each of these people twice."
        ),
    ],
    by: Annotated[str, typer.Option(help="Who decides; it is kept.")],
    because: Annotated[str, typer.Option(help="Why, in your words; it is kept.")],
    write_off: Annotated[
        bool,
        typer.Option(
            "--write-off",
            help="Do not send them again: end the matter, although nobody knows who has the text.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Decide without asking.")] = False,
    as_json: options.Json = False,
) -> None:
    """Send messages in doubt again with the next `send`, or write them off.

    Nobody knows whether these people have the text: the next `send` asks the provider's listing
    once more, and whoever has the text and is not found there gets it twice. All rows must be in
    doubt, or nothing is changed; a campaign that is being sent is left alone (exit code 7).
    """
    wanted = _read(rows)
    if not by.strip() or not because.strip():
        raise UsageError("release: say who decides with --by and why with --because; it is kept")

    if not yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at: add --yes to decide without asking")

    with deciding.enlisted(campaign) as (journal, plan):
        name = plan.campaign
        journal.hold(name)
        doubts = again(journal, name, _chosen(journal, name, wanted))
        if not yes and doubts.rows:
            _ask(name, doubts, plan.currency, write_off=write_off)

        decide = journal.write_off if write_off else journal.release
        with journal.transaction():  # a receipt may have settled one while somebody thought
            chosen = _chosen(journal, name, wanted)
            decide(name, chosen, by=by, because=because, now=datetime.now(UTC))
            decided = again(journal, name, chosen).rows  # a group is decided about as a whole

    _report(name, sorted(decided), by, because, as_json=as_json, write_off=write_off)


def _read(text: str) -> frozenset[int] | None:
    """Return the rows, None for all.

    Raises:
        UsageError: it names no rows.
    """
    if text.strip() == _ALL:
        return None

    found: set[int] = set()
    for part in text.split(","):
        read = _RANGE.fullmatch(part.strip())
        first, last = (int(read[1]), int(read[2] or read[1])) if read else (0, 0)
        if not 1 <= first <= last:
            raise UsageError(
                f"--rows: '{part.strip()}' is no row: write 3,17,20-25, or all (rows begin at 1)"
            )

        if last - first + len(found) >= _MOST_ROWS:
            raise UsageError(f"--rows: more than {_MOST_ROWS:,} rows: name fewer, or all")

        found.update(range(first, last + 1))

    return frozenset(found)


def _chosen(journal: Journal, campaign: str, wanted: frozenset[int] | None) -> list[int]:
    """Return the rows to decide about.

    Raises:
        UsageError: not all that are wanted are in doubt; names them with their states.
    """
    states = {
        each.row: each.state
        for page in journal.rows(campaign)
        for each in page
        if each.state == MessageState.IN_DOUBT or (wanted and each.row in wanted)
    }
    if wanted is None:
        return sorted(states)

    others = sorted(row for row in wanted if states.get(row) != MessageState.IN_DOUBT)
    if others:
        untried = set(again(journal, campaign, [row for row in others if row not in states]).rows)
        named = "; ".join(_named(others[:_NAMED], states, untried))
        more = f"; and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
        raise UsageError(f"nothing was changed, not all rows are in doubt: {named}{more}")

    return sorted(wanted)


def _named(rows: Collection[int], states: dict[int, str], untried: set[int]) -> Iterator[str]:
    for row in rows:
        state = states.get(row)
        if state == MessageState.SENDING:
            yield f"row {row} is still open, of a run that died (the next `send` finds it in doubt)"
        elif state is not None:
            yield f"row {row} is {state.replace('_', ' ')}"
        elif row in untried:
            yield f"row {row} is ready (never sent)"
        else:
            yield f"row {row} is no message of this campaign"


def _ask(campaign: str, doubts: Again, currency: str, *, write_off: bool) -> None:
    count = f"{counted(len(doubts.rows), 'message')} in doubt"
    question = f"Write off {count} of '{campaign}'? They are never sent, whoever has the text."
    if not write_off:
        cost = console.money(doubts.cost_micros / 1e6, currency)
        question = (
            "Nobody knows whether they arrived: the next send asks the listing once more, and "
            "whoever has the text and is not found there gets it twice.\n"
            f"Send {count} of '{campaign}' again, for at most {cost}?"
        )

    if not console.confirm(question):
        raise NotNow("nothing was changed")


def _report(
    campaign: str, rows: list[int], by: str, because: str, *, as_json: bool, write_off: bool
) -> None:
    if as_json:
        word = "written_off" if write_off else "released"
        document = {"campaign": campaign, word: len(rows), "rows": rows}
        console.print_json(document | {"by": by, "because": because})
        return

    how = "written off" if write_off else "to be sent again: run `bandcast send`"
    said = f"{counted(len(rows), 'message')} of campaign '{campaign}' {how}"
    console.paper.print(said if rows else "no message is in doubt", markup=False)
