"""Receipts by webhook, over a real socket: durable before the answer, every event of the array."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx
import pytest

from pipeline.model import ReceiptKind
from pipeline.settle.receipts import MOST_BODY_BYTES, listening, receipts_app

WIRE = Path(__file__).resolve().parents[2] / "samples" / "wire"


class Keeper:
    def __init__(self):
        self.receipts = []

    async def receive(self, receipts):
        await anyio.sleep(0.05)
        self.receipts += receipts
        return len(receipts)


def post(body, keeper=None):
    keeper = keeper or Keeper()

    async def story():
        async with listening(receipts_app(keeper.receive)) as url, httpx.AsyncClient() as client:
            answer = await client.post(url, content=body)
            return answer.status_code, len(keeper.receipts)

    return asyncio.run(story()), keeper


def test_a_receipt_is_durable_before_it_is_answered():
    (status, kept_at_answer), keeper = post((WIRE / "callback-delivered.json").read_bytes())
    assert (status, kept_at_answer) == (204, 1)
    ((receipt, raw),) = keeper.receipts
    assert receipt.kind is ReceiptKind.DELIVERED
    assert receipt.time.tzinfo is not None
    assert b"message-delivered" in raw


def test_every_event_of_an_array_is_kept():
    one = (WIRE / "callback-delivered.json").read_bytes().strip()[1:-1]
    two = (WIRE / "callback-failed.json").read_bytes().strip()[1:-1]
    (status, _), keeper = post(b"[" + one + b"," + two + b"]")
    assert status == 204
    kinds = [receipt.kind for receipt, _ in keeper.receipts]
    assert kinds == [ReceiptKind.DELIVERED, ReceiptKind.FAILED]


def test_an_inbound_message_is_answered_and_not_taken_for_a_receipt():
    (status, kept), _ = post((WIRE / "inbound-sms.json").read_bytes())
    assert (status, kept) == (204, 0)


@pytest.mark.parametrize("body", [b"", b"no json", b"3"])
def test_what_is_no_callback_is_refused(body):
    assert post(body)[0] == (400, 0)


def test_an_event_of_a_kind_nobody_knows_is_answered_so_that_it_does_not_come_back_all_day():
    assert post(b'[{"type": "message-invented"}]')[0] == (204, 0)


def test_a_body_that_is_too_large_is_refused():
    assert post(b"[" + b" " * MOST_BODY_BYTES + b"]")[0] == (413, 0)


def test_an_event_that_could_not_be_kept_is_not_answered_as_if_it_were():
    class Broken:
        receipts = ()

        async def receive(self, receipts):
            raise OSError(f"disk full at {datetime.now(UTC)}")

    (status, _), _ = post((WIRE / "callback-delivered.json").read_bytes(), Broken())
    assert status == 500
