"""What a file is, by its first bytes and never by its name alone: suffixes lie.

Knows what can be read and what people try instead; opens nothing.
"""

from __future__ import annotations

import re
from enum import StrEnum

from pipeline.errors import InputError


class Kind(StrEnum):
    """How a file keeps its rows."""

    TEXT = "text"  #: cells between delimiters
    PARQUET = "parquet"
    WORKBOOK = "workbook"  #: Excel, and what its readers read
    NDJSON = "ndjson"  #: an object a line


class Packing(StrEnum):
    """How a file is compressed."""

    GZIP = "gzip"
    ZSTD = "zstd"


_PACKINGS = {b"\x1f\x8b": Packing.GZIP, b"\x28\xb5\x2f\xfd": Packing.ZSTD}

_ZIP = b"PK\x03\x04"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and a workbook with a password

_SAVE_AS = "; open it in the program it comes from and save it as 'CSV UTF-8'"
#: First bytes -> what people call such a file.
_REFUSED = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "a text document (RTF)",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow file",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"7z\xbc\xaf": "packed with 7-Zip",
    b"Rar!": "packed with RAR",
    b"PK\x05\x06": "an empty ZIP archive",
    b"\x04\x22\x4d\x18": "packed with LZ4",
}
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|table|svg)\b", re.IGNORECASE)
_JSON_ARRAY = re.compile(rb"\s*\[\s*[\{\[]")
_JSON_OBJECT = re.compile(rb'\s*\{\s*(?:"|\}|$)')
_BOM_UTF8 = b"\xef\xbb\xbf"


def packing_of(head: bytes) -> Packing | None:
    """Return how a file that begins with `head` is compressed; None where it is not."""
    return next((packing for magic, packing in _PACKINGS.items() if head.startswith(magic)), None)


def kind_of(head: bytes, *, file: str) -> Kind:
    """Return what a file that begins with `head` (some kilobytes) is.

    Raises:
        InputError: nothing that holds recipients.
    """
    if head.startswith(b"PAR1"):
        return Kind.PARQUET

    if head.startswith((_ZIP, _COMPOUND_FILE)):
        return Kind.WORKBOOK

    for magic, name in _REFUSED.items():
        if head.startswith(magic):
            raise InputError(f"this is no list of recipients but {name}{_SAVE_AS}", file=file)

    text = head.removeprefix(_BOM_UTF8)
    if _MARKUP.match(text):
        raise InputError(f"this is a web page or XML, whatever its name says{_SAVE_AS}", file=file)

    if _JSON_ARRAY.match(text):
        raise InputError(
            "this is one JSON array; write one object a line (NDJSON), without the brackets",
            file=file,
        )

    return Kind.NDJSON if _JSON_OBJECT.match(text) else Kind.TEXT
