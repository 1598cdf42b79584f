"""Who pays: Bandwidth's billing rules, on rows; `pipeline.billing` says the same of one message.

    rejected, ready, cancelled, skipped    free: an HTTP error is never billed
    accepted, unconfirmed, delivered       billed, also while no receipt has come
    failed, and found by Bandwidth         free, but for its spam filter (4470)
    failed, and found by the carrier       billed
    failed without a code, or with one     billed: nobody has said that it is free
      that is unknown
    sending, in doubt, written off         open: null, and in no sum
    ready or cancelled after a failure     as that failure

What is billed is the provider's count of segments, or ours where it told none, at the price that
the rate card had. Money is whole millionths in here: never a float.
"""

from __future__ import annotations

import polars as pl

from pipeline.bandwidth.error_codes import error_codes, is_billed
from pipeline.lifecycle import MessageState
from pipeline.model import MICROS_PER_UNIT
from pipeline.prepare import columns

MONEY = pl.Decimal(18, 6)  #: an amount of a row, in the currency of its rate card

#: The state of an accepted message that no receipt came for in all the time there is for one. No
#: state of the journal: time alone makes it so, and a receipt that comes all the same wins.
UNCONFIRMED = "unconfirmed"

_DOUBTS = (MessageState.SENDING, MessageState.IN_DOUBT, MessageState.WRITTEN_OFF)
_OPEN = [state.value for state in _DOUBTS]
_AGAIN = [state.value for state in (MessageState.READY, MessageState.CANCELLED)]
_BILLED = [MessageState.ACCEPTED.value, UNCONFIRMED, MessageState.DELIVERED.value]
_FREE_CODES = [str(code) for code in error_codes() if not is_billed(code)]


def billed() -> pl.Expr:
    """Return whether a row is billed, from `state` and `error_code`: Boolean, null where open."""
    state = pl.col(columns.STATE)
    is_free = pl.col(columns.ERROR_CODE).is_in(_FREE_CODES).fill_null(value=False)
    is_retried = state.is_in(_AGAIN) & pl.col(columns.ERROR_CODE).is_not_null()
    return (
        pl.when(state.is_in(_OPEN))
        .then(None)
        .when((state == MessageState.FAILED.value) | is_retried)
        .then(~is_free)
        .otherwise(state.is_in(_BILLED))
    )


def cost() -> pl.Expr:
    """Return what a row costs: `MONEY`, null where that is open.

    From `state`, `error_code`, `segments`, `segments_billed` and `cost_estimated`; null also where
    the provider's count is beyond all sense, so that the amount does not fit.
    """
    price_of_all = (pl.col(columns.COST_ESTIMATED) * MICROS_PER_UNIT).cast(pl.Int128)
    estimated = pl.col(columns.SEGMENTS).cast(pl.Int128)
    counted = pl.col(columns.SEGMENTS_BILLED).cast(pl.Int128).fill_null(estimated)
    micros = (2 * price_of_all * counted + estimated) // (2 * estimated)  # rounds half up
    amount = (micros.cast(pl.Decimal(38, 6), strict=False) / MICROS_PER_UNIT).cast(
        MONEY, strict=False
    )
    return pl.when(billed()).then(amount).when(~billed()).then(pl.lit(0).cast(MONEY))
