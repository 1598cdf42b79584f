"""bandcast segments: how a text travels, and what it takes."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated, Any

import typer

from jobs import console, options
from pipeline.errors import UsageError
from pipeline.model import Encoding
from pipeline.prepare import alphabet
from pipeline.prepare.segments import (
    HEADER_BYTES,
    MAX_HEADER_BYTES,
    Segmentation,
    count_segments,
    units_of,
)

_STDIN = "-"


def run(
    text: Annotated[
        str,
        typer.Argument(
            help="The text of a message; - reads it from stdin, without its last line break.",
            show_default=False,
        ),
    ],
    header_bytes: Annotated[
        int,
        typer.Option(
            min=HEADER_BYTES,
            max=MAX_HEADER_BYTES,
            help="Bytes that each part of a long message loses; 7 where references have 16 bits.",
        ),
    ] = HEADER_BYTES,
    as_json: options.Json = False,
) -> None:
    """Cut a text into its segments, and name the characters that make it UCS-2."""
    text = _text(text)
    found = count_segments(text, header_bytes=header_bytes)
    if as_json:
        console.print_json(_document(found, text))
    else:
        console.print_states("Segments", {"segments": found.segments}, _facts(found, text))


def _text(said: str) -> str:
    """Return the text that was said, or the one on stdin.

    Raises:
        UsageError: it is empty, or no text.
    """
    try:
        if said == _STDIN:
            text = sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
        else:
            text = said.encode().decode()
    except UnicodeError:
        raise UsageError("the text is not UTF-8: set the terminal or save the file so") from None

    if not text:
        raise UsageError("the text is empty: write it in quotes behind 'bandcast segments'")

    return text


def _culprits(text: str) -> list[tuple[str, int]]:
    """Return the characters that are not GSM-7 and how often each is there, the most first."""
    return Counter(letter for letter in text if letter not in alphabet.GSM7).most_common()


def _document(found: Segmentation, text: str) -> dict[str, Any]:
    return {
        "encoding": found.encoding.value,
        "units": found.units,
        "segments": found.segments,
        "parts": list(found.parts),
        "units_left": found.units_left,
        "forcing_ucs2": [
            {
                "character": letter,
                "code_point": alphabet.code_point(letter),
                "name": alphabet.name_of(letter),
                "count": count,
            }
            for letter, count in _culprits(text)
        ],
    }


def _facts(found: Segmentation, text: str) -> dict[str, str]:
    units = [units_of(part, found.encoding) for part in found.parts]
    facts = {
        "encoding": found.encoding.value,
        "units": f"{found.units:,}",
        "left in the last part": f"{found.units_left} of {units[-1] + found.units_left} units",
    }
    for number, (part, taken) in enumerate(zip(found.parts, units, strict=True), start=1):
        lines = map(console.printable, part.split("\n"))
        facts[f"part {number} ({taken} units)"] = "\n".join(lines)

    if found.encoding is Encoding.UCS2:
        for letter, count in _culprits(text):
            name = f"{alphabet.code_point(letter)} {alphabet.name_of(letter)}"
            facts[name] = f"not GSM-7, {f'{count:,} times' if count > 1 else 'once'}"

    return facts
