"""bandcast errors: what the provider's codes of failed messages mean, and what to do."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jobs import console, options
from pipeline.bandwidth.error_codes import (
    Billed,
    Detector,
    ErrorCode,
    error_codes,
    find,
    presume,
)
from pipeline.errors import UsageError

_BILLED = {Billed.YES: "billed", Billed.NO: "free", Billed.UNKNOWN: "perhaps billed"}
_FINDERS = {Detector.BANDWIDTH: "Bandwidth", Detector.CARRIER: "the carrier"}


def run(
    code: Annotated[
        int | None,
        typer.Argument(help="A code, as in the column error_code; none lists all of them."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Explain an error code of the provider, or list all of them."""
    if code is None:
        _list(as_json=as_json)
        return

    if not 4000 <= code <= 5999 and not 9000 <= code <= 9999:
        raise UsageError(
            f"{code} is no error code of a message: they have four digits and begin with 4, 5 or 9"
        )

    found = find(code) or presume(code)
    if as_json:
        console.print_json(_as_json(found))
        return

    console.paper.print(f"[bold]{found.code}[/] {found.name}")
    console.paper.print(
        f"{found.error_class}, found by {_FINDERS[found.detected_by]}, {_BILLED[found.billed]}"
    )
    console.paper.print(f"{found.sentence}.")


def _list(*, as_json: bool) -> None:
    if as_json:
        console.print_json({"codes": [_as_json(code) for code in error_codes().values()]})
        return

    for each in error_codes().values():
        console.paper.print(f"{each.code}  {each.error_class:<9}  {each.means}")


def _as_json(code: ErrorCode) -> dict[str, Any]:
    return {
        "code": code.code,
        "name": code.name,
        "class": code.error_class.value,
        "billed": code.billed.value,
        "detected_by": code.detected_by.value,
        "means": code.means,
        "remedy": code.remedy,
    }
