"""The plan: one row per recipient, each with the message it gets or the reason why it gets none.

    numbers -> text -> smart characters -> reason -> address -> segments -> key -> cost

A plan is frozen: it has totals, a fingerprint, and is handed to the journal in shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import polars as pl

from pipeline.model import Campaign, Channel, Finding
from pipeline.prepare import columns, groups, keys, readings, smart
from pipeline.prepare.addresses import add_address, addressed
from pipeline.prepare.carriers import CarrierTable, carrier_of
from pipeline.prepare.channels import add_cheaper_cost
from pipeline.prepare.columns import GROUP_ROW, NUMBER, REASON, SENT, TEXT
from pipeline.prepare.fingerprints import fingerprint
from pipeline.prepare.price_grid import RECIPIENT, PriceGrid
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
from pipeline.prepare.repeats import Barred
from pipeline.prepare.segments import add_segments
from pipeline.prepare.shards import (
    media_column,
    read_shard,
    shard_payloads,
    shard_rows,
    with_references,
)
from pipeline.prepare.texts import MISSING, add_text, pieces_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan before it is written, and what was found on the way."""

    #: A row per recipient, in order: `columns.PLAN_COLUMNS`, `columns.BOUNDS` where the card has a
    #: mix of carriers, `variant` where the campaign has some, then the user's columns, untouched
    #: but for their names (`columns.output_names`). A row with a `reason` keeps `to` and `text`
    #: where they are known and is null in `columns.MESSAGE_COLUMNS`.
    frame: pl.LazyFrame
    #: Repairs of numbers, and where the numbers come from.
    findings: tuple[Finding, ...]
    #: For each column of the file that can be read as text: its value in `frame` (String).
    views: Mapping[str, pl.Expr]
    #: The prices of what is in `frame`, were it changed, and of every channel.
    grid: PriceGrid
    #: Whether a row of `frame` has a picture to be an MMS with (Boolean).
    has_picture: pl.Expr
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
    carriers: CarrierTable | None = None,
    pictures: Mapping[str, str] | None = None,
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
        carriers: whose numbers are, where that is known.
        pictures: a local file as written in a row's own pictures -> its reference.

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
    plan = _Plan(recipients, campaign, schema, usable, file, pictures or {})
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
    found: tuple[Finding, ...] = ()
    if plan.group is not None:
        view = columns.text_view(plan.group, usable[plan.group])
        first, barred = len(barred) + 1, (*barred, *groups.bars(campaign))
        numbers, found = groups.find_groups(recipients, numbers, view, campaign, bar=first)

    prices = partial(plan.price_grid, card, on, carriers)
    channels = (campaign.channel,) if campaign.channel and not plan.group else tuple(Channel)
    grid = prices(number=pl.col(SENT), channels=channels)
    require_prices(plan.addressed(numbers), grid, file=file)
    return Draft(
        frame=plan.frame(numbers, grid, barred),
        findings=(*find_repairs(numbers, phone), *found),
        views=plan.views,
        has_picture=plan.has_picture,
        originals=plan.originals(numbers),
        grid=prices(number=RECIPIENT, channels=tuple(Channel)),
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


class _Plan:
    """One campaign over one file: the names of the columns are decided here, once."""

    def __init__(
        self,
        recipients: pl.LazyFrame,
        campaign: Campaign,
        schema: pl.Schema,
        usable: Mapping[str, pl.DataType],
        file: str,
        pictures: Mapping[str, str],
    ) -> None:
        some = {columns.VARIANT: campaign.variants, GROUP_ROW: campaign.columns.group}
        self.extra = [name for name, is_there in some.items() if is_there]
        taken = columns.RESERVED.union(self.extra)
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
        self.group = roles.group and find_named(roles.group, names, file=file)
        self.carrier = self._view(roles.carrier and find_named(roles.carrier, names, file=file))
        media = self._view(roles.media and find_named(roles.media, names, file=file))
        self.media = media if media is None else with_references(media, pictures)
        self.has_picture: pl.Expr = pl.lit(bool(campaign.media))
        if self.media is not None:
            self.has_picture |= columns.is_filled(self.media)

        said = {groups.SENDER: self.sender, groups.MEDIA: self.media} if self.group else {}
        #: What a row says about its group, if it is the first of it: working column -> its value.
        self.said = {name: view for name, view in said.items() if view is not None}

    def _view(self, name: str | None) -> pl.Expr | None:
        return self.views[name] if name else None

    def price_grid(
        self,
        card: RateCard,
        on: date,
        carriers: CarrierTable | None,
        *,
        number: pl.Expr,
        channels: Sequence[Channel],
    ) -> PriceGrid:
        return PriceGrid(
            card,
            on,
            senders=self.campaign.senders if self.sender is None else None,
            channels=channels,
            number=number,
            carrier=carrier_of(number, own=self.carrier, table=carriers),
        )

    def frame(
        self, numbers: pl.DataFrame, grid: PriceGrid, barred: Sequence[Barred]
    ) -> pl.LazyFrame:
        campaign, has_groups = self.campaign, self.group is not None
        empty = campaign.channel is Channel.MMS
        led: dict[str, pl.Expr | None] = {name: pl.col(name) for name in self.said}
        sender, media = led.get(groups.SENDER, self.sender), led.get(groups.MEDIA, self.media)
        return (
            self._texts(numbers)
            .pipe(smart.add_smart_text, smart.replacements_of(campaign))
            .pipe(add_reason, barred, may_be_empty=empty, sender=sender, media=media)
            .pipe(groups.refuse_names, sender if has_groups else None)
            .with_columns(
                pl.col(columns.ROW).cast(pl.Int64),
                pl.when(pl.col(REASON).is_null()).then(NUMBER).alias(SENT),
            )
            .pipe(add_address, campaign, sender, has_groups=has_groups)
            .with_columns(pl.when(pl.col(SENT).is_not_null()).then(columns.TEXT).alias(_SENT_TEXT))
            .pipe(add_segments, _SENT_TEXT, pieces=pieces_of(campaign, self.views))
            .with_columns(
                keys.message_key(SENT, campaign.name, self.key).alias(columns.MESSAGE_KEY)
            )
            .pipe(self._add_cost, grid)
            .select(*columns.PLAN_COLUMNS, *grid.bounds, *self.extra, *self.outputs.values())
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
            .pipe(self._add_missing_picture)
            .pipe(self._lead)
        )

    def addressed(self, numbers: pl.DataFrame) -> pl.LazyFrame:
        own, has_groups = (self.sender, self.carrier), self.group is not None
        return addressed(self.renamed, numbers, self.campaign, *own, has_groups=has_groups)

    def _lead(self, lf: pl.LazyFrame) -> pl.LazyFrame:
        if self.group is None:
            return lf

        variant = [columns.VARIANT] if self.campaign.variants else []
        said = [view.alias(name) for name, view in self.said.items()]
        return lf.with_columns(said).pipe(groups.lead, [TEXT, MISSING, *variant, *self.said])

    def _add_missing_picture(self, lf: pl.LazyFrame) -> pl.LazyFrame:
        """Miss the picture of an MMS: without one it would be sent, and billed, as SMS."""
        campaign = self.campaign
        if campaign.channel is not Channel.MMS or self.media is None:
            return lf

        missing = f"column '{campaign.columns.media}' is empty, and the campaign has no media"
        return lf.with_columns(
            pl.when(self.has_picture).then(MISSING).otherwise(pl.lit(missing)).alias(MISSING)
        )

    def _add_cost(self, lf: pl.LazyFrame, grid: PriceGrid) -> pl.LazyFrame:
        if self.campaign.channel is not None:
            return add_cost(lf, grid)

        return add_cheaper_cost(lf, grid, has_picture=self.has_picture)
