"""What people decide about a campaign, by name and with a reason: how it is given and how shown."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs import console, options
from jobs.ending import words_of
from jobs.enlisted import unknown
from pipeline.journal import Decision, Enlistment, Journal
from pipeline.journal.opening import find_journal
from pipeline.sending_again import Again
from pipeline.settings import Options, load_settings
from pipeline.spelling import being, counted

Campaign = Annotated[
    str,
    typer.Argument(
        metavar="CAMPAIGN", help="A campaign.toml or a campaign's name.", show_default=False
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", help="Who decides (default: the user of this machine); it is kept."),
]
Because = Annotated[str, typer.Option("--because", help="Why, in your words; it is kept.")]


@contextmanager
def enlisted(campaign: str) -> Iterator[tuple[Journal, Enlistment]]:
    """Open the journal that a campaign is in, named by its file or by its name.

    Raises:
        UsageError: there is none.
    """
    name, file = campaign, None
    if campaign.lower().endswith(".toml"):
        file = Path(campaign)
        name = load_settings(file, Options(), needs_files=False).campaign.name

    url, folder = options.journal_url(file), options.usual_folder(name)
    journal = find_journal(url)
    if journal is None:
        raise unknown(None, url, name, folder)

    with closing(journal):
        plan = journal.enlistment(name)
        if plan is None:
            raise unknown(journal, url, name, folder)

        yield journal, plan


def current_user() -> str:
    """Return who is logged in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may know no names
        return "unknown"


def pause_json(pause: Decision | None) -> dict[str, str] | None:
    """Return a pause for a program."""
    if pause is None:
        return None

    return {"by": pause.by, "because": pause.because, "at": pause.at.isoformat()}


def decided_json(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Return decisions for a program: those in the same words at the same moment are one."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for row, kind, by, because, at in decisions:
        words = (kind, by, because, at.isoformat())
        counts[words] = counts.get(words, 0) + bool(row)

    return [
        {"kind": kind, "by": by, "because": because, "at": at} | ({"messages": n} if n else {})
        for (kind, by, because, at), n in counts.items()
    ]


def decided_facts(decisions: Iterable[Decision], pause: Decision | None) -> dict[str, str]:
    """Return decisions for a person: what, and who said why."""
    facts = {"paused": words_of(pause)} if pause else {}
    for number, each in enumerate(decided_json(decisions), start=1):
        count = f"{counted(each['messages'], 'message')}, " if "messages" in each else ""
        because = f": {each['because']}" if each["because"] else ""
        at = each["at"][:16].replace("T", " ")
        said = f"{count}{each['kind'].replace('_', ' ')} by {each['by']}, {at}{because}"
        facts[f"decision {number}"] = console.printable(said)

    return facts


def retrying_sentence(again: Again, currency: str) -> str:
    """Say what `--retry failed` sends again, before it does."""
    if not again.rows:
        return "no failed message is to be sent again: none failed by an error that passes"

    cost = console.money(again.cost_micros / 1e6, currency)
    failed = being(len(again.rows), "failed message")
    return f"{failed} to be sent again, for at most {cost}"


def retrying_json(again: Again, retried: int, currency: str) -> dict[str, Any]:
    """Return what `--retry failed` was to send again, and how many it did make ready."""
    return {
        "messages": len(again.rows),
        "segments": again.segments,
        "cost": {"at_most": again.cost_micros / 1e6, "currency": currency},
        "ready": retried,
    }
