"""What people decide: release and suppress."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.journal import Decision, Sums
from pipeline.model import InDoubt, NotSent, ReceiptKind
from tests.journal.builders import (
    CAMPAIGN,
    FAST,
    NOW,
    OTHER,
    RUN,
    accepted,
    begin,
    begin_one,
    enlist,
    finish,
    intent,
    later,
    reasons,
    receipt,
    receive,
    records,
    shard,
    states,
    take,
)


def doubtful(journal, *rows):
    enlist(journal, shard(rows=max(rows)))
    grant = take(journal)
    for row in rows:
        finish(journal, begin_one(journal, grant, row), InDoubt(reason="read timeout"))

    return grant


def release(journal, *rows, campaign=CAMPAIGN):
    return journal.release(campaign, rows, by="ana", because="customer asked", now=NOW)


def test_a_released_message_is_ready_and_its_next_attempt_has_the_next_number(journal):
    grant = doubtful(journal, 1)

    assert release(journal, 1) == 1

    assert (records(journal)[1].state, records(journal)[1].error) == ("ready", None)
    assert begin_one(journal, grant, 1).number == 2


def test_a_release_is_recorded_with_the_name_and_the_reason(store):
    journal = store.open()
    doubtful(journal, 1, 2)

    release(journal, 2)

    assert store.events() == [(2, "release", "ana", "customer asked")]


def test_a_release_opens_a_shard_that_was_done(journal):
    journal.leave(doubtful(journal, 1))
    assert journal.take(CAMPAIGN, owner=OTHER, lease_seconds=1, now=NOW) is None

    release(journal, 1)

    assert take(journal, owner=OTHER).settled == frozenset()


def test_only_messages_in_doubt_are_released(store):
    journal = store.open()
    enlist(journal, shard(rows=5))
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted())
    finish(journal, begin_one(journal, grant, 2), NotSent(reason="refused"))
    begin_one(journal, grant, 3)
    begin(journal, grant, intent(4, key="key-1"))
    before = records(journal)

    assert release(journal, 1, 2, 3, 4, 5, 99) == 0

    assert records(journal) == before
    assert store.events() == []


def test_a_row_named_twice_is_released_once(journal):
    doubtful(journal, 1, 2)

    assert release(journal, 1, 1, 2) == 2


def test_nothing_of_an_unknown_campaign_is_released(journal):
    assert release(journal, 1, campaign="unknown") == 0


def test_a_released_message_of_a_leased_shard_is_found_by_the_next_owner(journal):
    grant = doubtful(journal, 1)
    release(journal, 1)

    journal.leave(grant)

    assert take(journal, owner=OTHER).settled == frozenset()


# --- Writing off ---------------------------------------------------------------------------------


def write_off(journal, *rows):
    return journal.write_off(CAMPAIGN, rows, by="ana", because="too late now", now=later(9))


def test_a_doubt_that_is_written_off_is_final_and_keeps_what_made_it_one(store):
    journal = store.open()
    grant = doubtful(journal, 1, 2)

    assert write_off(journal, 2) == 1

    record = records(journal)[2]
    assert (record.state, record.error) == ("written_off", "read timeout")
    assert (record.accepted_at, record.final_at) == (None, later(9))
    assert reasons(begin(journal, grant, intent(2))) == ["written_off"]
    assert release(journal, 2) == 0
    assert store.events() == [(2, "write_off", "ana", "too late now")]
    assert take(journal, owner=OTHER, now=later(99)).settled == {1, 2}


def test_what_was_written_off_may_still_be_the_text_that_the_listing_shows(journal):
    """Else another message to the same number would be said to be that text."""
    doubtful(journal, 1)
    write_off(journal, 1)

    assert [(each.row, each.state, each.begun_at) for each in journal.doubts()] == [
        (1, "written_off", (NOW,))
    ]


def test_only_a_doubt_is_written_off(journal):
    enlist(journal, shard(rows=3))
    finish(journal, begin_one(journal, take(journal), 1), accepted())

    assert write_off(journal, 1, 2, 3, 99) == 0
    assert states(journal) == {"accepted": 1, "ready": 2}


@pytest.mark.parametrize(
    ("kind", "state"),
    [(ReceiptKind.SENT, "accepted"), (ReceiptKind.DELIVERED, "delivered"),
     (ReceiptKind.FAILED, "failed")],
    ids=str,
)  # fmt: skip
def test_evidence_still_settles_what_was_written_off(journal, kind, state):
    doubtful(journal, 1)
    write_off(journal, 1)

    receive(journal, receipt(kind, tag=f"{RUN}.1.1"))

    assert states(journal) == {state: 1}


def test_what_was_written_off_costs_until_there_is_proof_that_it_was_not_sent(journal):
    enlist(journal, shard(rows=1))
    (permit,) = begin(journal, take(journal), intent(1, cost_micros=4_000))
    finish(journal, permit.attempt, InDoubt(reason="read timeout"))
    write_off(journal, 1)
    spending = journal.spending(CAMPAIGN, account=FAST.account, now=NOW).campaign
    assert spending == Sums(spent=4_000)

    finish(journal, permit.attempt, NotSent(reason="late"), at=later(20))

    record = records(journal)[1]
    assert (record.state, record.final_at) == ("cancelled", later(20))
    assert journal.spending(CAMPAIGN, account=FAST.account, now=NOW).campaign == Sums()


# --- Pause ---------------------------------------------------------------------------------------


def test_a_pause_is_seen_by_everybody_until_somebody_ends_it(store):
    journal = store.open()
    enlist(journal)
    assert journal.paused(CAMPAIGN) is None

    assert journal.pause(CAMPAIGN, by="ana", because="wrong text", now=NOW)
    assert not journal.pause(CAMPAIGN, by="ben", because="me too", now=later(1))
    pause = store.open().paused(CAMPAIGN)
    assert pause == Decision(0, "pause", "ana", "wrong text", NOW)

    assert store.open().resume(CAMPAIGN, by="ben", because="", now=later(2))
    assert not journal.resume(CAMPAIGN, by="ben", because="", now=later(3))
    assert journal.paused(CAMPAIGN) is None
    assert journal.decisions(CAMPAIGN) == [pause, Decision(0, "resume", "ben", "", later(2))]


def test_what_is_unknown_cannot_be_paused(journal):
    assert not journal.pause("unknown", by="ana", because="", now=NOW)
    assert journal.paused("unknown") is None
    assert journal.decisions("unknown") == []


# --- Suppression ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "new"),
    [
        pytest.param(["+19195550101", "+19195550102"], 2, id="two"),
        pytest.param(["+19195550101", "+19195550101"], 1, id="one twice"),
        pytest.param([], 0, id="none"),
    ],
)
def test_suppress_counts_the_numbers_that_are_new(journal, numbers, new):
    assert journal.suppress(iter(numbers), source="file", because="opt-out", now=NOW) == new
    assert journal.suppress(iter(numbers), source="file", because="opt-out", now=NOW) == 0


def test_a_number_keeps_its_first_source_and_reason(store):
    journal = store.open()
    journal.suppress(["+19195550101"], source="operator", because="STOP", now=NOW)
    journal.suppress(["+19195550101"], source="reply", because="texted STOP", now=NOW)
    journal.suppress(["+19195550101"], source="file", because="list", now=NOW)

    assert store.suppressions() == {"+19195550101": ("operator", "STOP")}


def test_a_suppressed_number_gets_no_text_in_any_campaign_for_ever(store):
    store.open().suppress(["+19195550123"], source="operator", because="STOP", now=NOW)
    journal = store.open()
    enlist(journal)

    grant = take(journal, now=NOW.replace(year=2036))

    assert reasons(begin(journal, grant, intent(1), now=NOW.replace(year=2036))) == ["suppressed"]
    assert states(journal) == {"cancelled": 1, "ready": 2}


def listed(journal):
    return [
        (each.number, each.source, each.because, each.at)
        for page in journal.suppressions()
        for each in page
    ]


def test_the_suppression_list_says_since_when_and_why_in_order(journal):
    later = NOW + timedelta(days=1)
    journal.suppress(["+19195550102"], source="operator", because="STOP", now=NOW)
    journal.suppress(["+19195550101", "+19195550102"], source="file", because="list", now=later)

    assert listed(journal) == [
        ("+19195550101", "file", "list", later),
        ("+19195550102", "operator", "STOP", NOW),
    ]


def test_a_long_suppression_list_comes_in_pages(journal):
    numbers = [f"+1919{line:07}" for line in range(25_000)]
    journal.suppress(numbers, source="file", because="list", now=NOW)

    pages = list(journal.suppressions())

    assert [len(page) for page in pages] == [10_000, 10_000, 5_000]
    assert [each.number for page in pages for each in page] == numbers


def test_an_empty_suppression_list_has_no_pages(journal):
    assert list(journal.suppressions()) == []


def test_a_lifted_number_gets_texts_again(journal):
    journal.suppress(["+19195550123", "+19195550124"], source="reply", because="STOP", now=NOW)

    lifted = journal.lift(
        ["+19195550123", "+19195550123", "+19195550199"], by="ana", because="asked", now=NOW
    )

    assert lifted == 1
    assert [number for number, *_ in listed(journal)] == ["+19195550124"]
    enlist(journal)
    assert reasons(begin(journal, take(journal), intent(1))) == ["permit"]


def test_a_lifted_suppression_is_remembered_with_the_name_and_the_reason(store):
    journal = store.open()
    journal.suppress(["+19195550123"], source="reply", because="STOP", now=NOW)
    journal.lift(["+19195550123"], by="ana", because="asked", now=NOW)

    assert store.lifted() == [("+19195550123", "reply", "STOP", "ana", "asked")]


def test_a_number_can_be_suppressed_again(journal):
    for because in ("first", "second"):
        journal.suppress(["+19195550123"], source="reply", because=because, now=NOW)
        journal.lift(["+19195550123"], by="ana", because="asked", now=NOW)

    assert journal.suppress(["+19195550123"], source="reply", because="third", now=NOW) == 1
    assert [because for _, _, because, _ in listed(journal)] == ["third"]


def test_the_payloads_of_a_campaign_come_in_the_order_of_its_shards(journal):
    enlist(journal, shard(1, rows=2, phase=0), shard(0, rows=2, phase=1))

    assert list(journal.payloads(CAMPAIGN)) == [shard(0).payload, shard(1).payload]
    assert list(journal.payloads("unknown")) == []
