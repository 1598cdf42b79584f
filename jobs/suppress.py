"""bandcast suppress: the list of numbers that get no texts, whatever a campaign says."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jobs import console, doctor, options
from pipeline.barring import read_numbers_of
from pipeline.errors import SettingsError, UsageError
from pipeline.journal import Journal, Suppression, open_journal
from pipeline.journal.opening import find_journal, find_path
from pipeline.prepare.lists import read_spoken


class Action(StrEnum):
    """What to do with the list."""

    ADD = "add"
    REMOVE = "remove"
    LIST = "list"
    IMPORT = "import"


def run(
    action: Annotated[Action, typer.Argument(help="add, remove, list or import.")],
    what: Annotated[
        list[str] | None,
        typer.Argument(help="Numbers to add or remove, or files to import.", show_default=False),
    ] = None,
    because: Annotated[
        str, typer.Option("--because", help="Why, in your words; kept with each number.")
    ] = "",
    source: Annotated[
        str | None,
        typer.Option("--source", help="Where it comes from (default: operator, or the file)."),
    ] = None,
    region: Annotated[
        str, typer.Option("--region", help="How numbers without a country code are read.")
    ] = "US",
    campaign: Annotated[
        Path | None,
        typer.Option("--campaign", help="A campaign's file: the list is in the journal beside it."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Keep the list of numbers that get no texts. Entries never expire by themselves."""
    if campaign is not None and not campaign.is_file():
        raise SettingsError([f"there is no file '{campaign}', so no journal beside it"])

    url = options.journal_url(campaign)
    if action is Action.LIST:
        _print_list(url, [_as_listed(each, region) for each in what or []], as_json=as_json)
        return

    if not what:
        raise UsageError(f"suppress {action}: say which {_NEEDED[action]}")

    console.margin.print(f"journal: {find_path(url)}", markup=False)
    with closing(open_journal(url)) as journal:
        changed = _change(journal, action, what, because, source, region)

    if as_json:
        console.print_json({"changed": changed})
    else:
        console.paper.print(f"{_DONE[action]}: {changed:,}")


_NEEDED = {Action.ADD: "numbers", Action.REMOVE: "numbers", Action.IMPORT: "files"}
_DONE = {
    Action.ADD: "numbers that are new on the list",
    Action.REMOVE: "numbers taken off the list",
    Action.IMPORT: "numbers that are new on the list",
}


def _change(
    journal: Journal, action: Action, what: list[str], because: str, source: str | None, region: str
) -> int:
    now = datetime.now(UTC)
    match action:
        case Action.ADD:
            numbers = read_spoken(what, region)
            return journal.suppress(
                numbers, source=source or "operator", because=because or "added by hand", now=now
            )
        case Action.REMOVE:
            if not because:
                raise UsageError("suppress remove: say why with --because; it is kept")

            numbers = read_spoken(what, region)
            return journal.lift(numbers, by=source or getpass.getuser(), because=because, now=now)
        case _:
            return sum(_import(journal, Path(file), because, source, region) for file in what)


def _import(journal: Journal, file: Path, because: str, source: str | None, region: str) -> int:
    numbers, findings = read_numbers_of(file, region)
    for finding in findings:
        console.margin.print(doctor.sentence_of(finding), markup=False)

    return journal.suppress(
        (f"+{number}" for number in numbers),
        source=source or file.name,
        because=because or "imported",
        now=datetime.now(UTC),
    )


def _print_list(url: str, wanted: list[str], *, as_json: bool) -> None:
    journal = find_journal(url)
    if journal is None:
        listed: list[Suppression] = []
    else:
        with closing(journal):
            listed = list(_listed(journal, wanted))

    if as_json:
        console.print_json({"suppressed": [_as_json(each) for each in listed]})
        return

    if not listed:
        nothing = "nothing on the list is one of these numbers or sources"
        empty = f"nobody is on the list of the journal {find_path(url)}"
        console.margin.print(nothing if wanted else empty, markup=False)

    for each in listed:
        since = each.at.isoformat(" ", "seconds")
        line = f"{each.number}  {since}  {each.source}  {each.because}"
        console.paper.print(console.printable(line), markup=False)


def _as_listed(text: str, region: str) -> str:
    """Return a number in E.164; what is none is the name of a source."""
    try:
        return read_spoken([text], region)[0]
    except UsageError:
        return text


def _listed(journal: Journal, wanted: list[str]) -> Iterator[Suppression]:
    for page in journal.suppressions():
        for each in page:
            if not wanted or each.source in wanted or each.number in wanted:
                yield each


def _as_json(each: Suppression) -> dict[str, str]:
    return {
        "number": each.number,
        "source": each.source,
        "because": each.because,
        "at": each.at.isoformat(),
    }
