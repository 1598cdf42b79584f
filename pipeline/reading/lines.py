"""The lines of a text file, decoded in pieces: never more than one line is held.

CR, LF and CRLF end a line, in any mixture. What no text should hold is noticed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from pipeline.reading.encodings import MARKING, UNDECODABLE, skip_mark, without_marks
from pipeline.reading.reading import MAX_CHARACTERS


class LineTooLongError(Exception):
    """A line has more than `MAX_CHARACTERS` characters."""


class Lines:
    """An iterator over lines with their ends, which remembers what was odd since it was asked."""

    def __init__(self, file: TextIO, *, has_double_ends: bool) -> None:
        self._file = file
        self._has_double_ends = has_double_ends
        self._after_lone_return = False
        self._is_first = True
        #: NULs were taken out of a line; set back by the reader.
        self.had_zeros = False
        #: So they were, or a line holds `UNDECODABLE`; set back by the reader.
        self.is_odd = False
        #: How many lines end in a lone CR.
        self.lone_returns = 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines.

        Raises:
            LineTooLongError: one does not end.
        """
        while line := self._file.readline(MAX_CHARACTERS):
            if len(line) == MAX_CHARACTERS:
                raise LineTooLongError

            if self._is_first:
                line, self._is_first = without_marks(line), False

            if line[-1:] == "\r":
                self.lone_returns += 1

            if self._has_double_ends and self._is_half_an_end(line):
                continue

            if "\0" in line:
                self.had_zeros = self.is_odd = True
                line = line.replace("\0", "")

            if UNDECODABLE in line:
                self.is_odd = True

            yield line

    def _is_half_an_end(self, line: str) -> bool:
        """Tell whether this is the CR LF of a CR CR LF, whose first CR has ended the line."""
        is_half = self._after_lone_return and line == "\r\n"
        self._after_lone_return = line[-1:] == "\r"
        return is_half


@contextmanager
def open_lines(path: Path, encoding: str, *, has_double_ends: bool) -> Iterator[Lines]:
    """Open a text file; a byte order mark is no part of its first line."""
    with path.open("rb") as source:
        skip_mark(source)
        file = TextIOWrapper(source, encoding=encoding, errors=MARKING, newline="")
        yield Lines(file, has_double_ends=has_double_ends)
