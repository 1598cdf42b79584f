"""What a message costs: the expressions that put a card's prices on millions of messages, exactly.

A price is found by destination prefix (the longest that is on the card), then by the type of our
sender before `default`, then by date. None is ever guessed. Money is integer micro-dollars in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import phonenumbers
import polars as pl

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT, Channel
from pipeline.prepare import columns
from pipeline.prepare.rate_card import Price, RateCard, SenderType, load_card

__all__ = [
    "COST_TYPE",
    "Price",
    "RateCard",
    "SenderType",
    "add_cost",
    "load_card",
    "require_prices",
    "sender_type",
]

COST_TYPE = pl.Decimal(18, 6)

_FEW_PREFIXES = 12  # are compared one by one; more are looked up

_SENDER_PATTERNS = {
    SenderType.TOLL_FREE: r"^\+1(?:800|833|844|855|866|877|888)[0-9]{7}$",
    SenderType.SHORT_CODE: r"^[0-9]{5,6}$",
    SenderType.ALPHANUMERIC: r"[A-Za-z]",
}


def sender_type(sender: str) -> SenderType:
    """Tell the type of a sender from its form."""
    for kind, pattern in _SENDER_PATTERNS.items():
        if re.search(pattern, sender):
            return kind

    return SenderType.TEN_DLC


def add_cost(
    lf: pl.LazyFrame, card: RateCard, on: date, *, senders: Iterable[str] | None = None
) -> pl.LazyFrame:
    """Price every message.

    Args:
        lf: has `to`, `from`, `channel` (String) and `segments` (integer).
        card: the prices.
        on: the day of sending.
        senders: every sender that `from` may hold, where that is known: the frame is not searched.

    Returns:
        The frame with `cost_estimated` (Decimal, scale 6; null where there are no segments, or
        where the card has no price: `require_prices` tells before) and `currency`.
    """
    price = _micros_per_segment(card, on, senders).cast(pl.Int64)
    micros = price * pl.col(columns.SEGMENTS).cast(pl.Int64)
    cost = micros.cast(pl.Decimal(38, 6)) / MICROS_PER_UNIT
    return lf.with_columns(
        cost.cast(COST_TYPE).alias(columns.COST_ESTIMATED),
        pl.lit(card.currency).alias(columns.CURRENCY),
    )


def require_prices(
    lf: pl.LazyFrame, card: RateCard, on: date, *, senders: Iterable[str] | None = None
) -> None:
    """Refuse recipients that the card has no price for: a missing price is never zero.

    Args:
        lf: has `to`, `from` and `channel` (String); read, in streaming mode.
        card: the prices.
        on: the day of sending.
        senders: as in `add_cost`.

    Raises:
        RateCardError: a line for each channel, sender type and prefix without a price.
    """
    kind, start = columns.WORKING + "kind", columns.WORKING + "start"
    missing = (
        lf.filter(
            pl.col(columns.TO).is_not_null() & _micros_per_segment(card, on, senders).is_null()
        )
        .group_by(
            columns.CHANNEL,
            _sender_type().alias(kind),
            pl.col(columns.TO).str.slice(1, 3).alias(start),
        )
        .agg(pl.len())
        .collect(engine="streaming")
    )
    counts: dict[tuple[str, str, str], int] = {}
    for channel, sender, digits, rows in missing.iter_rows():
        place = (channel, sender, _country_code(digits))
        counts[place] = counts.get(place, 0) + rows

    if counts:
        raise RateCardError("\n".join(_missing_sentences(card, on, counts)))


def _micros_per_segment(card: RateCard, on: date, senders: Iterable[str] | None) -> pl.Expr:
    """Return an Int64 expression, null where the card has no price."""
    kinds = set(SenderType) if senders is None else set(map(sender_type, senders))
    micros: pl.Expr = pl.lit(None, pl.Int64)
    for channel in Channel:
        for kind in SenderType:
            table = card.micros_by_prefix(channel, kind, on)
            if not table or kind not in kinds:
                continue

            fits = pl.col(columns.CHANNEL) == channel.value
            if len(kinds) > 1:
                fits &= _sender_type() == kind.value

            micros = pl.when(fits).then(_by_longest_prefix(table)).otherwise(micros)

    return micros


def _by_longest_prefix(table: Mapping[str, int]) -> pl.Expr:
    """Return the price of the longest prefix; `table` has the longest first."""
    to = pl.col(columns.TO)
    if len(table) <= _FEW_PREFIXES:
        prices = (pl.when(to.str.starts_with(f"+{prefix}")).then(table[prefix]) for prefix in table)
        return pl.coalesce(prices)

    lengths: dict[int, dict[str, int]] = {}
    for prefix, micros in table.items():
        lengths.setdefault(len(prefix), {})[prefix] = micros

    return pl.coalesce(
        columns.look_up(to.str.slice(1, length), prices, pl.Int64)
        for length, prices in lengths.items()
    )


def _sender_type() -> pl.Expr:
    kind: pl.Expr = pl.lit(SenderType.TEN_DLC.value)
    for candidate, pattern in reversed(_SENDER_PATTERNS.items()):
        matches = pl.col(columns.FROM).str.contains(pattern)
        kind = pl.when(matches).then(pl.lit(candidate.value)).otherwise(kind)

    return kind


def _country_code(digits: str) -> str:
    """Return the country calling code that begins `digits`; no code begins another one."""
    starts = (digits[:length] for length in (1, 2, 3))
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((start for start in starts if int(start) in known), digits)


def _missing_sentences(
    card: RateCard, on: date, counts: Mapping[tuple[str, str, str], int]
) -> Iterator[str]:
    for (channel, sender, prefix), rows in sorted(counts.items()):
        yield (
            f"rate card '{card.name}' has no {channel} price on {on} for a {sender} sender and "
            f"prefix {prefix} (recipients: {rows}); add a [[price]] row or remove the recipients"
        )
