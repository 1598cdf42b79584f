"""Failed messages that are sent again: which, and what the earlier attempt may still say."""

from __future__ import annotations

import pytest

from pipeline.journal import Sums
from pipeline.model import Accepted, InDoubt, NotSent, ReceiptKind, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    FAST,
    NOW,
    accepted,
    begin,
    begin_one,
    enlist,
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

UNREACHABLE, OUTAGE, NO_NUMBER, NO_RECEIPT = 4701, 5106, 4720, 9902
MAY_BE_HELD = 4702
COST = 4_000


@pytest.fixture
def grant(journal):
    enlist(journal, shard(rows=9))
    return take(journal)


def fail(journal, grant, row, code=UNREACHABLE):
    """A message goes out and fails; returns its attempt."""
    (permit,) = begin(journal, grant, intent(row, cost_micros=COST))
    number = permit.attempt.number
    outcome = Accepted(message_id=f"id-{row}-{number}", segments_billed=1)
    finish(journal, permit.attempt, outcome)
    told(journal, permit.attempt, FAILED, code=code)
    return permit.attempt


def told(journal, attempt, kind, *, code=None, tagged=True, seconds=5):
    return receive(
        journal,
        receipt(
            kind,
            message_id=f"id-{attempt.row}-{attempt.number}",
            tag=attempt.tag if tagged else None,
            seconds=seconds,
            error_code=code,
        ),
    )


def retry(journal, *rows):
    return journal.retry(CAMPAIGN, rows, by="ana", because="carrier is back", now=later(20))


def spent(journal):
    return journal.spending(CAMPAIGN, account=FAST.account, now=NOW).campaign


# --- Which ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "again"),
    [
        pytest.param(UNREACHABLE, True, id="passes, found by the carrier"),
        pytest.param(OUTAGE, True, id="passes, found by Bandwidth"),
        pytest.param(NO_NUMBER, False, id="permanent"),
        pytest.param(NO_RECEIPT, False, id="perhaps a second text"),
        pytest.param(MAY_BE_HELD, False, id="the carrier may still hold it"),
        pytest.param(5789, False, id="not in the table"),
        pytest.param(None, False, id="without a code"),
    ],
)
def test_only_an_error_that_passes_by_the_table_is_sent_again(journal, grant, code, again):
    fail(journal, grant, 1, code)

    assert journal.retryable(CAMPAIGN) == [1] * again
    assert retry(journal, 1) == again
    assert records(journal)[1].state == ("ready" if again else "failed")


def test_nothing_but_a_failure_is_sent_again(journal, grant):
    finish(journal, begin_one(journal, grant, 1), accepted("id-1"))
    finish(journal, begin_one(journal, grant, 2), InDoubt(reason="reset"))
    finish(journal, begin_one(journal, grant, 3), Rejected(http_status=400, error_code="5106"))
    finish(journal, begin_one(journal, grant, 4), NotSent(reason="refused"))
    begin_one(journal, grant, 5)
    before = records(journal)

    assert journal.retryable(CAMPAIGN) == []
    assert retry(journal, *range(10)) == 0
    assert records(journal) == before
    assert journal.decisions(CAMPAIGN) == []


@pytest.mark.parametrize("first", [True, False], ids=["delivered first", "failed first"])
def test_what_somebody_got_is_never_sent_again_whatever_else_is_said_of_it(journal, grant, first):
    """Also a group: it fails where one of its members does, and the others have it."""
    attempt = begin_one(journal, grant, 1)
    finish(journal, attempt, accepted("id-1-1"))
    kinds = [(DELIVERED, None), (FAILED, UNREACHABLE)]
    for kind, code in kinds if first else reversed(kinds):
        told(journal, attempt, kind, code=code)

    assert records(journal)[1].state == "failed"
    assert retry(journal, 1) == 0


def test_what_an_operator_decided_about_is_not_sent_again_by_itself(journal, grant):
    finish(journal, begin_one(journal, grant, 1), InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=NOW)
    fail(journal, grant, 1)
    attempt = begin_one(journal, grant, 2)
    finish(journal, attempt, InDoubt(reason="reset"))
    journal.write_off(CAMPAIGN, [2], by="ana", because="asked", now=NOW)
    told(journal, attempt, FAILED, code=OUTAGE)

    assert [records(journal)[row].state for row in (1, 2)] == ["failed", "failed"]
    assert journal.retryable(CAMPAIGN) == []


def test_a_failure_at_the_carrier_is_sent_again_once_and_one_at_bandwidth_as_often_as_asked(
    journal, grant
):
    for _ in range(2):
        fail(journal, grant, 1, UNREACHABLE)
        fail(journal, grant, 2, OUTAGE)
        retry(journal, 1, 2)

    assert states(journal) == {"failed": 1, "ready": 8}
    fail(journal, grant, 2, UNREACHABLE)
    assert retry(journal, 2) == 1, "the carrier failed it for the first time"


def test_a_retry_is_recorded_once_with_the_name_and_the_reason(journal, grant):
    fail(journal, grant, 1)
    fail(journal, grant, 2)

    assert retry(journal, 1, 2, 3) == 2

    (decision,) = journal.decisions(CAMPAIGN)
    assert decision == (0, "retry", "ana", "carrier is back", later(20))


def test_a_retry_opens_a_shard_that_was_done(journal):
    enlist(journal, shard(rows=1))
    grant = take(journal)
    fail(journal, grant, 1)
    journal.leave(grant)
    retry(journal, 1)

    again = take(journal, owner="host:3:c")
    assert again.settled == frozenset()
    (permit,) = begin(journal, again, intent(1))
    assert permit.attempt.number == 2


# --- What the earlier attempt may still say ------------------------------------------------------

LATE = pytest.mark.parametrize("tagged", [True, False], ids=["by tag", "by id"])


@LATE
@pytest.mark.parametrize("kind", [SENT, FAILED], ids=lambda kind: kind.value)
@pytest.mark.parametrize("begun", [False, True], ids=["not yet sent again", "sent again"])
def test_late_receipts_of_what_failed_do_not_touch_the_next_attempt(
    journal, grant, tagged, kind, begun
):
    attempt = fail(journal, grant, 1)
    retry(journal, 1)
    if begun:
        begin_one(journal, grant, 1)

    before = records(journal)
    assert told(journal, attempt, kind, code=NO_NUMBER, tagged=tagged, seconds=60) == 1
    finish(journal, attempt, accepted("id-1-1"), at=later(61))
    finish(journal, attempt, Rejected(http_status=400), at=later(62))
    finish(journal, attempt, InDoubt(reason="reset"), at=later(63))

    assert records(journal) == before


@LATE
def test_a_late_delivery_of_the_first_attempt_stops_the_second(journal, grant, tagged):
    attempt = fail(journal, grant, 1)
    retry(journal, 1)

    assert told(journal, attempt, DELIVERED, tagged=tagged, seconds=60) == 1

    record = records(journal)[1]
    assert (record.state, record.message_id) == ("delivered", "id-1-1")
    assert (record.error_code, record.error, record.final_at) == (None, None, later(60))
    (denied,) = begin(journal, grant, intent(1))
    assert denied.reason == "delivered"
    assert journal.retryable(CAMPAIGN) == []


@LATE
def test_a_late_delivery_is_believed_also_while_the_second_attempt_is_open(journal, grant, tagged):
    attempt = fail(journal, grant, 1)
    retry(journal, 1)
    second = begin_one(journal, grant, 1)
    told(journal, attempt, DELIVERED, tagged=tagged, seconds=60)
    finish(journal, second, accepted("id-1-2"), at=later(61))

    assert (records(journal)[1].state, records(journal)[1].attempts) == ("delivered", 2)
    told(journal, second, FAILED, code=UNREACHABLE, seconds=90)
    assert journal.retryable(CAMPAIGN) == []


def test_the_second_attempt_has_a_record_of_its_own(journal, grant):
    fail(journal, grant, 1)
    retry(journal, 1)
    assert records(journal)[1].error_code == str(UNREACHABLE), "why it is sent again"

    second = begin_one(journal, grant, 1)
    assert records(journal)[1][4:12] == (None,) * 8
    finish(journal, second, accepted("id-1-2"), at=later(30))
    told(journal, second, DELIVERED, tagged=False, seconds=40)

    record = records(journal)[1]
    assert (record.state, record.attempts, record.message_id) == ("delivered", 2, "id-1-2")
    assert (record.accepted_at, record.final_at) == (later(30), later(40))


def test_a_failure_of_a_released_doubt_does_not_fail_the_attempt_that_followed(journal, grant):
    first = begin_one(journal, grant, 1)
    finish(journal, first, InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=NOW)
    second = begin_one(journal, grant, 1)
    told(journal, first, FAILED, code=UNREACHABLE)
    assert records(journal)[1].state == "sending"

    finish(journal, second, accepted("id-1-2"))
    told(journal, first, FAILED, code=UNREACHABLE, tagged=False, seconds=6)
    assert records(journal)[1].state == "accepted"


def test_who_asked_for_no_more_texts_meanwhile_gets_none(journal, grant):
    fail(journal, grant, 1)
    retry(journal, 1)
    journal.suppress(["+19195550123"], source="operator", because="asked", now=NOW)

    (denied,) = begin(journal, grant, intent(1))

    assert denied.reason == "suppressed"
    assert (records(journal)[1].state, records(journal)[1].error) == ("cancelled", "suppressed")
    assert spent(journal) == Sums(spent=COST), "the failure was billed"


# --- Money ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "cost"),
    [pytest.param(UNREACHABLE, COST, id="billed"), pytest.param(OUTAGE, 0, id="free")],
)
def test_a_failure_keeps_what_it_cost_and_the_next_attempt_costs_again(journal, grant, code, cost):
    fail(journal, grant, 1, code)
    retry(journal, 1)
    assert spent(journal).total == cost
    assert records(journal)[1].earlier_micros == 0

    (permit,) = begin(journal, grant, intent(1, cost_micros=COST))
    assert spent(journal) == Sums(sending=COST, spent=cost)
    assert records(journal)[1].earlier_micros == cost
    finish(journal, permit.attempt, Rejected(http_status=400))
    assert spent(journal) == Sums(spent=cost)


def test_a_failure_costs_what_the_provider_counted(journal, grant):
    (permit,) = begin(journal, grant, intent(1, segments=1, cost_micros=COST))
    finish(journal, permit.attempt, accepted("id-1-1"))  # it counted two
    told(journal, permit.attempt, FAILED, code=UNREACHABLE)
    retry(journal, 1)
    assert spent(journal) == Sums(spent=2 * COST)

    begin(journal, grant, intent(1, segments=1, cost_micros=COST))
    assert spent(journal) == Sums(sending=COST, spent=2 * COST)
    assert records(journal)[1].earlier_micros == 2 * COST
