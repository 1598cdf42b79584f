"""bandcast segments: how a text travels, and what it takes."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated, Any

import typer

from jobs import console, options
from pipeline.errors import UsageError
from pipeline.prepare import alphabet, smart
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
    look_alikes: options.Smart = None,
    accents: options.SmartAccents = None,
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
    written = _text(text)
    table = smart.replacements(look_alikes=bool(look_alikes), accents=bool(accents))
    sent = _not_empty(smart.smart_text(written, table))
    found = count_segments(sent, header_bytes=header_bytes)
    culprits = Counter(letter for letter in sent if letter not in alphabet.GSM7)
    replaced = {
        letter: (table[letter], count)
        for letter, count in Counter(written).items()
        if letter in table and sent != written
    }
    if as_json:
        console.print_json(_document(found, culprits, replaced))
    else:
        facts = _facts(found) | _causes(culprits, replaced)
        console.print_states("Segments", {"segments": found.segments}, facts)


def _text(said: str) -> str:
    """Return the text that was said, or the one on stdin.

    Raises:
        UsageError: it is empty, or no text.
    """
    try:
        if said == _STDIN:
            said = sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
        else:
            said.encode()  # bytes of the command line that are no text arrive as lone surrogates
    except UnicodeError:
        raise UsageError("the text is not UTF-8: set the terminal or save the file so") from None

    return _not_empty(said)


def _not_empty(text: str) -> str:
    if not text:
        raise UsageError("the text is empty: write it in quotes behind 'bandcast segments'")

    return text


def _document(
    found: Segmentation, culprits: Counter[str], replaced: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    return {
        "encoding": found.encoding.value,
        "units": found.units,
        "segments": found.segments,
        "parts": list(found.parts),
        "units_left": found.units_left,
        "forcing_ucs2": [
            alphabet.described(letter) | {"count": count}
            for letter, count in culprits.most_common()
        ],
        "smart": [
            alphabet.described(letter) | {"replacement": replacement, "count": count}
            for letter, (replacement, count) in replaced.items()
        ],
    }


def _facts(found: Segmentation) -> dict[str, str]:
    units = [units_of(part, found.encoding) for part in found.parts]
    facts = {
        "encoding": found.encoding.value,
        "units": f"{found.units:,}",
        "left in the last part": f"{found.units_left} of {units[-1] + found.units_left} units",
    }
    for number, (part, taken) in enumerate(zip(found.parts, units, strict=True), start=1):
        lines = map(console.printable, part.split("\n"))
        facts[f"part {number} ({taken} units)"] = "\n".join(lines)

    return facts


def _causes(culprits: Counter[str], replaced: dict[str, tuple[str, int]]) -> dict[str, str]:
    said = {
        letter: f"not GSM-7, {smart.times_of(count)}" for letter, count in culprits.most_common()
    }
    for letter, (replacement, count) in replaced.items():
        said[letter] = f"{smart.fate_of(replacement)}, {smart.times_of(count)}"

    return {
        f"{alphabet.code_point(letter)} {alphabet.name_of(letter)}": what
        for letter, what in said.items()
    }
