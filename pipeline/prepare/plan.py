"""The plan: one row per recipient, each with the message it gets or the reason why it gets none.

    numbers -> template -> reason -> segments -> sender -> key -> cost

A plan is frozen: it has totals, a fingerprint, and is handed to the journal in shards.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import partial

import polars as pl

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT, Campaign
from pipeline.prepare import columns, phones
from pipeline.prepare.columns import DUPLICATE_OF, FAULT, NUMBER, REASON, REASON_DETAIL, TEXT, TO
from pipeline.prepare.pricing import RateCard, add_cost, require_prices
from pipeline.prepare.recipients import read_numbers
from pipeline.prepare.segments import add_segments
from pipeline.prepare.shards import read_shard, shard_payloads, shard_rows
from pipeline.prepare.template import Rendering, compile_template

__all__ = [
    "Totals",
    "fingerprint",
    "plan_frame",
    "read_shard",
    "shard_payloads",
    "shard_rows",
    "totals",
]

#: Bandwidth's limit for `text` (API reference, create message).
MAX_CHARACTERS = 2048

DUPLICATE = "duplicate"
MISSING_VALUE = "missing_value"
EMPTY_TEXT = "empty_text"
TOO_LONG = "too_long"

_MISSING = columns.WORKING + "missing"
_COST_MICROS = "cost_micros"
_KEY_BYTES = 16
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a plan comes to; the sums are exact."""

    #: Rows of the recipient file.
    rows: int
    #: Rows that will be sent.
    messages: int
    #: Reason -> rows that will not be sent for it.
    skipped: dict[str, int]
    #: Encoding -> messages.
    encodings: dict[str, int]
    segments: int
    #: Millionths of `currency`.
    cost_micros: int
    currency: str


def plan_frame(
    recipients: pl.LazyFrame,
    campaign: Campaign,
    card: RateCard,
    *,
    on: date,
    file: str = "recipients",
) -> pl.LazyFrame:
    """Plan a campaign.

    The phone column is read at once, in streaming mode; the plan itself only when it is collected.

    Args:
        recipients: the user's columns, of any type.
        campaign: what is said.
        card: the prices.
        on: the day of sending, for the prices.
        file: names the recipients in an error.

    Returns:
        A row per recipient, in order: `columns.PLAN_COLUMNS`, then the user's columns untouched but
        for their names (`columns.output_names`). A row with a `reason` keeps `to` and `text` where
        they are known and is null in `columns.MESSAGE_COLUMNS`.

    Raises:
        InputError: the phone column is missing or ambiguous.
        TemplateError: the template cannot be filled from these columns.
        RateCardError: a recipient has a number without a price.
        SettingsError: the region is unknown.
    """
    schema = recipients.collect_schema()
    usable = {name: dtype for name, dtype in schema.items() if columns.has_text(dtype)}
    outputs = columns.output_names(schema)
    views = {name: columns.text_view(outputs[name], dtype) for name, dtype in usable.items()}
    rendering = compile_template(campaign.template, views)
    numbers = read_numbers(recipients, usable, region=campaign.region, file=file)
    require_prices(_addresses(numbers, campaign), card, on)
    key_column = columns.find_key_column(usable)
    return (
        pl.concat([recipients.rename(outputs), numbers.lazy()], how="horizontal")
        .with_row_index(columns.ROW, offset=1)
        .pipe(_add_text, rendering)
        .pipe(_add_reason, may_be_empty=bool(campaign.media))
        .pipe(_add_address, campaign)
        .pipe(add_segments)
        .pipe(_add_message_key, campaign.name, views[key_column] if key_column else None)
        .pipe(add_cost, card, on)
        .with_columns(pl.col(columns.ROW).cast(pl.Int64))
        .with_columns(
            pl.when(pl.col(REASON).is_null()).then(pl.col(name)).alias(name)
            for name in columns.MESSAGE_COLUMNS
        )
        .select(*columns.PLAN_COLUMNS, *outputs.values())
    )


def totals(plan: pl.LazyFrame) -> Totals:
    """Add a plan up, in streaming mode.

    Raises:
        RateCardError: a message of the plan has no price.
    """
    cost = pl.col(columns.COST_ESTIMATED).cast(pl.Decimal(38, 6)) * MICROS_PER_UNIT
    groups = (
        plan.group_by(REASON, columns.ENCODING, columns.CURRENCY)
        .agg(
            pl.len().alias("rows"),
            pl.col(columns.SEGMENTS).cast(pl.Int64).sum(),
            cost.cast(pl.Int64).sum().alias(_COST_MICROS),
            pl.col(columns.COST_ESTIMATED).is_null().sum().alias("unpriced"),
        )
        .sort(REASON, columns.ENCODING)
        .collect(engine="streaming")
    )
    sent = groups.filter(pl.col(REASON).is_null())
    if unpriced := sent["unpriced"].sum():
        raise RateCardError(f"{unpriced} messages of the plan have no price: make the plan again")

    skipped = groups.drop_nulls(REASON)
    return Totals(
        rows=int(groups["rows"].sum()),
        messages=int(sent["rows"].sum()),
        skipped=dict(skipped.select(REASON, "rows").iter_rows()),
        encodings=dict(sent.select(columns.ENCODING, "rows").iter_rows()),
        segments=int(sent[columns.SEGMENTS].sum()),
        cost_micros=int(sent[_COST_MICROS].sum()),
        currency=next(iter(groups[columns.CURRENCY]), ""),
    )


def fingerprint(campaign: Campaign, card: RateCard, *, recipients_digest: str) -> dict[str, str]:
    """Name every part a plan is made of, with a short digest.

    Args:
        campaign: what is said.
        card: the prices.
        recipients_digest: SHA-256 of the recipient file, in hex (`tables.file_digest`).
    """
    prices = [str(price) for price in card.prices]
    return {
        "recipients": recipients_digest[:_DIGEST_CHARACTERS],
        "template": _digest(campaign.template),
        "senders": _digest(campaign.senders),
        "channel": _digest(campaign.channel),
        "media": _digest(campaign.media),
        "region": _digest(campaign.region),
        "rate card": _digest([card.name, card.currency, prices]),
    }


def _addresses(numbers: pl.DataFrame, campaign: Campaign) -> pl.LazyFrame:
    unique = numbers.lazy().filter(pl.col(DUPLICATE_OF).is_null())
    return _add_address(unique, campaign).select(TO, columns.FROM, columns.CHANNEL)


def _add_text(lf: pl.LazyFrame, rendering: Rendering) -> pl.LazyFrame:
    return lf.with_columns(rendering.text.alias(TEXT), rendering.missing.alias(_MISSING))


def _add_reason(lf: pl.LazyFrame, *, may_be_empty: bool) -> pl.LazyFrame:
    """Add `reason` and `reason_detail`: the first thing that is wrong with the row."""
    fault, first = pl.col(FAULT).cast(pl.String), pl.col(DUPLICATE_OF).cast(pl.String)
    length = pl.col(TEXT).str.len_chars()
    empty = (pl.col(TEXT).str.strip_chars() == "") & (not may_be_empty)
    codes = (
        columns.look_up(fault, {each.value: each.reason for each in phones.Fault}, pl.String),
        _where(first.is_not_null(), DUPLICATE),
        _where(pl.col(_MISSING).is_not_null(), MISSING_VALUE),
        _where(empty, EMPTY_TEXT),
        _where(length > MAX_CHARACTERS, TOO_LONG),
    )
    sentences = (
        fault,
        pl.lit("duplicate of row ") + first,
        pl.col(_MISSING),
        _where(empty, "the text is empty"),
        pl.when(length > MAX_CHARACTERS).then(
            length.cast(pl.String) + f" characters; the provider takes {MAX_CHARACTERS}"
        ),
    )
    return lf.with_columns(
        pl.coalesce(codes).alias(REASON), pl.coalesce(sentences).alias(REASON_DETAIL)
    )


def _where(condition: pl.Expr, value: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(value))


def _add_address(lf: pl.LazyFrame, campaign: Campaign) -> pl.LazyFrame:
    """Add `to`, `from` and `channel`; a number always gets the same sender."""
    number, senders = pl.col(NUMBER), campaign.senders
    sticky = columns.look_up(number % len(senders), dict(enumerate(senders)), pl.String)
    return lf.with_columns(
        (pl.lit("+") + number.cast(pl.String)).alias(TO),
        sticky.alias(columns.FROM),
        pl.lit(campaign.channel.value).alias(columns.CHANNEL),
    )


def _add_message_key(lf: pl.LazyFrame, campaign: str, user_key: pl.Expr | None) -> pl.LazyFrame:
    """Add `message_key`; the user's key is part of it where the file has one."""
    parts = [pl.col(TO)]
    if user_key is not None:
        parts.append(user_key.str.strip_chars().fill_null(""))

    identity = pl.when(pl.col(REASON).is_null()).then(pl.concat_str(parts, separator="\0"))
    keys = identity.map_batches(  # Python, because polars has no digest that is stable for ever
        partial(_keys, campaign=campaign), return_dtype=pl.String, is_elementwise=True
    )
    return lf.with_columns(keys.alias(columns.MESSAGE_KEY))


def _keys(identities: pl.Series, *, campaign: str) -> pl.Series:
    keys = [
        None if identity is None else _key(f"{campaign}\0{identity}") for identity in identities
    ]
    return pl.Series(identities.name, keys, pl.String)


def _key(identity: str) -> str:
    return hashlib.blake2b(identity.encode(), digest_size=_KEY_BYTES).hexdigest()


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part).encode()).hexdigest()[:_DIGEST_CHARACTERS]
