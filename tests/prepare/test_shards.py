"""Shards: together they hold every message of the plan once, in order, ready to send."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from pipeline.model import Campaign, Channel, Message
from pipeline.prepare.plan import plan_frame
from pipeline.prepare.pricing import load_card
from pipeline.prepare.shards import read_shard, shard_payloads, shard_rows
from pipeline.tables import write_parquet

MEDIA = ("https://example.com/a.png",)


def make_plan(rows, **changes):
    phones = [f"919{2000000 + row}" if row % 10 else "n/a" for row in range(rows)]
    campaign = Campaign(name="c", senders=("+19195550100",), template="Hi {name} 😀", **changes)
    recipients = pl.LazyFrame({"phone": phones, "name": [f"n{row}" for row in range(rows)]})
    return plan_frame(recipients, campaign, load_card(None), on=date(2026, 6, 1))


@pytest.mark.parametrize(
    ("messages", "rows"),
    [
        (0, 100),
        (1, 100),
        (6_400, 100),
        (6_464, 101),
        (64_000, 1_000),
        (640_000, 10_000),
        (10**7, 10_000),
    ],
)
def test_a_shard_is_a_64th_of_the_plan_within_bounds(messages, rows):
    assert shard_rows(messages) == rows


def test_shards_hold_every_message_once_in_order(tmp_path):
    path = tmp_path / "plan.parquet"
    write_parquet(make_plan(10_000), path)
    shards = list(shard_payloads(pl.scan_parquet(path)))
    assert [rows for rows, _ in shards] == [140] * 64 + [40]
    messages = [message for _, payload in shards for message in read_shard(payload)]
    plan = pl.read_parquet(path).filter(pl.col("reason").is_null())
    assert [message.row for message in messages] == plan["row"].to_list()
    assert [message.key for message in messages] == plan["message_key"].to_list()
    most = plan["cost_high"].sum()  # a budget holds whoever delivers
    assert sum(message.cost_micros for message in messages) == most * 10**6 > 0


def test_a_message_comes_back_as_it_was_planned():
    plan = make_plan(2, channel=Channel.MMS, media=MEDIA).collect()
    ((rows, payload),) = shard_payloads(plan.lazy(), media=MEDIA)
    assert rows == 1
    assert read_shard(payload) == [
        Message(
            row=2,
            key=plan["message_key"][1],
            to=("+19192000001",),
            sender="+19195550100",
            text="Hi n1 😀",
            channel=Channel.MMS,
            segments=1,
            cost_micros=int(Decimal("0.025") * 10**6),
            media=MEDIA,
        )
    ]


def test_a_plan_without_messages_has_no_shards():
    assert list(shard_payloads(make_plan(1))) == []
