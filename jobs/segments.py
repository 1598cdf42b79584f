"""bandcast segments: how a text travels, and what it takes."""

from __future__ import annotations

import unicodedata
from typing import Annotated

import typer

from jobs import console, options
from pipeline.model import Encoding
from pipeline.prepare.segments import count_segments


def run(
    text: Annotated[str, typer.Argument(help="The text of a message.", show_default=False)],
    as_json: options.Json = False,
) -> None:
    """Count the segments of a text, and name the characters that make it UCS-2."""
    found = count_segments(text)
    culprits = [
        letter for letter in sorted(set(text)) if count_segments(letter).encoding is Encoding.UCS2
    ]
    named = {
        f"U+{ord(letter):04X}": unicodedata.name(letter, "without a name") for letter in culprits
    }
    if as_json:
        console.print_json(
            {
                "encoding": found.encoding.value,
                "units": found.units,
                "segments": found.segments,
                "parts": list(found.parts),
                "forcing_ucs2": named,
            }
        )
        return

    facts = {"encoding": found.encoding.value, "units": str(found.units)}
    if found.encoding is Encoding.UCS2:
        facts |= {f"UCS-2 because of {code}": name for code, name in named.items()}

    console.print_states("Segments", {"segments": found.segments}, facts)
