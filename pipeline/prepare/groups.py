"""Group messages: rows that share a group are one MMS, and each row still is one recipient.

    household  name  number            group_row
    7          Ann   +1919...123   ->  1      her row says what everybody in the group reads
    7          Bob   +1919...124   ->  1
    8          Cid   +1919...125   ->  null   alone: a message to one recipient

Who has a reason not to be texted is left out of his group before it is made: so a group is sent to
all of its rows, or to none. The provider counts and bills it for each recipient, and so does every
sum: a row of a group has its own price, and one segment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.model import EXAMPLE_ROWS, Campaign, Channel, Finding
from pipeline.prepare import columns, readings, smart
from pipeline.prepare.columns import GROUP_ROW, REASON, REASON_DETAIL, ROW, TEXT
from pipeline.prepare.price_grid import RECIPIENT
from pipeline.prepare.readings import READING
from pipeline.prepare.reasons import INVALID_SENDER
from pipeline.prepare.repeats import VERDICT, Barred
from pipeline.prepare.texts import MISSING, add_text
from pipeline.spelling import counted

TOO_LARGE, ABROAD = "group_too_large", "group_abroad"

#: Int64, the number of the group's first recipient; null where a row is in no group.
FIRST_NUMBER = columns.WORKING + "first_number"
#: String, the own sender and the own pictures of a row, or of the first row of its group.
SENDER, MEDIA = columns.WORKING + "sender", columns.WORKING + "media"

_KEY, _MAY, _HOME, _ALL, _HOMES, _OWN = (
    columns.WORKING + name for name in ("group", "may", "home", "all", "homes", "own")
)
_NUMBERS_ABROAD = 20_000_000_000  # from here on they do not begin with +1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """How many messages of a plan go to groups."""

    groups: int
    #: Of all groups together: as many messages are counted and billed.
    recipients: int
    #: Recipients of the largest group.
    largest: int


def bars(campaign: Campaign) -> tuple[Barred, ...]:
    """Return why a row may be kept out of a group, besides everything that concerns it alone."""
    nobody = pl.Series([], dtype=pl.Int64)
    limit = campaign.group_limit
    return (
        Barred(
            reason=TOO_LARGE,
            detail=f"its group has more than {counted(limit, 'recipient')} (group_limit): "
            "none of them gets the message",
            numbers=nobody,
        ),
        Barred(
            reason=ABROAD,
            detail="a group message is an MMS, which ends at the borders of North America",
            numbers=nobody,
        ),
    )


def find_groups(
    recipients: pl.LazyFrame, numbers: pl.DataFrame, group: pl.Expr, campaign: Campaign, *, bar: int
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """Find out who is in which group.

    Args:
        recipients: the user's columns; the one of the groups is read, in streaming mode.
        numbers: `recipients.read_numbers`' frame.
        group: String, the name of a row's group.
        campaign: whose limit holds.
        bar: the verdict of the first of `bars`.

    Returns:
        `numbers` with the verdicts of `bars`, `GROUP_ROW` (Int64: the first row that is in the
        group, null for a row in none) and `FIRST_NUMBER`; and what its owner should know.
    """
    key = recipients.select(group.str.strip_chars().fill_null("").alias(_KEY))
    number = readings.number_of(pl.col(READING))
    several = pl.col(_MAY) & (pl.col(_ALL) > 1)
    is_large = pl.col(_HOMES) > campaign.group_limit
    is_member = several & pl.col(_HOME) & (pl.col(_HOMES) > 1) & ~is_large
    found = (
        numbers.hstack(key.collect(engine="streaming"))
        .with_row_index(ROW, offset=1)
        .with_columns(
            pl.col(ROW).cast(pl.Int64),
            ((pl.col(VERDICT) == 0) & number.is_not_null() & (pl.col(_KEY) != "")).alias(_MAY),
            (number < _NUMBERS_ABROAD).fill_null(value=False).alias(_HOME),
        )
        .with_columns(
            pl.col(_MAY).sum().over(_KEY).alias(_ALL),
            (pl.col(_MAY) & pl.col(_HOME)).sum().over(_KEY).alias(_HOMES),
        )
        .with_columns(
            pl.when(is_member).then(pl.col(ROW).filter(is_member).min().over(_KEY)).alias(GROUP_ROW)
        )
        .with_columns(
            number.gather(pl.col(GROUP_ROW) - 1).alias(FIRST_NUMBER),
            pl.when(several & ~pl.col(_HOME))
            .then(pl.lit(bar + 1, pl.UInt32))
            .when(several & is_large)
            .then(pl.lit(bar, pl.UInt32))
            .otherwise(VERDICT)
            .alias(VERDICT),
        )
    )
    told = tuple(_findings(found))
    return found.select(*numbers.columns, GROUP_ROW, FIRST_NUMBER), told


def lead(lf: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Give every row of a group what the group's first row has in these columns.

    Args:
        lf: has `ROW` and `GROUP_ROW` (Int64).
        names: its columns; what is `texts.MISSING` is told with the row that misses it.
    """
    of_first = {name: f"{columns.WORKING}first_{name}" for name in names}
    first = lf.filter(pl.col(ROW) == pl.col(GROUP_ROW)).select(
        GROUP_ROW, *(pl.col(name).alias(led) for name, led in of_first.items())
    )
    in_group = pl.col(GROUP_ROW).is_not_null()
    led = lf.join(first, on=GROUP_ROW, how="left", maintain_order="left").with_columns(
        pl.when(in_group).then(led).otherwise(name).alias(name) for name, led in of_first.items()
    )
    if MISSING in of_first:
        place = pl.format("in row {}, whose text the group gets: ", GROUP_ROW)
        follows = in_group & (pl.col(GROUP_ROW) != pl.col(ROW))
        led = led.with_columns(
            pl.when(follows).then(place + pl.col(MISSING)).otherwise(MISSING).alias(MISSING)
        )

    return led.drop(of_first.values())


def refuse_names(lf: pl.LazyFrame, sender: pl.Expr | None) -> pl.LazyFrame:
    """Refuse groups whose own sender (String) is a name or a short code; None is nobody's own."""
    if sender is None:
        return lf

    said = sender.str.strip_chars()
    is_wrong = (
        pl.col(REASON).is_null()
        & pl.col(GROUP_ROW).is_not_null()
        & (said != "")
        & ~said.str.starts_with("+")
    ).fill_null(value=False)
    sentence = "a group message comes from a phone number, and its sender is none"
    return lf.with_columns(
        pl.when(is_wrong).then(pl.lit(INVALID_SENDER)).otherwise(REASON).alias(REASON),
        pl.when(is_wrong).then(pl.lit(sentence)).otherwise(REASON_DETAIL).alias(REASON_DETAIL),
    )


def as_mms(lf: pl.LazyFrame) -> pl.LazyFrame:
    """Make an MMS of every group that is sent; what is not sent is in none any more."""
    is_group = pl.col(columns.SENT).is_not_null() & pl.col(GROUP_ROW).is_not_null()
    mms = pl.lit(Channel.MMS.value, columns.CHANNEL_TYPE)
    return lf.with_columns(
        pl.when(is_group).then(mms).otherwise(columns.CHANNEL).alias(columns.CHANNEL),
        pl.when(is_group).then(GROUP_ROW).alias(GROUP_ROW),
    )


def sums(plan: pl.LazyFrame) -> GroupSums:
    """Count the groups of a written plan."""
    sizes = plan.drop_nulls(GROUP_ROW).group_by(GROUP_ROW).len()
    length = pl.col("len")
    counted = sizes.select(pl.len().alias("n"), length.sum().alias("s"), length.max().alias("m"))
    groups, recipients, largest = counted.collect(engine="streaming").row(0)
    return GroupSums(groups=groups, recipients=recipients or 0, largest=largest or 0)


def other_texts(
    plan: pl.LazyFrame, campaign: Campaign, views: Mapping[str, pl.Expr]
) -> Iterator[Finding]:
    """Tell of recipients whose own row would have said something else than their group reads."""
    others = (
        plan.filter(pl.col(GROUP_ROW) != pl.col(ROW))
        .with_columns(pl.col(TEXT).alias(_OWN), RECIPIENT.alias(columns.NUMBER))
        .pipe(add_text, campaign, views)
        .pipe(smart.add_smart_text, smart.replacements_of(campaign))
        .filter(pl.col(TEXT).ne_missing(pl.col(_OWN)))
        .select(ROW)
        .collect(engine="streaming")
        .to_series()
    )
    sentence = "recipients get a text that is not what their own row would say: that of the first "
    yield from _finding("group_texts", sentence + "row of their group", others)


def _findings(found: pl.DataFrame) -> Iterator[Finding]:
    may, rows = found.filter(_MAY), pl.col(GROUP_ROW)
    groups = may[GROUP_ROW].n_unique() - may[GROUP_ROW].has_nulls()
    sentence = (
        f"recipients are in groups, of which there are {groups:,}: one MMS each, which is billed "
        "and counted for each recipient"
    )
    yield from _finding("groups", sentence, may.filter(rows.is_not_null())[ROW])
    alone = may.filter((pl.col(_ALL) == 1) | (pl.col(_HOME) & (pl.col(_HOMES) == 1)))
    sentence = "recipients are alone in their group, and get a message to one"
    yield from _finding("group_of_one", sentence, alone[ROW])
    sentence = "rows name no group, and get a message to one"
    yield from _finding("no_group", sentence, found.filter(pl.col(_KEY) == "")[ROW])


def _finding(code: str, sentence: str, rows: pl.Series) -> Iterator[Finding]:
    if not rows.is_empty():
        shown = tuple(rows.head(EXAMPLE_ROWS))
        yield Finding(code=code, sentence=sentence, count=rows.len(), rows=shown)
