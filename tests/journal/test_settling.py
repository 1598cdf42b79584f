"""Doubt in every store: listed, settled by an id that is nobody else's, or noted and left."""

from __future__ import annotations

import pytest

from pipeline.journal import Candidate, Evidence, Proof
from pipeline.journal.settling import Doubt
from pipeline.lifecycle import MessageState
from pipeline.model import InDoubt, NotSent, ReceiptKind
from tests.journal.builders import (
    CAMPAIGN,
    NOW,
    accepted,
    begin,
    begin_one,
    enlist,
    enlistment,
    finish,
    intent,
    later,
    receipt,
    receive,
    records,
    shard,
    states,
    take,
)

SENT, DELIVERED, FAILED = ReceiptKind.SENT, ReceiptKind.DELIVERED, ReceiptKind.FAILED
LOST = InDoubt(reason="no answer in time")


@pytest.fixture
def grant(journal):
    enlist(journal)
    return take(journal)


def doubt(journal, grant, row, *, now=NOW):
    attempt = begin_one(journal, grant, row, now=now)
    finish(journal, attempt, LOST)
    return attempt


def release(journal, *rows):
    return journal.release(CAMPAIGN, rows, by="ana", because="asked", now=NOW)


def proof(row, message_id="id-1", *, kind=SENT, attempts=1, campaign=CAMPAIGN, **more):
    told = receipt(kind, message_id=message_id, **more)
    return Proof(
        campaign=campaign,
        row=row,
        attempts=attempts,
        message_id=message_id,
        receipts=((told, b"{}"),),
    )


def settle(journal, *proofs):
    return journal.settle(proofs, now=later(60))


def found(journal):
    return {(each.row, each.state.value, each.attempts): each.begun_at for each in journal.doubts()}


# --- Which messages ------------------------------------------------------------------------------


def test_a_doubt_tells_when_its_attempt_was_begun_and_where_its_message_lies(journal, grant):
    doubt(journal, grant, 2, now=later(3))
    expected = Doubt(CAMPAIGN, grant.shard, 2, 1, MessageState.IN_DOUBT, (later(3),))
    assert journal.doubts() == [expected]


def test_open_attempts_are_doubtful_and_those_whose_end_is_known_are_not(journal, grant):
    begin_one(journal, grant, 1)
    finish(journal, begin_one(journal, grant, 2), accepted())
    finish(journal, begin_one(journal, grant, 3), NotSent(reason="429 queue full"))
    assert found(journal) == {(1, "sending", 1): (NOW,)}


def test_a_released_doubt_stays_one_when_another_attempt_has_followed(journal, grant):
    doubt(journal, grant, 1)
    release(journal, 1)
    assert found(journal) == {(1, "ready", 1): (NOW,)}
    second = begin_one(journal, grant, 1, now=later(9))
    assert found(journal) == {(1, "sending", 2): (NOW, later(9))}
    finish(journal, second, accepted())
    assert found(journal) == {(1, "accepted", 2): (NOW,)}


def test_an_attempt_that_was_not_sent_is_not_doubtful_when_the_next_one_is(journal, grant):
    finish(journal, begin_one(journal, grant, 1), NotSent(reason="429 queue full"))
    doubt(journal, grant, 1, now=later(9))
    assert found(journal) == {(1, "in_doubt", 2): (later(9),)}


def test_the_doubts_of_all_campaigns_are_told(journal, grant):
    doubt(journal, grant, 1)
    journal.enlist(enlistment(campaign="summer", run="r2"), [shard()])
    other = journal.take("summer", owner="o2", lease_seconds=9, now=NOW)
    begin(journal, other, intent(1))
    assert [each.campaign for each in journal.doubts()] == [CAMPAIGN, "summer"]


# --- What settles them ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "state"), [(SENT, "accepted"), (DELIVERED, "delivered"), (FAILED, "failed")]
)
def test_a_proof_is_applied_as_a_receipt_is(journal, grant, kind, state):
    doubt(journal, grant, 1)
    code = 4720 if kind is FAILED else None
    told = proof(1, kind=kind, segments_billed=2, carrier="Verizon", error_code=code)
    assert settle(journal, told) == [True]
    record = records(journal)[1]
    assert (record.state, record.message_id) == (state, "id-1")
    assert (record.segments_billed, record.carrier) == (2, "Verizon")
    assert journal.doubts() == []


def test_callbacks_that_nobody_could_match_are_applied_with_the_proof(journal, grant):
    doubt(journal, grant, 1)
    receive(journal, receipt(DELIVERED))
    settle(journal, proof(1))
    assert states(journal)["delivered"] == 1


def test_one_id_settles_one_message_whatever_the_order(journal, grant):
    doubt(journal, grant, 1)
    doubt(journal, grant, 2)
    assert settle(journal, proof(1), proof(2)) == [True, False]
    assert settle(journal, proof(2)) == [False]
    assert states(journal) == {"accepted": 1, "in_doubt": 1, "ready": 1}


def test_two_processes_at_the_same_time_settle_one_message_with_an_id(store):
    first, second = store.open(), store.open()
    enlist(first)
    grant = take(first)
    doubt(first, grant, 1)
    doubt(first, grant, 2)
    assert first.explained(["id-1"]) == second.explained(["id-1"]) == set()
    assert settle(first, proof(1)) == [True]
    assert settle(second, proof(2)) == [False], "the id explains two messages"
    assert second.explained(["id-1", "id-2"]) == {"id-1"}


def test_an_id_of_another_campaign_settles_nothing(journal, grant):
    doubt(journal, grant, 1)
    journal.enlist(enlistment(campaign="summer", run="r2"), [shard()])
    other = journal.take("summer", owner="o2", lease_seconds=9, now=NOW)
    (permit,) = begin(journal, other, intent(1))
    finish(journal, permit.attempt, accepted("id-9"), owner="o2")
    assert settle(journal, proof(1, "id-9")) == [False]
    assert states(journal)["in_doubt"] == 1


def test_the_id_of_an_earlier_attempt_is_still_its_messages(journal, grant):
    """A late answer of the first attempt, when the second has an id already."""
    first = doubt(journal, grant, 1)
    release(journal, 1)
    finish(journal, begin_one(journal, grant, 1), accepted("id-2"))
    finish(journal, first, accepted("id-1"))
    doubt(journal, grant, 2)
    assert records(journal)[1].message_id == "id-2"
    assert journal.explained(["id-1", "id-2"]) == {"id-1", "id-2"}
    assert settle(journal, proof(2, "id-1"), proof(2, "id-2")) == [False, False]


def test_a_second_id_that_a_receipt_told_by_tag_is_its_messages_too(journal, grant):
    first = doubt(journal, grant, 1)
    release(journal, 1)
    finish(journal, begin_one(journal, grant, 1), accepted("id-2"))
    receive(journal, receipt(DELIVERED, message_id="id-1", tag=first.tag))
    doubt(journal, grant, 2)
    assert settle(journal, proof(2, "id-1")) == [False]


@pytest.mark.parametrize("how", ["receipt", "answer"])
def test_the_id_of_a_released_attempt_that_is_told_late_is_still_its_messages(journal, grant, how):
    first = doubt(journal, grant, 1)
    release(journal, 1)
    second = begin_one(journal, grant, 1)
    if how == "receipt":
        receive(journal, receipt(SENT, message_id="id-1", tag=first.tag))
    else:
        finish(journal, first, accepted("id-1"))

    finish(journal, second, accepted("id-2"))
    doubt(journal, grant, 2)
    assert journal.explained({"id-1", "id-2", "id-3"}) == {"id-1", "id-2"}
    assert settle(journal, proof(2, "id-1")) == [False]


def test_a_text_that_was_told_under_a_tag_of_nobody_is_not_ours(journal, grant):
    doubt(journal, grant, 1)
    receive(journal, receipt(message_id="id-7", tag="somebody.1.1"))
    receive(journal, receipt(message_id="id-8", tag=""), receipt(message_id="id-9"))
    assert journal.explained(["id-7", "id-8", "id-9"]) == {"id-7"}


def test_a_text_that_was_set_apart_settles_nothing_and_a_messages_own_id_stays_its(journal, grant):
    doubt(journal, grant, 1)
    finish(journal, begin_one(journal, grant, 2), accepted("id-2"))
    for name in ("id-1", "id-1", "id-2"):
        journal.set_apart(name)

    assert journal.explained(["id-1", "id-2", "id-3"]) == {"id-1", "id-2"}
    assert settle(journal, proof(1, "id-1")) == [False]
    assert receive(journal, receipt(DELIVERED, message_id="id-1")) == 0
    assert receive(journal, receipt(DELIVERED, message_id="id-2")) == 1
    assert states(journal) == {"in_doubt": 1, "delivered": 1, "ready": 1}


def test_a_proof_of_a_message_that_was_attempted_again_is_void(journal, grant):
    doubt(journal, grant, 1)
    release(journal, 1)
    doubt(journal, grant, 1)
    assert settle(journal, proof(1, attempts=1)) == [False]
    assert settle(journal, proof(1, attempts=2)) == [True]


def test_what_the_listing_has_is_not_sent_again_although_it_was_released(journal, grant):
    doubt(journal, grant, 1)
    release(journal, 1)
    assert settle(journal, proof(1)) == [True]
    assert begin(journal, grant, intent(1))[0].reason == "accepted"


def test_a_message_that_was_never_in_doubt_is_not_settled(journal, grant):
    finish(journal, begin_one(journal, grant, 1), NotSent(reason="429 queue full"))
    assert settle(journal, proof(1), proof(2), proof(3, campaign="nobody's")) == [False] * 3
    assert states(journal) == {"ready": 3}


def test_a_failure_that_the_listing_tells_suppresses_like_any_other(journal, grant):
    doubt(journal, grant, 1)
    settle(journal, proof(1, kind=FAILED, error_code=4775))
    assert [each.number for page in journal.suppressions() for each in page] == ["+19195550123"]


# --- What does not -------------------------------------------------------------------------------


def test_what_was_noted_is_told_while_the_message_is_in_doubt(journal, grant):
    doubt(journal, grant, 1)
    doubt(journal, grant, 2)
    seen = (Candidate("id-1", later(1)), Candidate("id-2", later(2)))
    journal.note(CAMPAIGN, [Evidence(1, later(60), (), 0), Evidence(2, later(60), seen, 1)])
    journal.note(CAMPAIGN, [Evidence(1, later(90), seen[:1], 1)])
    assert journal.evidence(CAMPAIGN) == [
        Evidence(1, later(90), seen[:1], 1),
        Evidence(2, later(60), seen, 1),
    ]
    settle(journal, proof(2, "id-3"))
    assert [each.row for each in journal.evidence(CAMPAIGN)] == [1]
    assert journal.evidence("nobody's") == []


def test_what_was_noted_of_an_attempt_is_not_told_of_the_one_that_followed(journal, grant):
    doubt(journal, grant, 1)
    seen = (Candidate("id-1", later(1)),)
    journal.note(CAMPAIGN, [Evidence(1, later(60), seen, 0)])
    release(journal, 1)
    doubt(journal, grant, 1, now=later(90))
    assert journal.evidence(CAMPAIGN) == []
    journal.note(CAMPAIGN, [Evidence(1, later(120), (), 0)])
    assert journal.evidence(CAMPAIGN) == [Evidence(1, later(120), (), 0)]


# --- Whole campaigns -----------------------------------------------------------------------------


def test_the_listing_teaches_what_a_receipt_would_and_only_about_our_messages(journal, store):
    enlist(journal)
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted("id-1"))
    news = [
        (receipt(DELIVERED, message_id=name, carrier="AT&T"), b"{}") for name in ("id-1", "id-7")
    ]
    assert journal.learn(news, now=later(60)) == 1
    assert journal.learn(news, now=later(70)) == 0
    record = records(journal)[1]
    assert (record.state, record.carrier) == ("delivered", "AT&T")
    assert len(store.receipts()) == 1


def test_a_late_look_at_the_listing_does_not_take_a_failure_back(journal, grant):
    finish(journal, begin_one(journal, grant, 1), accepted("id-1"))
    receive(journal, receipt(FAILED, error_code=4700))
    assert journal.learn([(receipt(SENT), b"{}")], now=NOW) == 0
    assert journal.learn([(receipt(DELIVERED), b"{}")], now=NOW) == 1
    assert states(journal)["failed"] == 1


@pytest.mark.parametrize("attempts", [1, 2])
def test_what_the_listing_has_as_delivered_is_never_sent_again_although_it_failed(
    journal, grant, attempts
):
    """A failure that passes, with all that the listing could add: only the delivery is new."""
    for number in range(1, attempts + 1):
        finish(journal, begin_one(journal, grant, 1), accepted(f"id-{number}"))
        failure = receipt(FAILED, message_id=f"id-{number}", error_code=5106, carrier="AT&T")
        receive(journal, failure)
        if number < attempts:
            assert journal.retry(CAMPAIGN, [1], by="ana", because="asked", now=NOW) == 1

    assert journal.retryable(CAMPAIGN) == [1]
    told = [(receipt(DELIVERED, message_id="id-1", carrier="AT&T", segments_billed=2), b"{}")]
    assert [journal.learn(told, now=later(60)) for _ in range(2)] == [1, 0]
    assert journal.retryable(CAMPAIGN) == []
    assert states(journal)["failed"] == 1


def test_a_listed_delivery_of_what_failed_stops_the_attempt_that_is_to_follow(journal, grant):
    finish(journal, begin_one(journal, grant, 1), accepted("id-1"))
    receive(journal, receipt(FAILED, error_code=5106))
    journal.retry(CAMPAIGN, [1], by="ana", because="asked", now=NOW)
    finish(journal, begin_one(journal, grant, 1), NotSent(reason="busy"))
    assert journal.learn([(receipt(DELIVERED), b"{}")], now=later(60)) == 1
    (denied,) = begin(journal, grant, intent(1))
    assert denied.reason == "delivered"


def test_the_last_attempt_of_a_campaign_is_known(journal, grant):
    assert journal.last_attempt(CAMPAIGN) is None
    begin_one(journal, grant, 2, now=later(3))
    begin_one(journal, grant, 1, now=later(5))
    assert journal.last_attempt(CAMPAIGN) == later(5)
    assert journal.last_attempt("nobody's") is None


def test_silent_is_what_was_accepted_long_ago_without_a_receipt(journal, grant):
    for row in (1, 2, 3):
        attempt = begin_one(journal, grant, row)
        finish(journal, attempt, accepted(f"id-{row}"), at=later(row))

    receive(journal, receipt(DELIVERED, message_id="id-1"))
    counts = [journal.silent(CAMPAIGN, since=later(each)) for each in (1, 2, 3)]
    assert counts == [0, 1, 2]
    receive(journal, receipt(FAILED, message_id="id-2"))
    assert journal.silent(CAMPAIGN, since=later(9)) == 1
    assert journal.silent("nobody's", since=later(9)) == 0


def test_the_payloads_of_some_shards_can_be_read_alone(journal):
    enlist(journal, *(shard(number) for number in range(3)))
    assert list(journal.payloads(CAMPAIGN, {0, 2})) == [b"payload 0", b"payload 2"]
