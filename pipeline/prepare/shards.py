"""A plan cut into shards: the messages a worker takes together, few enough to hold in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from pipeline.members import Member
from pipeline.model import MICROS_PER_UNIT, Campaign, Channel, Message
from pipeline.prepare import columns
from pipeline.prepare.recipients import find_named

COST_MICROS = "cost_micros"  #: the most that a message costs (Int64)
_MEDIA = "media"
_PLACE = "place"
#: The row that a message was made from.
_MESSAGE = pl.coalesce(columns.GROUP_ROW, columns.ROW).alias(_PLACE)


def shard_rows(messages: int) -> int:
    """Return how many messages a shard holds: a 64th of the plan, from 100 to 10,000."""
    return min(max(messages // 64, 100), 10_000)


def shard_payloads(
    plan: pl.LazyFrame,
    *,
    media: tuple[str, ...] = (),
    media_column: str | None = None,
    pictures: Mapping[str, str] | None = None,
    has_groups: bool = False,
) -> Iterator[tuple[int, bytes]]:
    """Cut the messages of a plan into shards, holding one at a time.

    Args:
        plan: the plan, best scanned from its Parquet file.
        media: addresses of pictures that every MMS carries.
        media_column: the plan's column of a row's own pictures, with blanks between them; it
            outranks `media` where it is not blank.
        pictures: a local file as written there -> its reference.
        has_groups: the plan has `columns.GROUP_ROW`; the rows of a group are in one shard.

    Yields:
        How many rows with a message the shard holds, and the messages in Arrow IPC, compressed.
    """
    messages = plan.filter(pl.col(columns.REASON).is_null())
    count = messages.select(pl.len()).collect(engine="streaming").item()
    has_bounds = columns.COST_HIGH in plan.collect_schema()
    most = columns.COST_HIGH if has_bounds else columns.COST_ESTIMATED  # a budget holds for sure
    micros = pl.col(most).cast(pl.Decimal(38, 6)) * MICROS_PER_UNIT
    needed = messages.select(
        columns.ROW,
        columns.MESSAGE_KEY,
        columns.TO,
        columns.FROM,
        columns.CHANNEL,
        columns.TEXT,
        columns.SEGMENTS,
        micros.cast(pl.Int64).alias(COST_MICROS),
        _media(media, media_column, pictures or {}).alias(_MEDIA),
        *([columns.GROUP_ROW] if has_groups else []),
    )
    if has_groups:
        needed = needed.sort(_MESSAGE, columns.ROW)

    shards = needed.collect_batches(chunk_size=shard_rows(count), maintain_order=True)
    for shard in _whole_groups(shards) if has_groups else shards:
        buffer = BytesIO()
        shard.write_ipc(buffer, compression="zstd")
        yield shard.height, buffer.getvalue()


def with_references(cell: pl.Expr, pictures: Mapping[str, str]) -> pl.Expr:
    """Return a cell of pictures (String), local files by their references."""
    return _own(cell, pictures).list.join(" ") if pictures else cell


def media_column(campaign: Campaign, plan_columns: Sequence[str]) -> str | None:
    """Return the column of a plan that has each row's own pictures; None where rows have none."""
    if campaign.columns.media is None:
        return None

    own = plan_columns[plan_columns.index(columns.CURRENCY) + 1 :]
    names = {name.removeprefix("input_"): name for name in own}
    return names[find_named(campaign.columns.media, list(names), file="plan")]


def read_addresses(payload: bytes) -> pl.DataFrame:
    """Return `row` (Int64) and `to` (String) of a shard's messages, without their texts."""
    return pl.read_ipc(BytesIO(payload), columns=[columns.ROW, columns.TO])


def read_prices(payload: bytes, rows: Collection[int]) -> pl.DataFrame:
    """Return `row`, `to`, `segments` and `COST_MICROS` of a shard's messages with these rows.

    A row of a group brings the others of it. The texts are not read.
    """
    wanted = [columns.ROW, columns.TO, columns.SEGMENTS, COST_MICROS]
    has_groups = columns.GROUP_ROW in pl.read_ipc_schema(BytesIO(payload))
    place = [columns.GROUP_ROW] if has_groups else []
    frame = pl.read_ipc(BytesIO(payload), columns=[*wanted, *place])
    is_named = pl.col(columns.ROW).is_in(list(rows))
    if has_groups:
        is_named |= pl.col(columns.GROUP_ROW).is_in(frame.filter(is_named)[columns.GROUP_ROW])

    return frame.filter(is_named).select(wanted)


def read_shard(payload: bytes, rows: Collection[int] | None = None) -> list[Message]:
    """Return the messages of a shard, in the order of the plan; None of `rows` is all of them.

    A group is named by the row that its message was made from.
    """
    frame = pl.read_ipc(BytesIO(payload))
    has_groups = columns.GROUP_ROW in frame.columns
    first_row = _MESSAGE if has_groups else pl.col(columns.ROW)
    if rows is not None:
        frame = frame.filter(first_row.is_in(list(rows)))

    if not has_groups:
        return [_message(row) for row in frame.iter_rows(named=True)]

    messages = groupby(frame.with_columns(_MESSAGE).iter_rows(named=True), itemgetter(_PLACE))
    return [_together([_message(row) for row in rows]) for _, rows in messages]


def _message(row: Mapping[str, Any]) -> Message:
    return Message(
        row=row[columns.ROW],
        key=row[columns.MESSAGE_KEY],
        to=(row[columns.TO],),
        sender=row[columns.FROM],
        text=row[columns.TEXT],
        channel=Channel(row[columns.CHANNEL]),
        segments=row[columns.SEGMENTS],
        cost_micros=row[COST_MICROS],
        media=tuple(row[_MEDIA]),
    )


def _together(rows: Sequence[Message]) -> Message:
    """Make one message of those to each recipient; the first has what is said."""
    if len(rows) == 1:
        return rows[0]

    members = tuple(Member(each.row, each.key, each.to[0], each.cost_micros) for each in rows)
    return replace(
        rows[0],
        to=tuple(member.to for member in members),
        members=members,
        segments=sum(each.segments for each in rows),
        cost_micros=sum(member.cost_micros for member in members),
    )


def _whole_groups(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Cut between messages; batches are sorted by them."""
    kept: pl.DataFrame | None = None
    for batch in batches:
        rows = batch if kept is None else pl.concat([kept, batch])
        message = rows.select(_MESSAGE).to_series()
        complete = int((message != message[-1]).sum())
        kept = rows[complete:]
        if complete:
            yield rows[:complete]

    if kept is not None:
        yield kept


def _media(media: tuple[str, ...], column: str | None, pictures: Mapping[str, str]) -> pl.Expr:
    """Return the pictures of each message: whatever carries one is an MMS, so an SMS has none."""
    carried: pl.Expr = pl.lit(list(media), dtype=pl.List(pl.String))
    if column is not None:
        own = _own(pl.col(column).cast(pl.String), pictures)
        carried = pl.when(own.list.len() > 0).then(own).otherwise(carried)

    is_mms = pl.col(columns.CHANNEL) == Channel.MMS.value
    return pl.when(is_mms).then(carried).otherwise(pl.lit([], dtype=pl.List(pl.String)))


def _own(cell: pl.Expr, pictures: Mapping[str, str]) -> pl.Expr:
    own = cell.str.extract_all(r"\S+")
    return own.list.eval(pl.element().replace(dict(pictures))) if pictures else own
