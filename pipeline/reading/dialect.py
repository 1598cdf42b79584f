"""How the cells of a text file are written, decided from many lines and never from the first alone.

Reads a sample of the text; the quote is always `"`, as in RFC 4180.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from pipeline.errors import InputError
from pipeline.model import FileFormat
from pipeline.reading.encodings import without_marks
from pipeline.reading.headers import has_phone_number
from pipeline.reading.reading import MAX_CHARACTERS

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE_ROWS = 500
_HINT = re.compile(r'\s*"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x19\x1c-\x1f\x7f\ufffe\uffff]")
_MAX_CONTROL_SHARE = 0.01
_MAX_NUL_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How to take a text file apart."""

    delimiter: str
    #: Blanks between a delimiter and an opening quote are not part of the cell.
    skips_blanks: bool
    has_header: bool
    #: The first row, header or not.
    first: tuple[str, ...]
    #: How many cells a row has: of the header, or of most rows.
    width: int
    #: The first line of the file is the first row, and all of it.
    starts_plainly: bool
    #: The file begins with Excel's ``sep=;``.
    has_hint: bool
    #: Lines end in CR CR LF, as a file does that was translated twice.
    has_double_ends: bool


def sniff_dialect(text: str, file_format: FileFormat, *, is_whole: bool, file: str) -> Dialect:
    """Decide how a file is written.

    Args:
        text: the beginning of the file.
        file_format: what the user says about it.
        is_whole: there is no more of it than `text`.
        file: names the file in an error.

    Raises:
        InputError: this is no text, or has no line that ends.
    """
    text = _complete_lines(text, is_whole=is_whole, file=file)
    _require_text(text, file)
    plain = without_marks(text)
    hint = _HINT.fullmatch(_first_line(plain))
    body = plain[hint.end() :] if hint else plain
    delimiter = file_format.delimiter or (hint[1] if hint else _best_delimiter(body))
    skips_blanks = _has_blanks_before_quotes(body, delimiter)
    rows = list(_rows(body, delimiter, skips_blanks=skips_blanks))
    if not rows:
        raise InputError("the file is empty; the first line must name the columns", file=file)

    has_header = file_format.header
    if has_header is None:
        has_header = not has_phone_number(rows[0])

    return Dialect(
        delimiter=delimiter,
        skips_blanks=skips_blanks,
        has_header=has_header,
        first=tuple(rows[0]),
        width=len(rows[0]) if has_header else _usual_width(rows),
        starts_plainly=body == text and _is_plain(text, delimiter, rows[0]),
        has_hint=hint is not None,
        has_double_ends=text.count("\r\r\n") * 2 > text.count("\n"),
    )


def _complete_lines(text: str, *, is_whole: bool, file: str) -> str:
    if is_whole:
        return text

    end = max(text.rfind("\n"), text.rfind("\r"))
    if end < 0 or not text[:end].strip("\r\n\0 "):
        raise InputError(
            f"no line ends within the first {len(text):,} characters; is this a table?", file=file
        )

    return text[: end + 1]


def _require_text(text: str, file: str) -> None:
    controls, zeros = len(_CONTROLS.findall(text)), text.rstrip("\0").count("\0")
    if controls > 2 + len(text) * _MAX_CONTROL_SHARE or zeros > 8 + len(text) * _MAX_NUL_SHARE:
        raise InputError(
            "this is no text but a binary file of a kind that cannot be read; "
            "give CSV, Parquet, Excel or NDJSON",
            file=file,
        )


def _first_line(text: str) -> str:
    return _LINE_END.split(text.lstrip("\r\n"), maxsplit=1)[0]


def _best_delimiter(text: str) -> str:
    """Return the delimiter by which most rows have equally many cells, as the first row has."""
    return max(DELIMITERS, key=lambda delimiter: _fitness(text, delimiter))


def _fitness(text: str, delimiter: str) -> tuple[float, int]:
    widths = [len(row) for row in _rows(text, delimiter)]
    several = Counter(width for width in widths if width > 1)
    if not several:
        return 0.0, 0

    width = widths[0] if widths[0] > 1 and several[widths[0]] > 1 else several.most_common(1)[0][0]
    agreement = several[width] / len(widths)
    return agreement + (0.5 if widths[0] == width else 0.0), width


def _rows(text: str, delimiter: str, *, skips_blanks: bool = False) -> Iterator[list[str]]:
    """Yield the first rows that are not blank; whatever is broken ends them."""
    csv.field_size_limit(MAX_CHARACTERS)
    reader = csv.reader(
        StringIO(text.replace("\0", ""), newline=""),
        delimiter=delimiter,
        skipinitialspace=skips_blanks,
    )
    try:
        yield from (row for row in islice(reader, _SAMPLE_ROWS) if "".join(row).strip())
    except csv.Error:
        return


def _has_blanks_before_quotes(text: str, delimiter: str) -> bool:
    quote = re.escape(delimiter) + r' +"'
    return (
        delimiter != " "
        and re.search(rf'{quote}[^"\r\n]*"(?:{re.escape(delimiter)}|[\r\n]|$)', text) is not None
    )


def _usual_width(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _is_plain(text: str, delimiter: str, first: list[str]) -> bool:
    """Tell whether the first line is the first row, so that any reader takes it the same way."""
    line = text[: text.find("\n")].removesuffix("\r") if "\n" in text else text
    cell = rf'(?:[^"{re.escape(delimiter)}\r\n\0]*|"(?:[^"\r\n\0]|"")*")'
    pattern = rf"{cell}(?:{re.escape(delimiter)}{cell}){{{len(first) - 1}}}"
    return bool(line.strip()) and re.fullmatch(pattern, line) is not None
