"""Mutated files, by hand: ``python -m tests.reading.fuzz 50000 [seed]``.

Whatever the bytes, the answer is rows or one sentence, within a second; and where Python's csv
module reads the same text in the same dialect, it finds as many rows.
"""

from __future__ import annotations

import csv
import io
import random
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import InputError
from pipeline.reading.files import read_recipients
from tests.files.make import CASES

SECONDS_A_FILE = 1.0
_HANG_SECONDS = 20
_SEEDS = [case.content for case in CASES if len(case.content) < 20_000]
_PIECES = [
    *(
        piece.encode()
        for piece in ('"', '""', ",", ";", "\t", "|", "\r", "\n", "\r\n", "\0", "'", "+1")
    ),
    *(
        piece.encode()
        for piece in ("é", "😀", "=", " ", "\x1a", "{", "}", "[", "sep=;\n", "\\", "*")
    ),
    *(piece.encode() for piece in ("9195550123", '"\n', ',"', '",', "^$", "\ufeff")),
    *(b"\xff", b"\xff\xfe", b"\xe9", b"\xe2\x80"),
]


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Change a file in a few places, as disks, tools and people do."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(data))
        match chance.randrange(9):
            case 0 | 1 | 2:
                data[at:at] = chance.choice(_PIECES)
            case 3:
                del data[at : at + chance.randint(1, 8)]
            case 4:
                data[at : at + 1] = chance.randbytes(1)
            case 5:
                del data[at:]
            case 6:
                data[at:at] = data[: chance.randint(0, 200)]
            case 7:
                other = chance.choice(_SEEDS)
                data[at:] = other[chance.randint(0, len(other)) :]
            case 8:
                piece = chance.choice(_PIECES)
                data = data.replace(piece, chance.choice(_PIECES))[:40_000]

    return bytes(data)


def rows_by_csv(content: bytes, encoding: str, delimiter: str | None, *, skips: bool) -> int | None:
    """Count data rows with the csv module alone; None where it cannot read the text."""
    try:
        text = content.decode(encoding).removeprefix("\ufeff").replace("\0", "")
        rows = list(
            csv.reader(
                io.StringIO(text, newline=""), delimiter=delimiter or ",", strict=True,
                skipinitialspace=skips,
            )
        )  # fmt: skip
    except (UnicodeError, csv.Error):
        return None

    blank = [not row or (len(row) == 1 and bool(row[0]) and not row[0].strip(" \t\x1a\ufeff\u200b"))
             for row in rows]  # fmt: skip
    while blank and blank[-1]:
        blank.pop()

    return len(blank) - (blank.index(False) if False in blank else 0)


def answer(path: Path, content: bytes) -> str:
    """Read one file and judge the answer; return what it was, or complain in capitals."""
    try:
        with read_recipients([path]) as reading:
            height = reading.frame.collect(engine="streaming").height
    except InputError as error:
        return "refused" if str(error) and "\n" not in str(error).replace(str(path), "") else "BAD"

    codes = {finding.code for finding in reading.findings}
    if height != reading.rows:
        return "ROWS DIFFER FROM FRAME"

    is_packed = content[:2] == b"\x1f\x8b" or content[:4] == b"\x28\xb5\x2f\xfd"
    if reading.kind != "text" or is_packed or "line_ends" in codes:
        return f"read ({reading.kind})"

    hint = b"sep=" in content[:64].lower().replace(b"\0", b"")
    expected = rows_by_csv(content, reading.encoding, reading.delimiter,
                           skips="blanks_before_quotes" in codes)  # fmt: skip
    if expected is None or hint or reading.delimiter is None:
        return "read (text, no second opinion)"

    expected -= reading.has_header
    return "read (text, checked)" if expected == height else f"ROWS {height} NOT {expected}"


def main(count: int, seed: int) -> None:
    chance = random.Random(seed)
    answers: Counter[str] = Counter()
    slowest = 0.0
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        for number in range(count):
            content = mutate(chance.choice(_SEEDS), chance)
            path.write_bytes(content)
            signal.alarm(_HANG_SECONDS)
            before = time.monotonic()
            try:
                verdict = answer(path, content)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise

                verdict = f"CRASH {type(error).__name__} {traceback.format_exc().splitlines()[-3:]}"

            seconds = time.monotonic() - before
            slowest = max(slowest, seconds)
            if seconds > SECONDS_A_FILE:
                verdict = "SLOW"

            answers[verdict.split(" [")[0] if verdict.startswith("CRASH") else verdict] += 1
            if verdict[:4].isupper() or verdict[:3].isupper():
                print(number, verdict, content[:300], flush=True)

    print(f"{count} files in {time.monotonic() - started:.0f} s, slowest {slowest:.2f} s")
    for verdict, times in answers.most_common():
        print(f"{times:8} {verdict}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
