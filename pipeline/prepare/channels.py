"""SMS or MMS: what each message of a campaign that leaves it to the price is sent as."""

from __future__ import annotations

import polars as pl

from pipeline.model import Channel
from pipeline.prepare import columns
from pipeline.prepare.price_grid import PriceGrid
from pipeline.prepare.pricing import add_cost

#: What an MMS should hold at most, lest a carrier cut it (Bandwidth support, article 360014235473).
MAX_CHARACTERS = 1000

_AT_HOME = r"^\+1[0-9]{10}$"  # MMS ends at the borders of North America
_SENDS_PICTURES = r"^(?:\+1[0-9]{10}|[0-9]{5,6})$"  # numbers and short codes, not names


def may_be_mms() -> pl.Expr:
    """Tell whether sender, recipient and text let a message be an MMS (Boolean).

    Of a frame that has `to`, `from` and `text`.
    """
    return (
        pl.col(columns.TO).str.contains(_AT_HOME)
        & pl.col(columns.FROM).str.contains(_SENDS_PICTURES)
        & (pl.col(columns.TEXT).str.len_chars() <= MAX_CHARACTERS)
    )


def as_mms(lf: pl.LazyFrame) -> pl.LazyFrame:
    """Make an MMS of every message: its channel, and the one segment it counts as."""
    return lf.with_columns(
        pl.lit(Channel.MMS.value, columns.CHANNEL_TYPE).alias(columns.CHANNEL),
        pl.lit(1, pl.Int32).alias(columns.SEGMENTS),
    )


def add_cheaper_cost(lf: pl.LazyFrame, grid: PriceGrid, *, has_picture: pl.Expr) -> pl.LazyFrame:
    """Price every message, and make an MMS of those that are expected to cost strictly less so.

    Args:
        lf: as for `add_cost`, and `text` (String); `channel` and `segments` (Int32) are
            those of an SMS.
        grid: the prices of both channels; without a price of an MMS the message is an SMS.
        has_picture: Boolean; an MMS without a picture is none.

    Returns:
        As from `add_cost`, with `channel` and `segments` changed where that saves.
    """
    chosen = (columns.CHANNEL, columns.SEGMENTS, columns.COST_ESTIMATED, *grid.bounds)
    by_sms = {name: columns.WORKING + name for name in chosen}
    both = (
        lf.pipe(add_cost, grid)
        .with_columns(pl.col(name).alias(kept) for name, kept in by_sms.items())
        .pipe(as_mms)
        .pipe(add_cost, grid)
    )
    saves = pl.col(columns.COST_ESTIMATED) < pl.col(by_sms[columns.COST_ESTIMATED])
    is_mms = has_picture & may_be_mms() & saves
    return both.with_columns(
        pl.when(is_mms).then(name).otherwise(kept).alias(name) for name, kept in by_sms.items()
    ).drop(by_sms.values())
