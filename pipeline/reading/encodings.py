"""Which encoding a text file has: by its byte order mark, by its bytes, last by evidence.

Nothing is decoded with losses: what cannot be decoded carries `UNDECODABLE` until it is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

#: Stands for bytes that cannot be decoded; no decoder ever returns a lone surrogate.
UNDECODABLE = "\udc80"
#: The error handler (`codecs`) that puts it there.
MARKING = "bandcast-mark"

UTF8 = "utf-8"

_BOMS = (  # the longer first: UTF-32 LE begins like UTF-16 LE
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: The mark of UTF-8 where somebody took it for letters.
_MARK_AS_LETTERS = codecs.BOM_UTF8.decode("cp1252")
#: A character of UTF-8 that was cut off; in no older encoding would a word of small letters end so.
_CUT_OFF = re.compile(rb"[a-z][\xc2\xc3](?![A-Za-z\x80-\xff])")
#: What a right character counts beneath the mark of UTF-8: a few are right by chance.
_MARKED_WEIGHT = 4
_MIN_NUL_SHARE = 0.25  # of the high bytes in UTF-16 text that has digits and delimiters
_MAX_NUL_SHARE = 0.02  # of the low bytes

#: What is worth a guess, the likeliest first.
_LEGACY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac_roman", "shift_jis", "gb18030",
           "euc_jp", "big5", "euc_kr", "koi8_r", "cp850")  # fmt: skip
_EVIDENCE_BYTES = 1 << 15
_CHUNK_BYTES = 1 << 20
_SMALL = "a-zß-öø-ÿ"
_SIGNS = "¡-¿‐-—†-⁞€-⅏∂-≥"  # among letters only by a wrong guess; ’ stands there rightly
#: What no language writes: a capital or a sign inside a small word, Latin letters among Greek or
#: Cyrillic ones, four accented letters in a row, signs that begin the letters of Japanese.
_ODD = re.compile(
    f"(?<=[A-Z{_SMALL}])[À-ÖØ-ÞŒŠŽŸ{_SIGNS}](?=[{_SMALL}])"
    "|[A-Za-z][Ͱ-ӿ]|[Ͱ-ӿ][A-Za-z]|[À-ÖØ-öø-ɏ]{4}"
    r"|[ƒ†‡ˆ‰˜]|\w[‚„‘]"
)


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNDECODABLE, error.end


codecs.register_error(MARKING, _mark)


def sniff_encoding(head: bytes, *, is_whole: bool) -> str | None:
    """Return the encoding of a file that begins with `head`; None where it takes evidence."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding

    is_marked = head.startswith(codecs.BOM_UTF8)
    if not is_marked and (by_zeros := _utf16_by_zeros(head)):
        return by_zeros

    return None if UNDECODABLE in decode(head, UTF8, is_whole=is_whole) else UTF8


def decode(head: bytes, encoding: str, *, is_whole: bool) -> str:
    """Decode the beginning of a file, without its byte order mark; `UNDECODABLE` marks the rest."""
    decoder = codecs.getincrementaldecoder(encoding)(errors=MARKING)
    return decoder.decode(head.removeprefix(codecs.BOM_UTF8), final=is_whole)


def skip_mark(file: BinaryIO) -> None:
    """Go behind the byte order mark of UTF-8 at the beginning of a file, whatever follows it."""
    if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        file.seek(0)


def without_marks(text: str) -> str:
    """Return the beginning of a text without further marks, and without one taken for letters."""
    return text.lstrip("\ufeff").removeprefix(_MARK_AS_LETTERS)


def transcode(path: Path, encoding: str, target: Path) -> bool:
    """Write a file anew as UTF-8, in pieces; False as soon as something cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)(errors=MARKING)
    with path.open("rb") as source, target.open("wb") as copy:
        skip_mark(source)
        while True:
            chunk = source.read(_CHUNK_BYTES)
            text = decoder.decode(chunk, final=not chunk)
            if UNDECODABLE in text:
                return False

            copy.write(text.encode())
            if not chunk:
                return True


def legacy_encoding(path: Path) -> str | None:
    """Return which older encoding a file that is not UTF-8 most likely has.

    Returns:
        None where it is rather UTF-8 with a broken place, or nothing fits.
    """
    marked = b"".join(_evidence(path))
    evidence = marked.removeprefix(codecs.BOM_UTF8)
    valid = len(_CUT_OFF.findall(evidence))
    valid += sum(not character.isascii() for character in evidence.decode(UTF8, errors="ignore"))
    broken = evidence.decode(UTF8, errors=MARKING).count(UNDECODABLE)
    if valid * (1 if evidence == marked else _MARKED_WEIGHT) >= broken:
        return None

    guesses = [
        (_oddities(str(match)), -round(match.coherence, 1), match.chaos, _LEGACY.index(name))
        for match in from_bytes(evidence, cp_isolation=list(_LEGACY))
        for name in match.could_be_from_charset
        if name in _LEGACY
    ]
    guesses += _western_guess(evidence)
    return _LEGACY[min(guesses)[-1]] if guesses else None


def _western_guess(evidence: bytes) -> Iterator[tuple[int, float, float, int]]:
    """Yield the likeliest of all encodings as a guess, by how odd its letters are alone."""
    try:
        yield _oddities(evidence.decode(_LEGACY[0])), 0.0, 0.0, 0
    except UnicodeDecodeError:
        return


def _utf16_by_zeros(head: bytes) -> str | None:
    high, low = head[1::2], head[::2]
    if not high:
        return None

    in_high, in_low = high.count(0), low.count(0)
    fewest, most = _MIN_NUL_SHARE * len(high), max(1, _MAX_NUL_SHARE * len(high))
    if in_high >= max(2, fewest) and in_low <= most:
        encoding = "utf-16-le"
    elif in_low >= max(2, fewest) and in_high <= most:
        encoding = "utf-16-be"
    else:
        return None

    ends = {"\r", "\n"}.intersection(decode(head, encoding, is_whole=False))
    return encoding if ends or not {0x0A, 0x0D}.intersection(head) else None


def _evidence(path: Path) -> Iterator[bytes]:
    """Yield lines that are not ASCII, until there are enough of them."""
    size, rest = 0, b""
    with path.open("rb") as file:
        while (chunk := file.read(_CHUNK_BYTES)) and size < _EVIDENCE_BYTES:
            chunk, rest = rest + chunk, b""
            if chunk.isascii():
                continue

            lines = re.split(rb"[\r\n]+", chunk)
            rest = lines.pop()[-_EVIDENCE_BYTES:]
            for line in lines:
                if not line.isascii() and size < _EVIDENCE_BYTES:
                    size += len(line) + 1
                    yield line[:_EVIDENCE_BYTES] + b"\n"

    if not rest.isascii() and size < _EVIDENCE_BYTES:
        yield rest


def _oddities(text: str) -> int:
    return len(_ODD.findall(text))
