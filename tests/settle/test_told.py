"""The listing's words become the receipts that would have said the same."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from pipeline.model import ReceiptKind
from pipeline.settle.told import told_by
from tests.settle.test_matching import NOON, item

WORDS = {
    "RECEIVED": ReceiptKind.SENDING,
    "QUEUED": ReceiptKind.SENDING,
    "SENDING": ReceiptKind.SENDING,
    "SENT": ReceiptKind.SENT,
    "DELIVERED": ReceiptKind.DELIVERED,
    "FAILED": ReceiptKind.FAILED,
    "DLR_EXPIRED": ReceiptKind.SENT,
    "UNDELIVERED": ReceiptKind.SENT,
    None: ReceiptKind.SENT,
}


@pytest.mark.parametrize(("word", "kind"), WORDS.items())
def test_whatever_it_says_it_has_taken_it_and_only_two_words_are_ends(word, kind):
    receipt, raw = told_by(item(message_status=word, error_code=0))
    assert receipt.kind is kind
    assert (receipt.message_id, receipt.time, receipt.error_code) == ("id-1", NOON, None)
    assert msgspec.json.decode(raw)["messageId"] == "id-1"


def test_a_failure_has_its_code_and_the_rest_is_told_as_it_is():
    listed = item(message_status="FAILED", error_code=4720, carrier_name="AT&T", segment_count=3)
    receipt, _ = told_by(listed)
    assert (receipt.error_code, receipt.carrier, receipt.segments_billed) == (4720, "AT&T", 3)


def test_an_end_is_dated_by_the_latencies_where_they_are_told():
    listed = item(message_status="DELIVERED", bw_latency=4, carrier_latency=2)
    assert told_by(listed)[0].time == NOON + timedelta(seconds=6)
    waiting = item(message_status="SENT", bw_latency=4)
    assert told_by(waiting)[0].time == NOON


def test_the_same_entry_is_always_the_same_receipt():
    assert told_by(item()) == told_by(item())


def test_an_entry_without_a_number_or_a_time_tells_nothing():
    assert told_by(item(receive_time=None)) is None
    assert told_by(item(to=None)) is None
