"""How many segments a text is: one text by a walk, millions by arithmetic that walks where it must.

A part of a long message carries a header of six bytes: 153 septets or 67 UTF-16 code units remain
(3GPP TS 23.040, 9.2.3.24.1). An escape pair or a surrogate pair is never split, so a part may end
one unit early. Both counters share the alphabet, the capacities and, where it matters, the walk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.model import Channel, Encoding
from pipeline.prepare import alphabet, columns

_SINGLE_UNITS = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_PART_UNITS = {Encoding.GSM7: 153, Encoding.UCS2: 67}

_LAST_BMP_CHARACTER = "\uffff"
_PAIRS_UCS2 = r"[\x{10000}-\x{10ffff}]"
_PAIRS_GSM7 = tuple(
    alphabet.character_class(characters)
    for characters in (
        [character for character in alphabet.EXTENSION if character.isascii()],
        [character for character in alphabet.EXTENSION if not character.isascii()],
    )
)
_NOT_GSM7 = alphabet.character_class(alphabet.GSM7, negated=True)
_ODD_ASCII = tuple(alphabet.small_classes(alphabet.odd_ascii()))

_ODD = columns.WORKING + "odd"
_UCS2 = columns.WORKING + "ucs2"
_PAIRS = columns.WORKING + "pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """How one text travels as SMS."""

    encoding: Encoding
    #: Septets (GSM-7, an extension character is two) or UTF-16 code units (UCS-2).
    units: int
    #: What is billed; an empty text is one.
    segments: int
    #: The texts of the parts; together they are the text.
    parts: tuple[str, ...]


def count_segments(text: str) -> Segmentation:
    """Cut one text into the parts a handset receives.

    A lone surrogate, which no polars String can hold, is one code unit of UCS-2.
    """
    encoding = Encoding.GSM7 if alphabet.GSM7.issuperset(text) else Encoding.UCS2
    widths = [_width(character, encoding) for character in text]
    parts = [text] if sum(widths) <= _SINGLE_UNITS[encoding] else _walk(text, widths, encoding)
    return Segmentation(
        encoding=encoding, units=sum(widths), segments=len(parts), parts=tuple(parts)
    )


def add_segments(lf: pl.LazyFrame, text: str = columns.TEXT) -> pl.LazyFrame:
    """Count every text.

    Args:
        lf: has `channel` (String); an MMS is always one segment.
        text: the column to count (String).

    Returns:
        The frame with `encoding` (String), `units` (Int32) and `segments` (Int32), null where the
        text is null.
    """
    return (
        lf.with_columns(_odd_text(pl.col(text)).alias(_ODD))
        .with_columns(pl.col(_ODD).str.contains(_NOT_GSM7).alias(_UCS2))
        .with_columns(_pairs().cast(pl.Int32).alias(_PAIRS))
        .with_columns(
            pl.when(pl.col(text).is_not_null())
            .then(_by_encoding({encoding: encoding.value for encoding in Encoding}))
            .alias(columns.ENCODING),
            (pl.col(text).str.len_chars().cast(pl.Int32) + pl.col(_PAIRS)).alias(columns.UNITS),
        )
        .with_columns(_segments(text).alias(columns.SEGMENTS))
        .drop(_ODD, _UCS2, _PAIRS)
    )


def capacity(encoding: Encoding, segments: int) -> int:
    """Return how many units so many segments hold at most."""
    return _SINGLE_UNITS[encoding] if segments == 1 else segments * _PART_UNITS[encoding]


def _width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in alphabet.EXTENSION else 1

    return 2 if character > _LAST_BMP_CHARACTER else 1


def _walk(text: str, widths: list[int], encoding: Encoding) -> list[str]:
    """Fill each part with whole characters; no other way of cutting needs fewer parts."""
    capacity = _PART_UNITS[encoding]
    parts, start, used = [], 0, 0
    for position, width in enumerate(widths):
        if used + width > capacity:
            parts.append(text[start:position])
            start, used = position, 0

        used += width

    return [*parts, text[start:]]


def _odd_text(text: pl.Expr) -> pl.Expr:
    """Return the texts that need a closer look; a plain one, a septet a character, becomes ''.

    '' and not null, since `contains` also scans what lies hidden under a null.
    """
    odd = text.str.len_bytes() != text.str.len_chars()
    for pattern in _ODD_ASCII:
        odd |= text.str.contains(pattern)

    return pl.when(odd).then(text).otherwise(pl.lit(""))


def _pairs() -> pl.Expr:
    odd = pl.col(_ODD)
    gsm7 = pl.sum_horizontal(odd.str.count_matches(pattern) for pattern in _PAIRS_GSM7)
    return pl.when(pl.col(_UCS2)).then(odd.str.count_matches(_PAIRS_UCS2)).otherwise(gsm7)


def _segments(text: str) -> pl.Expr:
    """Return the count, by two bounds that are equal for all but some two rows in a thousand.

    Every part but the last is full or one unit short, and a pair wastes one unit at most.
    """
    units, pairs = pl.col(columns.UNITS), pl.col(_PAIRS)
    part = _by_encoding(_PART_UNITS).cast(pl.Int32)
    low = _ceil_div(units, part)
    high = pl.min_horizontal(_ceil_div(units, part - 1), _ceil_div(units + pairs, part))
    single = (units <= _by_encoding(_SINGLE_UNITS)) | (pl.col(columns.CHANNEL) == Channel.MMS.value)
    open_question = pl.when(~single & (low != high)).then(text)
    walked = (
        open_question.map_batches(  # Python, because the walk is sequential; such rows are rare
            _count_by_walk, return_dtype=pl.Int32, is_elementwise=True
        )
    )
    counted = pl.when(single).then(pl.lit(1, pl.Int32)).otherwise(pl.coalesce(walked, low))
    return pl.when(pl.col(text).is_not_null()).then(counted)


def _count_by_walk(texts: pl.Series) -> pl.Series:
    if texts.null_count() == texts.len():
        return pl.Series(texts.name, [], pl.Int32).extend_constant(None, texts.len())

    counts = [None if text is None else count_segments(text).segments for text in texts]
    return pl.Series(texts.name, counts, pl.Int32)


def _by_encoding(values: Mapping[Encoding, int] | Mapping[Encoding, str]) -> pl.Expr:
    return (
        pl.when(pl.col(_UCS2))
        .then(pl.lit(values[Encoding.UCS2]))
        .otherwise(pl.lit(values[Encoding.GSM7]))
    )


def _ceil_div(units: pl.Expr, part: pl.Expr) -> pl.Expr:
    return (units + part - 1) // part
