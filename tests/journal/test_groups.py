"""A group message: one attempt, a row for each recipient, and every recipient's own end."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.journal import Budget, Denied, Intent, OverBudget, Pace, Permit, Sums, open_journal
from pipeline.journal.groups import WITH_ITS_GROUP
from pipeline.members import Member
from pipeline.model import InDoubt, NotSent, ReceiptKind, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    FAST,
    LEASE_SECONDS,
    NOW,
    OTHER,
    accepted,
    begin,
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

ANN, BOB, CID = (f"+1919555012{n}" for n in (3, 4, 5))
MEMBERS = (Member(1, "ann", ANN, 10), Member(3, "bob", BOB, 20), Member(4, "cid", CID, 40))
SENT, DELIVERED, FAILED = ReceiptKind.SENT, ReceiptKind.DELIVERED, ReceiptKind.FAILED
FREE, BILLED = 4404, 4720  # a failure that Bandwidth finds, and one that the carrier does


def together(*members: Member) -> Intent:
    return Intent(
        row=members[0].row,
        key=members[0].key,
        to=tuple(member.to for member in members),
        segments=len(members),
        cost_micros=sum(member.cost_micros for member in members),
        members=members,
    )


GROUP = together(*MEMBERS)


@pytest.fixture
def grant(journal):
    enlist(journal, shard(rows=5))
    return take(journal)


@pytest.fixture
def attempt(journal, grant):
    (permit,) = begin(journal, grant, GROUP)
    assert isinstance(permit, Permit)
    return permit.attempt


def ends(journal):
    return {row: record.state for row, record in records(journal).items()}


def says(to, kind=DELIVERED, **more):
    return replace(receipt(kind, **more), to=to)


def spent(journal):
    return journal.spending(CAMPAIGN, account=FAST.account, now=NOW).campaign


# --- Begun and finished together -----------------------------------------------------------------


def test_every_recipient_has_a_row_under_the_attempt_of_the_first(journal, attempt):
    assert (attempt.row, attempt.number) == (1, 1)
    assert ends(journal) == {1: "sending", 3: "sending", 4: "sending"}
    assert states(journal) == {"sending": 3, "ready": 2}
    assert [each.key for each in records(journal).values()] == ["ann", "bob", "cid"]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (accepted(), "accepted"),
        (Rejected(http_status=400), "rejected"),
        (NotSent(reason="429"), "ready"),
        (InDoubt(reason="reset"), "in_doubt"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_an_outcome_is_every_recipients(journal, attempt, outcome, state):
    finish(journal, attempt, outcome)
    assert set(ends(journal).values()) == {state}


def test_a_group_that_was_not_sent_is_tried_again_as_one(journal, grant, attempt):
    finish(journal, attempt, NotSent(reason="429"))
    (permit,) = begin(journal, grant, GROUP)
    assert permit.attempt.tag == "r7k2.1.2"
    assert {each.attempts for each in records(journal).values()} == {2}
    finish(journal, attempt, accepted("id-late"))  # the first attempt was taken after all
    assert ends(journal) == {1: "accepted", 3: "accepted", 4: "accepted"}


def test_after_a_crash_the_whole_group_is_in_doubt_and_nobody_in_it_is_sent_again(journal, attempt):
    grant = take(journal, owner=OTHER, now=later(LEASE_SECONDS))
    assert grant.settled == {1, 3, 4}
    assert set(ends(journal).values()) == {"in_doubt"}
    (answer,) = begin(journal, grant, GROUP)
    assert answer == Denied(row=1, reason="in_doubt")


def test_a_release_of_one_recipient_releases_the_group(store):
    journal = store.open()
    enlist(journal, shard(rows=5))
    (permit,) = begin(journal, take(journal), GROUP)
    finish(journal, permit.attempt, InDoubt(reason="reset"))
    assert journal.release(CAMPAIGN, [4, 1], by="ana", because="asked", now=NOW) == 3
    assert states(journal) == {"ready": 5}
    assert sorted(row for row, *_ in store.events()) == [1, 3, 4]


def test_a_shard_is_done_when_every_recipients_row_is(journal, grant, attempt):
    for row in (2, 5):
        (permit,) = begin(journal, grant, intent(row))
        finish(journal, permit.attempt, accepted(f"id-{row}"))

    finish(journal, attempt, accepted("id-g"))
    journal.leave(grant)
    assert journal.take(CAMPAIGN, owner=OTHER, lease_seconds=1, now=later(99)) is None


# --- Nobody twice, nobody who asked not to be texted ---------------------------------------------


def test_a_suppressed_recipient_cancels_the_group(journal, grant):
    journal.suppress([BOB], source="reply", because="STOP", now=NOW)
    (answer,) = begin(journal, grant, GROUP)
    assert answer == Denied(row=1, reason="suppressed")
    assert set(ends(journal).values()) == {"cancelled"}
    errors = [each.error for each in records(journal).values()]
    assert errors == [WITH_ITS_GROUP, "suppressed", WITH_ITS_GROUP]
    assert spent(journal) == Sums()


def test_who_asked_for_no_more_texts_between_two_tries_gets_none(journal, grant, attempt):
    finish(journal, attempt, NotSent(reason="429"))
    journal.suppress([CID], source="reply", because="STOP", now=NOW)
    (answer,) = begin(journal, grant, GROUP)
    assert isinstance(answer, Denied)
    assert set(ends(journal).values()) == {"cancelled"}


def test_a_recipient_who_was_texted_alone_keeps_his_group_from_being_sent(journal, grant):
    (permit,) = begin(journal, grant, intent(2, key="cid", to=(CID,)))
    assert isinstance(permit, Permit)
    (answer,) = begin(journal, grant, GROUP)
    assert answer == Denied(row=1, reason="duplicate")
    assert ends(journal) == {1: "cancelled", 2: "sending", 3: "cancelled", 4: "cancelled"}
    assert records(journal)[4].key is None


def test_a_recipient_of_a_group_is_not_texted_alone_or_in_another_one(journal, grant, attempt):
    alone = intent(2, key="bob", to=(BOB,))
    other = together(Member(2, "dan", "+19195550126"), Member(5, "cid", CID))
    for each in (alone, other):
        (answer,) = begin(journal, grant, each)
        assert isinstance(answer, Denied)

    assert ends(journal)[2] == "cancelled"


# --- Rate and money ------------------------------------------------------------------------------


def test_a_group_takes_the_rate_of_all_its_recipients(journal, grant):
    pace = Pace(account="a", rate_segments_per_second=2)
    first, second = begin(journal, grant, GROUP, intent(2), pace=pace)
    assert (second.start_at - first.start_at).total_seconds() == 1.5


def test_a_budget_reserves_what_all_recipients_cost(journal, grant):
    (answer,) = begin(journal, grant, GROUP, budget=Budget(campaign_micros=69))
    assert answer == OverBudget(row=1, budget="campaign")
    assert states(journal) == {"ready": 5}
    (permit,) = begin(journal, grant, GROUP, budget=Budget(campaign_micros=70))
    assert isinstance(permit, Permit)
    assert spent(journal) == Sums(sending=70)


def test_each_recipient_is_billed_by_his_own_end(journal, attempt):
    finish(journal, attempt, replace(accepted(), segments_billed=1))
    assert spent(journal) == Sums(spent=70)
    receive(journal, says(BOB, FAILED, error_code=FREE), says(CID, FAILED, error_code=BILLED))
    assert spent(journal) == Sums(spent=50)
    receive(journal, says(ANN))
    assert spent(journal) == Sums(spent=50)


# --- Receipts ------------------------------------------------------------------------------------


def test_a_receipt_is_its_recipients_and_failed_wins(journal, attempt):
    finish(journal, attempt, accepted())
    receive(
        journal,
        says(ANN),
        says(BOB, FAILED, error_code=FREE, description="no such number"),
        says(BOB),
    )
    assert ends(journal) == {1: "delivered", 3: "failed", 4: "accepted"}
    found = records(journal)
    assert [found[row].error_code for row in (1, 3, 4)] == [None, "4404", None]
    assert {each.message_id for each in found.values()} == {"id-1"}


def test_one_recipients_receipt_proves_that_nobody_of_the_group_is_in_doubt(journal, attempt):
    finish(journal, attempt, InDoubt(reason="reset"))
    receive(journal, says(BOB, FAILED, error_code=BILLED, tag=attempt.tag))
    assert ends(journal) == {1: "accepted", 3: "failed", 4: "accepted"}
    assert journal.release(CAMPAIGN, [1, 3, 4], by="ana", because="asked", now=NOW) == 0


def test_receipts_that_come_before_the_answer_find_their_rows(journal, attempt):
    assert receive(journal, says(CID), says(ANN, FAILED, error_code=BILLED)) == 0
    assert set(ends(journal).values()) == {"sending"}
    finish(journal, attempt, accepted())
    assert ends(journal) == {1: "failed", 3: "accepted", 4: "delivered"}


def test_a_receipt_about_nobody_in_the_group_only_proves_that_it_was_taken(journal, attempt):
    receive(journal, says("+19195559999", tag=attempt.tag))
    assert set(ends(journal).values()) == {"accepted"}


def test_a_recipient_who_has_opted_out_is_suppressed_and_the_others_are_not(store):
    journal = store.open()
    enlist(journal, shard(rows=5))
    (permit,) = begin(journal, take(journal), GROUP)
    finish(journal, permit.attempt, accepted())
    receive(journal, says(BOB, FAILED, error_code=4775))
    assert list(store.suppressions()) == [BOB]


@settings(max_examples=60)
@given(data=st.data())
def test_receipts_in_every_order_twice_and_early_end_the_same(data):
    told = [
        each
        for to, kinds in ((ANN, (SENT, DELIVERED)), (BOB, (DELIVERED, FAILED)), (CID, (FAILED,)))
        for kind in kinds
        for each in [says(to, kind, error_code=BILLED if kind is FAILED else None)]
    ]
    order = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told)))))
    answered_after = data.draw(st.integers(0, len(order)))
    journal = open_journal("memory:")
    enlist(journal, shard(rows=5))
    (permit,) = begin(journal, take(journal), GROUP)
    for each in order[:answered_after]:
        receive(journal, each)

    finish(journal, permit.attempt, accepted())
    for each in order[answered_after:]:
        receive(journal, each)

    assert ends(journal) == {1: "delivered", 3: "failed", 4: "failed"}


def test_the_order_of_receipts_does_not_matter_in_any_store(store):
    told = (says(ANN), says(BOB), says(BOB, FAILED), says(CID, SENT))
    for number, order in enumerate(permutations(told)):
        journal, name = store.open(), f"o{number}"
        if number == 0:
            enlist(journal, shard(rows=3 * 24))

        grant = take(journal, owner=name, now=later(number * LEASE_SECONDS))
        first = 3 * number
        members = [
            each._replace(row=first + place, key=f"{name}-{place}")
            for place, each in enumerate(MEMBERS, start=1)
        ]
        (permit,) = begin(journal, grant, together(*members), now=later(number * LEASE_SECONDS))
        finish(journal, permit.attempt, accepted(name), owner=name)
        receive(journal, *(replace(each, message_id=name) for each in order))
        found = records(journal)
        assert [found[first + place].state for place in (1, 2, 3)] == [
            "delivered",
            "failed",
            "accepted",
        ]
