"""bandcast suppress: the list of numbers that get no texts, whatever a campaign says."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs import console, doctor, options
from pipeline.barring import read_numbers_of
from pipeline.errors import SettingsError, UsageError
from pipeline.journal import Journal, Suppression, open_journal
from pipeline.journal.opening import find_journal, find_path
from pipeline.prepare.lists import NumberList, read_spoken


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
        str | None,
        typer.Option(
            "--region",
            help="How numbers without a country code are read (default: as the campaign, or US).",
        ),
    ] = None,
    campaign: Annotated[
        Path | None,
        typer.Option(
            "--campaign",
            help="A campaign's file: the list is in the journal beside it, the region is its own.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Keep the list of numbers that get no texts. Entries never expire by themselves."""
    if campaign is not None and not campaign.is_file():
        raise SettingsError([f"there is no file '{campaign}', so no journal beside it"])

    url, region = options.journal_url(campaign), region or options.region_of(campaign)
    if action is Action.LIST:
        _print_list(url, [_as_listed(each, region) for each in what or []], as_json=as_json)
        return

    if not what:
        raise UsageError(f"suppress {action}: say which {_NEEDED[action]}")

    console.margin.print(f"journal: {find_path(url)}", markup=False)
    with closing(open_journal(url)) as journal:
        match action:
            case Action.ADD:
                _add(journal, read_spoken(what, region), because, source, as_json=as_json)
            case Action.REMOVE:
                _remove(journal, read_spoken(what, region), because, source, as_json=as_json)
            case _:
                lists = [(Path(file), read_numbers_of(Path(file), region)) for file in what]
                _import(journal, lists, because, source, as_json=as_json)


_NEEDED = {Action.ADD: "numbers", Action.REMOVE: "numbers", Action.IMPORT: "files"}
_NEW = "numbers that are new on the list"


def _add(
    journal: Journal, numbers: list[str], because: str, source: str | None, *, as_json: bool
) -> None:
    changed = journal.suppress(
        numbers,
        source=source or "operator",
        because=because or "added by hand",
        now=datetime.now(UTC),
    )
    _print({"changed": changed}, {_NEW: changed}, as_json=as_json)


def _remove(
    journal: Journal, numbers: list[str], because: str, source: str | None, *, as_json: bool
) -> None:
    if not because:
        raise UsageError("suppress remove: say why with --because; it is kept")

    by, now = source or getpass.getuser(), datetime.now(UTC)
    with journal.transaction():
        taken_off = {
            number: journal.lift([number], by=by, because=because, now=now)
            for number in dict.fromkeys(numbers)
        }

    missing = [place for place, number in enumerate(numbers, start=1) if not taken_off[number]]
    for place in missing:
        console.margin.print(f"number {place} of {len(numbers)} was not on the list", markup=False)

    changed = sum(taken_off.values())
    document = {"changed": changed, "not_on_list": missing}
    _print(document, {"numbers taken off the list": changed}, as_json=as_json)


def _import(
    journal: Journal,
    lists: Sequence[tuple[Path, NumberList]],
    because: str,
    source: str | None,
    *,
    as_json: bool,
) -> None:
    files = []
    for file, found in lists:
        new = journal.suppress(
            (f"+{number}" for number in found.numbers),
            source=source or file.name,
            because=because or "imported",
            now=datetime.now(UTC),
        )
        files.append(_imported(file, found, new))
        listed = ", ".join(found.columns)
        console.margin.print(console.printable(f"{file.name}: numbers from {listed}"), markup=False)
        for finding in found.findings:
            sentence = console.printable(doctor.sentence_of(finding))
            console.margin.print(sentence, markup=False)

    counts = {key: sum(each[key] for each in files) for key in _COUNTS}
    document = {"changed": counts["new"], **counts, "files": files}
    _print(document, {_COUNTS[key]: counts[key] for key in counts}, as_json=as_json)


#: What an import counts: a row has a number or is `without`; a number is new, known or a repeat.
_COUNTS = {
    "rows": "rows read",
    "rows_without_number": "rows without a number",
    "found": "numbers found",
    "repeated": "numbers found again in the same file",
    "already": "numbers that were on the list already",
    "new": _NEW,
}


def _imported(file: Path, found: NumberList, new: int) -> dict[str, Any]:
    different = found.numbers.len()
    return {
        "file": str(file),
        "columns": list(found.columns),
        "rows": found.rows,
        "rows_without_number": found.without,
        "found": found.found,
        "repeated": found.found - different,
        "already": different - new,
        "new": new,
        "findings": [asdict(finding) for finding in found.findings],
    }


def _print(document: dict[str, Any], lines: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        console.print_json(document)
        return

    for name, count in lines.items():
        console.paper.print(f"{name}: {count:,}")


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
