"""How the provider's count differs from the estimate: in a line, in a list, for a program."""

from __future__ import annotations

from typing import Any

from jobs import console
from pipeline.campaign import ResultFiles
from pipeline.settle.recounts import Cause
from pipeline.spelling import counted

#: A cause, as what the provider may have done.
_PERHAPS = {
    Cause.ONE_PART_TOLD: "the answers were lost, and the receipts speak of one part only",
    Cause.MMS_AS_SMS: "MMS billed by their text, as SMS",
    Cause.PAIRS_SPLIT: "the length divided, so that parts end inside of a pair",
    Cause.LONG_HEADERS: "parts with 16-bit references: 152 or 66 units, not 153 or 67",
    Cause.PAIRS_AS_ONE: "characters of two units (^ { } [ ] ~ | \\ € or emoji) counted as one",
    Cause.UCS2_FOR_GSM7: "sent as UCS-2, though GSM-7 has all the characters",
    Cause.CHARACTERS_REPLACED: "typographic characters or accents replaced, so that GSM-7 fits",
    Cause.GSM7_FOR_UCS2: "sent as GSM-7, with a septet for each foreign character",
    Cause.SMS_AS_MMS: "long texts billed as one, as an MMS is",
    Cause.UNKNOWN: "no rule that bandcast knows explains it",
}


def drift_line(files: ResultFiles, currency: str) -> str:
    """Return all of the drift in one line: messages, segments, money."""
    return _spelled(*_sums(files), currency)


def print_drift(files: ResultFiles, currency: str) -> None:
    """Tell a person what was counted otherwise, by cause, and where the rows are."""
    console.paper.print(
        f"[bold]Counted otherwise by the provider[/]: {drift_line(files, currency)}; "
        "by what may be the cause:"
    )
    for group in files.drift:
        sums = (group.messages, group.segments_difference, group.cost_micros_difference)
        told = f"  {_spelled(*sums, currency)}: {_PERHAPS[group.cause]}"
        console.paper.print(told, markup=False)

    console.paper.print(f"  each of them: {files.drift_csv}", markup=False)


def drift_json(files: ResultFiles) -> dict[str, Any]:
    """Return the drift as the document of a command has it; without one its sums are zero."""
    messages, segments, cost_micros = _sums(files)
    return {
        "messages": messages,
        "segments_difference": segments,
        "cost_difference": cost_micros / 1e6,
        "causes": [
            {
                "cause": group.cause.value,
                "messages": group.messages,
                "segments_difference": group.segments_difference,
                "cost_difference": group.cost_micros_difference / 1e6,
            }
            for group in files.drift
        ],
        "rows": str(files.drift_csv) if files.drift else None,
    }


def _sums(files: ResultFiles) -> tuple[int, int, int]:
    return (
        sum(group.messages for group in files.drift),
        sum(group.segments_difference for group in files.drift),
        sum(group.cost_micros_difference for group in files.drift),
    )


def _spelled(messages: int, segments: int, cost_micros: int, currency: str) -> str:
    sign = "+" if cost_micros > 0 else ""
    cost = console.money(cost_micros / 1e6, currency)
    change = counted(segments, "segment", is_change=True)
    return f"{counted(messages, 'message')}, {change}, {sign}{cost}"
