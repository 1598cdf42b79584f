"""The plan: one row per recipient, each with the message it gets or the reason why it gets none.

    numbers -> text -> smart characters -> reason -> address -> segments -> key -> cost

A plan is frozen: it has totals, a fingerprint, and is handed to the journal in shards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

import polars as pl

from pipeline.model import Campaign, Finding
from pipeline.prepare import columns, keys, readings, smart
from pipeline.prepare.columns import NUMBER, REASON, SENT, TO
from pipeline.prepare.pricing import RateCard, add_cost, require_prices
from pipeline.prepare.readings import READING
from pipeline.prepare.reasons import add_reason
from pipeline.prepare.recipients import (
    find_key_column,
    find_named,
    find_phone_columns,
    find_repairs,
    read_numbers,
)
from pipeline.prepare.repeats import VERDICT, Barred
from pipeline.prepare.segments import add_segments
from pipeline.prepare.shards import read_shard, shard_payloads, shard_rows
from pipeline.prepare.texts import add_text
from pipeline.prepare.totals import Share, Totals, totals

__all__ = [
    "Barred",
    "Draft",
    "Share",
    "Totals",
    "draft",
    "fingerprint",
    "media_column",
    "plan_frame",
    "read_shard",
    "shard_payloads",
    "shard_rows",
    "totals",
]

_SENT_TEXT = columns.WORKING + "sent_text"
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan before it is written, and what was found on the way."""

    #: A row per recipient, in order: `columns.PLAN_COLUMNS`, `variant` where the campaign has
    #: some, then the user's columns, untouched but for their names (`columns.output_names`). A row
    #: with a `reason` keeps `to` and `text` where they are known and is null in
    #: `columns.MESSAGE_COLUMNS`.
    frame: pl.LazyFrame
    #: Repairs of numbers, and where the numbers come from.
    findings: tuple[Finding, ...]
    #: For each column of the file that can be read as text: its value in `frame` (String).
    views: Mapping[str, pl.Expr]
    #: `smart.ORIGINAL` of every row of `frame`, in its order: its text before characters were
    #: replaced; None where none are.
    originals: pl.LazyFrame | None = None


def draft(
    recipients: pl.LazyFrame,
    campaign: Campaign,
    card: RateCard,
    *,
    on: date,
    file: str = "recipients",
    barred: Sequence[Barred] = (),
    strict: bool = False,
) -> Draft:
    """Plan a campaign.

    The phone columns are read at once, in streaming mode; the plan only when it is collected.

    Args:
        recipients: the user's columns, of any type.
        campaign: what is said.
        card: the prices.
        on: the day of sending, for the prices.
        file: names the recipients in an error.
        barred: numbers that must not be texted, the most important reason first.
        strict: refuse every number that had to be repaired.

    Raises:
        InputError: a column is missing or ambiguous.
        TemplateError: the template cannot be filled from these columns.
        RateCardError: a recipient has a number without a price.
        SettingsError: the region is unknown.
    """
    schema = recipients.collect_schema()
    usable = {name: dtype for name, dtype in schema.items() if columns.has_text(dtype)}
    roles = campaign.columns
    phone = find_phone_columns(list(usable), roles.phone, file=file)
    plan = _Plan(recipients, campaign, schema, usable, file)
    add_text(plan.renamed, campaign, plan.views)  # a template that does not fit is told at once
    numbers = read_numbers(
        recipients,
        {name: columns.text_view(name, dtype) for name, dtype in usable.items()},
        roles=roles,
        region=campaign.region,
        file=file,
        barred=barred,
        strict=strict,
    )
    require_prices(plan.addresses(numbers), card, on, senders=plan.senders)
    return Draft(
        frame=plan.frame(numbers, card, on, barred),
        findings=tuple(find_repairs(numbers, phone)),
        views=plan.views,
        originals=plan.originals(numbers),
    )


def plan_frame(
    recipients: pl.LazyFrame,
    campaign: Campaign,
    card: RateCard,
    *,
    on: date,
    file: str = "recipients",
    barred: Sequence[Barred] = (),
    strict: bool = False,
) -> pl.LazyFrame:
    """Return only the frame of a `draft`."""
    return draft(recipients, campaign, card, on=on, file=file, barred=barred, strict=strict).frame


def media_column(campaign: Campaign, plan_columns: Sequence[str]) -> str | None:
    """Return the column of a plan that has each row's own pictures; None where rows have none."""
    if campaign.columns.media is None:
        return None

    own = plan_columns[plan_columns.index(columns.CURRENCY) + 1 :]
    names = {name.removeprefix("input_"): name for name in own}
    return names[find_named(campaign.columns.media, list(names), file="plan")]


def fingerprint(
    campaign: Campaign, card: RateCard, *, recipients_digest: str, suppression_digest: str = ""
) -> dict[str, str]:
    """Name every part a plan is made of, with a short digest.

    Args:
        campaign: what is said.
        card: the prices.
        recipients_digest: SHA-256 of the recipient file, in hex.
        suppression_digest: of the suppression files.
    """
    prices = [str(price) for price in card.prices]
    variants = [asdict(variant) for variant in campaign.variants]
    roles = asdict(campaign.columns) | ({"all_numbers": True} if campaign.all_numbers else {})
    return {
        "recipients": recipients_digest[:_DIGEST_CHARACTERS],
        "template": _digest([campaign.template, variants]),
        "smart": _digest(smart.replacements_of(campaign)),
        "senders": _digest(campaign.senders),
        "channel": _digest(campaign.channel),
        "media": _digest(campaign.media),
        "region": _digest(campaign.region),
        "columns": _digest(roles),
        "exclusions": _digest([campaign.exclude, campaign.frequency_days, suppression_digest]),
        "rate card": _digest([card.name, card.currency, prices]),
    }


class _Plan:
    """One campaign over one file: the names of the columns are decided here, once."""

    def __init__(
        self,
        recipients: pl.LazyFrame,
        campaign: Campaign,
        schema: pl.Schema,
        usable: Mapping[str, pl.DataType],
        file: str,
    ) -> None:
        taken = columns.RESERVED | ({columns.VARIANT} if campaign.variants else set())
        self.campaign = campaign
        self.outputs = columns.output_names(schema, taken=taken)
        self.renamed = recipients.rename(self.outputs)
        #: The user's column -> its value as text, in `renamed`.
        self.views = {
            name: columns.text_view(self.outputs[name], dtype) for name, dtype in usable.items()
        }
        roles, names = campaign.columns, list(usable)
        self.key = self._view(find_key_column(names, roles.key, file=file))
        self.sender = self._view(roles.sender and find_named(roles.sender, names, file=file))
        #: Every sender there can be; None where rows have their own.
        self.senders = campaign.senders if self.sender is None else None
        self.media = self._view(roles.media and find_named(roles.media, names, file=file))

    def _view(self, name: str | None) -> pl.Expr | None:
        return self.views[name] if name else None

    def frame(
        self, numbers: pl.DataFrame, card: RateCard, on: date, barred: Sequence[Barred]
    ) -> pl.LazyFrame:
        campaign = self.campaign
        empty = bool(campaign.media) or self.media is not None
        variant = [columns.VARIANT] if campaign.variants else []
        return (
            self._texts(numbers)
            .pipe(smart.add_smart_text, smart.replacements_of(campaign))
            .pipe(add_reason, barred, may_be_empty=empty, sender=self.sender, media=self.media)
            .with_columns(
                pl.col(columns.ROW).cast(pl.Int64),
                pl.when(pl.col(REASON).is_null()).then(NUMBER).alias(SENT),
            )
            .pipe(_add_address, campaign, self.sender)
            .with_columns(pl.when(pl.col(SENT).is_not_null()).then(columns.TEXT).alias(_SENT_TEXT))
            .pipe(add_segments, _SENT_TEXT)
            .with_columns(
                keys.message_key(SENT, campaign.name, self.key).alias(columns.MESSAGE_KEY)
            )
            .pipe(add_cost, card, on, senders=self.senders)
            .select(*columns.PLAN_COLUMNS, *variant, *self.outputs.values())
        )

    def originals(self, numbers: pl.DataFrame) -> pl.LazyFrame | None:
        if not smart.replacements_of(self.campaign):
            return None

        return self._texts(numbers).select(pl.col(columns.TEXT).alias(smart.ORIGINAL))

    def _texts(self, numbers: pl.DataFrame) -> pl.LazyFrame:
        return (
            pl.concat([self.renamed, numbers.lazy()], how="horizontal")
            .with_row_index(columns.ROW, offset=1)
            .with_columns(readings.number_of(pl.col(READING)).alias(NUMBER))
            .pipe(add_text, self.campaign, self.views)
        )

    def addresses(self, numbers: pl.DataFrame) -> pl.LazyFrame:
        """Return the columns that a price depends on, for every number that may be texted."""
        lf = numbers.lazy()
        if self.sender is not None:
            lf = pl.concat(
                [self.renamed.select(self.sender.alias(columns.FROM)), lf], how="horizontal"
            )

        may_be_sent = pl.when(pl.col(VERDICT) == 0).then(readings.number_of(pl.col(READING)))
        sender = None if self.sender is None else pl.col(columns.FROM)
        return _add_address(
            lf.with_columns(may_be_sent.alias(NUMBER), may_be_sent.alias(SENT)),
            self.campaign,
            sender,
        )


def _add_address(lf: pl.LazyFrame, campaign: Campaign, own: pl.Expr | None) -> pl.LazyFrame:
    """Add `to`, `from` and `channel`; a number always gets the same sender."""
    number, senders = pl.col(NUMBER), campaign.senders
    is_sent = pl.col(SENT).is_not_null()
    sender: pl.Expr = pl.when(is_sent).then(pl.lit(senders[0]))
    if len(senders) > 1:
        sender = columns.look_up(pl.col(SENT) % len(senders), dict(enumerate(senders)), pl.String)

    if own is not None:
        said = own.str.strip_chars()
        sender = pl.when(is_sent & (said != "")).then(said).otherwise(sender)

    return lf.with_columns(
        (pl.lit("+") + number.cast(pl.String)).alias(TO),
        sender.alias(columns.FROM),
        pl.when(is_sent).then(pl.lit(campaign.channel.value)).alias(columns.CHANNEL),
    )


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part).encode()).hexdigest()[:_DIGEST_CHARACTERS]
