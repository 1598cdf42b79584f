"""Receipts come early, late, twice and out of order; each is kept, and each counts once."""

from __future__ import annotations

from itertools import permutations

import pytest

from pipeline.model import InDoubt, NotSent, ReceiptKind, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    LEASE_SECONDS,
    NOW,
    OTHER,
    accepted,
    begin_one,
    enlist,
    finish,
    later,
    receipt,
    receive,
    records,
    states,
    take,
)

SENDING, SENT = ReceiptKind.SENDING, ReceiptKind.SENT
DELIVERED, FAILED = ReceiptKind.DELIVERED, ReceiptKind.FAILED


@pytest.fixture
def attempt(journal):
    enlist(journal)
    return begin_one(journal, take(journal), 1)


def one(journal):
    return records(journal)[1]


# --- Whose receipt it is -------------------------------------------------------------------------


def test_a_receipt_finds_its_message_by_the_tag_of_the_attempt(journal, attempt):
    assert receive(journal, receipt(tag=attempt.tag)) == 1

    assert (one(journal).state, one(journal).message_id) == ("delivered", "id-1")


def test_a_receipt_without_a_tag_finds_its_message_by_the_id(journal, attempt):
    finish(journal, attempt, accepted())

    assert receive(journal, receipt()) == 1

    assert one(journal).state == "delivered"


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param("somebody else's", id="no tag of ours"),
        pytest.param("r9.1.1", id="an unknown run"),
        pytest.param("r7k2.2.1", id="a message nobody tried"),
        pytest.param("r7k2.1.2", id="an attempt nobody began"),
    ],
)
def test_a_tag_that_fits_no_attempt_leaves_the_id_to_decide(journal, attempt, tag):
    assert receive(journal, receipt(tag=tag)) == 0
    assert states(journal) == {"sending": 1, "ready": 2}

    finish(journal, attempt, accepted())

    assert one(journal).state == "delivered"


def test_a_receipt_of_an_older_attempt_settles_the_message(journal, attempt):
    take(journal, owner=OTHER, now=later(LEASE_SECONDS))
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=later(40))
    grant = take(journal, owner="host:3:c", now=later(100))
    begin_one(journal, grant, 1, now=later(100))

    assert receive(journal, receipt(tag=attempt.tag)) == 1

    assert one(journal).state == "delivered"


def test_a_receipt_of_nobody_is_kept_with_its_raw_json(store):
    journal = store.open()

    assert journal.receive([(receipt(message_id="id-9"), b'{"a": 1}')], now=NOW) == 0
    assert store.receipts() == [b'{"a": 1}']


# --- Early, late, twice, out of order ------------------------------------------------------------


def test_a_receipt_that_came_before_the_answer_is_applied_when_the_id_is_known(journal, attempt):
    assert receive(journal, receipt()) == 0

    finish(journal, attempt, accepted(), at=later(8))

    record = one(journal)
    assert (record.state, record.final_at) == ("delivered", later(5))
    assert (record.accepted_at, record.http_status) == (later(5), 202)


def test_an_early_receipt_is_applied_when_a_tagged_one_tells_the_id(journal, attempt):
    receive(journal, receipt(FAILED, error_code=4720, description="invalid"))

    assert receive(journal, receipt(SENT, tag=attempt.tag)) == 1

    assert (one(journal).state, one(journal).error_code) == ("failed", "4720")


def test_a_receipt_after_a_lost_answer_settles_the_doubt(journal, attempt):
    finish(journal, attempt, InDoubt(reason="read timeout"))

    receive(journal, receipt(SENT, tag=attempt.tag))

    record = one(journal)
    assert (record.state, record.message_id, record.error) == ("accepted", "id-1", None)
    assert record.accepted_at == later(5)


def test_a_receipt_overrules_a_refusal_and_its_reason(journal, attempt):
    finish(journal, attempt, Rejected(http_status=400, error_code="x", error="refused"))

    receive(journal, receipt(SENT, tag=attempt.tag))

    record = one(journal)
    assert (record.state, record.error_code, record.error) == ("accepted", None, None)
    assert record.final_at is None


def test_a_receipt_after_a_release_stops_the_second_text(journal, attempt):
    finish(journal, attempt, InDoubt(reason="read timeout"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=NOW)

    receive(journal, receipt(tag=attempt.tag))

    assert one(journal).state == "delivered"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        pytest.param((SENDING,), "accepted", id="sending"),
        pytest.param((SENDING, SENT), "accepted", id="sent"),
        pytest.param((SENDING, SENT, DELIVERED), "delivered", id="delivered"),
        pytest.param((SENDING, SENT, FAILED), "failed", id="failed"),
        pytest.param((DELIVERED, FAILED), "failed", id="failed wins over delivered"),
    ],
)
def test_the_order_of_receipts_does_not_matter(store, kinds, expected):
    for number, order in enumerate(permutations(kinds)):
        journal = store.open()
        enlist(journal)
        grant = take(journal, owner=f"o{number}", now=later(number * LEASE_SECONDS))
        for tagged in (False, True):
            row = 1 + 2 * number + tagged
            attempt = begin_one(journal, grant, row, now=later(number * LEASE_SECONDS))
            message_id = f"id-{row}"
            finish(journal, attempt, accepted(message_id), owner=f"o{number}")
            tag = attempt.tag if tagged else None
            receive(journal, *(receipt(kind, message_id=message_id, tag=tag) for kind in order))

            assert records(journal)[row].state == expected


def test_the_same_receipt_twice_changes_nothing(store):
    journal = store.open()
    enlist(journal)
    finish(journal, begin_one(journal, take(journal), 1), accepted())
    once = receipt(FAILED, error_code=4720, description="invalid number")
    receive(journal, once)
    before = records(journal)

    assert receive(journal, once, once) == 2

    assert records(journal) == before
    assert len(store.receipts()) == 1


def test_a_receipt_that_was_applied_is_not_applied_again_by_a_late_answer(journal, attempt):
    receive(journal, receipt(tag=attempt.tag, carrier="AT&T"))
    before = one(journal)

    finish(journal, attempt, accepted(), at=later(60))

    assert one(journal) == before._replace(http_status=202, segments_billed=2)


@pytest.mark.parametrize(
    "outcome",
    [NotSent(reason="refused"), InDoubt(reason="reset"), Rejected(http_status=400)],
    ids=lambda outcome: type(outcome).__name__,
)
@pytest.mark.parametrize("kind", [SENT, DELIVERED, FAILED], ids=lambda kind: kind.value)
def test_an_opinion_never_undoes_what_the_provider_said(journal, attempt, kind, outcome):
    receive(journal, receipt(kind, tag=attempt.tag))
    before = one(journal)

    finish(journal, attempt, outcome, at=later(60))

    assert one(journal) == before


# --- What a receipt writes -----------------------------------------------------------------------


def test_a_receipt_tells_time_carrier_segments_and_cause(journal, attempt):
    finish(journal, attempt, accepted())

    receive(
        journal,
        receipt(FAILED, error_code=4720, description="invalid number", carrier="AT&T"),
    )

    record = one(journal)
    assert (record.state, record.error_code, record.error) == ("failed", "4720", "invalid number")
    assert (record.carrier, record.final_at, record.segments_billed) == ("AT&T", later(5), 2)


def test_segments_that_the_answer_did_not_tell_come_from_the_receipt(journal, attempt):
    receive(journal, receipt(SENT, tag=attempt.tag, segments_billed=3))

    assert one(journal).segments_billed == 3


def test_a_final_state_keeps_its_moment(journal, attempt):
    receive(journal, receipt(tag=attempt.tag, seconds=5), receipt(tag=attempt.tag, seconds=50))

    assert one(journal).final_at == later(5)
