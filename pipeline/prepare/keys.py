"""Digests that stay the same for ever: the key of a message, and which variant a recipient gets.

A number becomes another number of 64 bits by steps that can each be undone (xor, multiplication by
an odd number, xor with its own upper half), so two recipients of a campaign never share a key. It
is arithmetic on integers: no release of any library can change it.
"""

from __future__ import annotations

import hashlib
from functools import partial

import polars as pl

_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # odd, from splitmix64 (Steele et al. 2014)
_HALF = 1 << 32
_KEY_BYTES = 16


def message_key(number: str, campaign: str, user_key: pl.Expr | None) -> pl.Expr:
    """Return the key of each message (String): opaque, and unique in its campaign.

    Args:
        number: a column: E.164 without its plus (Int64).
        campaign: the campaign's name.
        user_key: String, the user's key of the row; None where the file has none.

    Returns:
        An m and up to 20 digits; with the user's key 32 hex characters. Null where the number is.
    """
    if user_key is None:
        return pl.lit("m") + _mixed(number, campaign).cast(pl.String)  # no spreadsheet rounds it

    parts = [pl.lit("+") + pl.col(number).cast(pl.String), user_key.str.strip_chars().fill_null("")]
    identity = pl.concat_str(parts, separator="\0")
    return identity.map_batches(  # Python, because polars has no digest that is stable for ever
        partial(_digests, campaign=campaign), return_dtype=pl.String, is_elementwise=True
    )


def share(number: str, label: str, parts: int) -> pl.Expr:
    """Return an integer below `parts` (UInt64) for each number, evenly and for ever."""
    return _mixed(number, label) // _HALF % parts


def _mixed(number: str, label: str) -> pl.Expr:
    digest = hashlib.blake2b(label.encode(), digest_size=16).digest()
    mixed = pl.col(number).cast(pl.UInt64)
    for start, multiplier in zip((0, 8), _MULTIPLIERS, strict=True):
        salt = int.from_bytes(digest[start : start + 8], "big")
        mixed = (mixed ^ pl.lit(salt, pl.UInt64)) * pl.lit(multiplier, pl.UInt64)
        mixed = mixed ^ (mixed // _HALF)

    return mixed


def _digests(identities: pl.Series, *, campaign: str) -> pl.Series:
    keys = [
        None if identity is None else _digest(f"{campaign}\0{identity}") for identity in identities
    ]
    return pl.Series(identities.name, keys, pl.String)


def _digest(identity: str) -> str:
    return hashlib.blake2b(identity.encode(), digest_size=_KEY_BYTES).hexdigest()
