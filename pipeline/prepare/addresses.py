"""From whom to whom: the recipient, our number and the channel of every message."""

from __future__ import annotations

import polars as pl

from pipeline.model import Campaign, Channel
from pipeline.prepare import columns, groups, readings
from pipeline.prepare.columns import NUMBER, SENT, TO
from pipeline.prepare.readings import READING
from pipeline.prepare.repeats import VERDICT


def add_address(
    lf: pl.LazyFrame, campaign: Campaign, own: pl.Expr | None, *, has_groups: bool
) -> pl.LazyFrame:
    """Add `to`, `from` and `channel`, an SMS at first; a number always gets the same sender.

    Args:
        lf: has `NUMBER` and `SENT`; with groups also `groups.FIRST_NUMBER`.
        campaign: whose senders and channel are used.
        own: String, the row's own sender; None where rows have none.
        has_groups: a group gets one sender, that of its first recipient, and is an MMS.
    """
    number, senders = pl.col(NUMBER), campaign.senders
    is_sent, channel = pl.col(SENT).is_not_null(), campaign.channel or Channel.SMS
    sender: pl.Expr = pl.when(is_sent).then(pl.lit(senders[0]))
    if len(senders) > 1:
        chooses = pl.col(SENT)
        if has_groups:
            chooses = pl.when(is_sent).then(pl.coalesce(groups.FIRST_NUMBER, SENT))

        sender = columns.look_up(chooses % len(senders), dict(enumerate(senders)), pl.String)

    if own is not None:
        said = own.str.strip_chars()
        sender = pl.when(is_sent & (said != "")).then(said).otherwise(sender)

    lf = lf.with_columns(
        (pl.lit("+") + number.cast(pl.String)).alias(TO),
        sender.alias(columns.FROM),
        pl.when(is_sent).then(pl.lit(channel.value, columns.CHANNEL_TYPE)).alias(columns.CHANNEL),
    )
    return lf.pipe(groups.as_mms) if has_groups else lf


def addressed(
    recipients: pl.LazyFrame,
    numbers: pl.DataFrame,
    campaign: Campaign,
    sender: pl.Expr | None,
    carrier: pl.Expr | None,
    *,
    has_groups: bool,
) -> pl.LazyFrame:
    """Return the columns that a price depends on, for every number that may be texted.

    `FILE_ROW` (integer) is the 1-based data row of the recipient file.

    Args:
        recipients: the user's columns; those of `several.expand` where cells may get several rows.
        numbers: `recipients.read_numbers`' frame, or `groups.find_groups`'.
        campaign: whose senders and channel are used.
        sender: String, the row's own sender; None where rows have none.
        carrier: String, the recipient's carrier; None where rows do not say it.
        has_groups: there are groups in `numbers`.
    """
    lf = numbers.lazy()
    own = [view for view in (sender, carrier) if view is not None]
    is_expanded = campaign.all_numbers or campaign.columns.recipients
    needed = {name for view in own for name in view.meta.root_names()}
    if is_expanded:
        file_row = recipients.collect_schema().names()[-2]  # as `several.Expanded.frame` has it
        needed.add(file_row)

    if needed:
        lf = pl.concat([recipients.select(needed), lf], how="horizontal")

    if is_expanded:
        lf = lf.with_columns(pl.col(file_row).alias(columns.FILE_ROW))
    else:
        lf = lf.with_row_index(columns.FILE_ROW, offset=1)

    may_be_sent = pl.when(pl.col(VERDICT) == 0).then(readings.number_of(pl.col(READING)))
    lf = lf.with_columns(may_be_sent.alias(NUMBER), may_be_sent.alias(SENT))
    if has_groups and sender is not None:
        said = lf.with_row_index(columns.ROW, offset=1).with_columns(sender.alias(groups.SENDER))
        lf, sender = groups.lead(said, [groups.SENDER]), pl.col(groups.SENDER)

    return add_address(lf, campaign, sender, has_groups=has_groups)
