"""How many segments a text is: one text by a walk, millions by arithmetic that walks where it must.

A radio message has 140 bytes. A part of a long text begins with a header (3GPP TS 23.040,
9.2.3.24.1), and an escape pair or a surrogate pair is never split, so a part may end one unit
early. Both counters share the alphabet, `capacity` and, where it matters, the walk.

    header                            septets   code units
    none, a single message              160         70
    6 bytes, 8-bit references           153         67
    7 bytes, 16-bit references          152         66
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from pipeline.model import Channel, Encoding
from pipeline.prepare import alphabet, columns

HEADER_BYTES = 6  #: of a part, with 8-bit references: what networks use unless told otherwise
HEADER_BYTES_16_BIT = 7  #: of a part, with 16-bit references
MAX_HEADER_BYTES = 136  #: leaves room for a pair in either encoding

_MESSAGE_BYTES = 140
_BITS_PER_UNIT = {Encoding.GSM7: 7, Encoding.UCS2: 16}

_PAIRS_UCS2 = r"[\x{10000}-\x{10ffff}]"
_ODD = columns.WORKING + "odd"
_SEEN = columns.WORKING + "seen"  # Int32: characters of two units; -1 minus them where UCS-2
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
    #: What still fits into the last part.
    units_left: int


def capacity(encoding: Encoding, *, header_bytes: int = 0) -> int:
    """Return the units that fit into one message, or into a part with a header of this length.

    Raises:
        ValueError: no message has room for such a header.
    """
    if not 0 <= header_bytes <= MAX_HEADER_BYTES:
        raise ValueError(f"a header has 0 to {MAX_HEADER_BYTES} bytes, not {header_bytes}")

    return (_MESSAGE_BYTES - header_bytes) * 8 // _BITS_PER_UNIT[encoding]


def units_of(text: str, encoding: Encoding) -> int:
    """Return the septets or UTF-16 code units of a text that can be encoded so."""
    if encoding is Encoding.GSM7:
        return len(text) + sum(map(text.count, alphabet.EXTENSION))

    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def count_segments(text: str, *, header_bytes: int = HEADER_BYTES) -> Segmentation:
    """Cut one text into the parts a handset receives.

    A lone surrogate, which no polars String can hold, is one code unit of UCS-2.

    Args:
        text: an SMS; an MMS is not cut.
        header_bytes: of each part of a long message.
    """
    encoding = Encoding.GSM7 if alphabet.GSM7.issuperset(text) else Encoding.UCS2
    parts = cut(text, encoding, header_bytes=header_bytes)
    room = capacity(encoding, header_bytes=header_bytes if len(parts) > 1 else 0)
    return Segmentation(
        encoding=encoding,
        units=units_of(text, encoding),
        segments=len(parts),
        parts=tuple(parts),
        units_left=room - units_of(parts[-1], encoding),
    )


def cut(text: str, encoding: Encoding, *, header_bytes: int = HEADER_BYTES) -> list[str]:
    """Cut a text that is sent in this encoding; one that fits into a message stays whole."""
    if units_of(text, encoding) <= capacity(encoding):
        return [text]

    return _walk(text, encoding, capacity(encoding, header_bytes=header_bytes))


def add_segments(
    lf: pl.LazyFrame,
    text: str = columns.TEXT,
    *,
    pieces: Sequence[pl.Expr] = (),
    header_bytes: int = HEADER_BYTES,
) -> pl.LazyFrame:
    """Count every text.

    Args:
        lf: has `channel`; an MMS is always one segment.
        text: the column to count (String).
        pieces: String; they hold, together and each as often, all characters of the text that are
            not one septet (see `template.Rendering.pieces`); without any the text is looked at.
        header_bytes: of each part of a long message.

    Returns:
        The frame with `encoding` (Enum), `units` (Int32) and `segments` (Int32), null where the
        text is null.
    """
    looked_at = pl.concat_str(pieces, ignore_nulls=True) if pieces else pl.col(text)
    # A batch at a time, because most texts are plain, and only the others are looked at closely.
    seen = looked_at.map_batches(_look, return_dtype=pl.Int32, is_elementwise=True)
    is_ucs2, pairs = pl.col(_SEEN) < 0, pl.col(_SEEN)
    return (
        lf.with_columns(seen.alias(_SEEN))
        .with_columns(
            is_ucs2.alias(_UCS2), pl.when(is_ucs2).then(-1 - pairs).otherwise(pairs).alias(_PAIRS)
        )
        .with_columns(
            pl.when(pl.col(text).is_not_null())
            .then(_by_encoding(lambda encoding: pl.lit(encoding.value, columns.ENCODING_TYPE)))
            .alias(columns.ENCODING),
            (pl.col(text).str.len_chars().cast(pl.Int32) + pl.col(_PAIRS)).alias(columns.UNITS),
        )
        .with_columns(_segments(text, header_bytes).alias(columns.SEGMENTS))
        .drop(_SEEN, _UCS2, _PAIRS)
    )


def _walk(text: str, encoding: Encoding, room: int) -> list[str]:
    """Fill each part with whole characters; no other way of cutting needs fewer parts."""
    parts, start = [], 0
    while start < len(text):
        end = min(start + room, len(text))
        while (excess := units_of(text[start:end], encoding) - room) > 0:
            end -= (excess + 1) // 2  # a character has two units at most: never too many at once

        parts.append(text[start:end])
        start = end

    return parts


def _look(texts: pl.Series) -> pl.Series:
    """Return `_SEEN` of each text; a plain one, a septet a character, has no pairs."""
    odd = alphabet.beyond_ascii_or(alphabet.odd_ascii(), texts)
    nothing, places = pl.zeros(texts.len(), pl.Int32, eager=True), odd.arg_true()
    ucs2 = pl.col(_ODD).str.count_matches(_PAIRS_UCS2)
    gsm7 = pl.sum_horizontal(pl.col(_ODD).str.count_matches(each) for each in alphabet.PAIRS)
    is_ucs2 = pl.col(_ODD).str.contains(alphabet.NOT_GSM7)
    seen = pl.when(is_ucs2).then(-1 - ucs2.cast(pl.Int32)).otherwise(gsm7.cast(pl.Int32))
    return nothing.scatter(places, texts.gather(places).to_frame(_ODD).select(seen).to_series())


def _segments(text: str, header_bytes: int) -> pl.Expr:
    """Return the count, by two bounds that are equal for all but some two rows in a thousand.

    Every part but the last is full or one unit short, and a pair wastes one unit at most.
    """
    units, pairs = pl.col(columns.UNITS), pl.col(_PAIRS)

    def fits(encoding: Encoding) -> pl.Expr:
        return units <= capacity(encoding)

    def low(encoding: Encoding) -> pl.Expr:
        return _ceil_div(units, capacity(encoding, header_bytes=header_bytes))

    def high(encoding: Encoding) -> pl.Expr:
        part = capacity(encoding, header_bytes=header_bytes)
        return pl.min_horizontal(_ceil_div(units, part - 1), _ceil_div(units + pairs, part))

    is_one = _by_encoding(fits) | (pl.col(columns.CHANNEL) == Channel.MMS.value)
    least = _by_encoding(low)
    open_question = pl.when(~is_one & (least != _by_encoding(high))).then(text)
    walked = (
        open_question.map_batches(  # Python, because the walk is sequential; such rows are rare
            partial(_count_by_walk, header_bytes=header_bytes),
            return_dtype=pl.Int32,
            is_elementwise=True,
        )
    )
    counted = pl.when(is_one).then(pl.lit(1, pl.Int32)).otherwise(pl.coalesce(walked, least))
    return pl.when(pl.col(text).is_not_null()).then(counted)


def _count_by_walk(texts: pl.Series, *, header_bytes: int) -> pl.Series:
    nothing = pl.repeat(None, texts.len(), dtype=pl.Int32, eager=True)
    if texts.null_count() == texts.len():
        return nothing

    places = texts.is_not_null().arg_true()
    counts = [
        count_segments(text, header_bytes=header_bytes).segments for text in texts.gather(places)
    ]
    return nothing.scatter(places, counts)


def _by_encoding(value: Callable[[Encoding], pl.Expr]) -> pl.Expr:
    return pl.when(pl.col(_UCS2)).then(value(Encoding.UCS2)).otherwise(value(Encoding.GSM7))


def _ceil_div(units: pl.Expr, part: int) -> pl.Expr:
    return (units + (part - 1)) // part
