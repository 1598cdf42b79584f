"""A plan cut into shards: the messages a worker takes together, few enough to hold in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO

import polars as pl

from pipeline.model import MICROS_PER_UNIT, Campaign, Channel, Message
from pipeline.prepare import columns
from pipeline.prepare.recipients import find_named

COST_MICROS = "cost_micros"  #: the most that a message costs (Int64)
_MEDIA = "media"


def shard_rows(messages: int) -> int:
    """Return how many messages a shard holds: a 64th of the plan, from 100 to 10,000."""
    return min(max(messages // 64, 100), 10_000)


def shard_payloads(
    plan: pl.LazyFrame,
    *,
    media: tuple[str, ...] = (),
    media_column: str | None = None,
    pictures: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Cut the messages of a plan into shards, holding one at a time.

    Args:
        plan: the plan, best scanned from its Parquet file.
        media: addresses of pictures that every MMS carries.
        media_column: the plan's column of a row's own pictures, with blanks between them; it
            outranks `media` where it is not blank.
        pictures: a local file as written there -> its reference.

    Yields:
        How many messages the shard holds, and the messages in Arrow IPC, compressed.
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
    )
    for shard in needed.collect_batches(chunk_size=shard_rows(count), maintain_order=True):
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


def read_prices(payload: bytes) -> pl.DataFrame:
    """Return `row`, `to`, `segments` and `COST_MICROS` of a shard's messages, without texts."""
    wanted = [columns.ROW, columns.TO, columns.SEGMENTS, COST_MICROS]
    return pl.read_ipc(BytesIO(payload), columns=wanted)


def read_shard(payload: bytes, rows: Collection[int] | None = None) -> list[Message]:
    """Return the messages of a shard, in the order of the plan; None of `rows` is all of them."""
    frame = pl.read_ipc(BytesIO(payload))
    if rows is not None:
        frame = frame.filter(pl.col(columns.ROW).is_in(list(rows)))

    return [
        Message(
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
        for row in frame.iter_rows(named=True)
    ]


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
