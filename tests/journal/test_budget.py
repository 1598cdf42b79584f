"""Money is reserved with the intent and settled with the outcome: no budget is ever passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.journal import NO_BUDGET, Budget, OverBudget, Pace, Permit, Spending, Sums
from pipeline.model import Accepted, Halted, InDoubt, NotSent, ReceiptKind, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    FAST,
    NOW,
    OTHER,
    begin,
    enlist,
    enlistment,
    finish,
    intent,
    later,
    receipt,
    receive,
    shard,
    states,
    take,
)

CENT = 10_000
FOR_TWO = Budget(campaign_micros=2 * CENT)


def costing(row, *, cents=1, segments=1, **more):
    return intent(row, segments=segments, cost_micros=cents * CENT, **more)


def spending(journal, *, campaign=CAMPAIGN, account=FAST.account, now=NOW):
    return journal.spending(campaign, account=account, now=now)


def of_campaign(journal):
    return spending(journal).campaign


def words(answers):
    return [
        answer.budget if isinstance(answer, OverBudget) else type(answer).__name__
        for answer in answers
    ]


@pytest.fixture
def grant(journal):
    enlist(journal, shard(rows=9))
    return take(journal)


def begun(journal, grant, row, **more):
    (permit,) = begin(journal, grant, costing(row, **more))
    assert isinstance(permit, Permit)
    return permit.attempt


# --- Reserved ------------------------------------------------------------------------------------


def test_messages_begin_until_the_next_one_would_pass_the_budget(journal, grant):
    answers = begin(journal, grant, *(costing(row) for row in (1, 2, 3)), budget=FOR_TWO)
    assert words(answers) == ["Permit", "Permit", "campaign"]
    assert words(begin(journal, grant, costing(4), budget=FOR_TWO)) == ["campaign"]
    assert states(journal) == {"sending": 2, "ready": 7}
    assert of_campaign(journal) == Sums(sending=2 * CENT)


def test_a_budget_may_be_used_to_the_last_millionth_and_no_further(journal, grant):
    exact, less = Budget(campaign_micros=CENT), Budget(campaign_micros=CENT - 1)
    assert words(begin(journal, grant, costing(1), budget=less)) == ["campaign"]
    assert words(begin(journal, grant, costing(1), budget=exact)) == ["Permit"]


def test_a_cheaper_message_may_begin_where_a_dearer_one_does_not_fit(journal, grant):
    answers = begin(journal, grant, costing(1, cents=3), costing(2), budget=FOR_TWO)
    assert words(answers) == ["campaign", "Permit"]


def test_a_message_over_budget_leaves_the_rate_to_others(journal, grant):
    slow = Pace(account="a", rate_segments_per_second=1)
    none = Budget(campaign_micros=0)
    assert words(begin(journal, grant, costing(1), pace=slow, budget=none)) == ["campaign"]
    (permit,) = begin(journal, grant, costing(2), pace=slow)
    assert permit.start_at == NOW


def test_without_a_budget_money_is_counted_all_the_same(journal, grant):
    begin(journal, grant, costing(1), budget=NO_BUDGET)
    assert words(begin(journal, grant, costing(2), budget=Budget(campaign_micros=CENT))) == [
        "campaign"
    ]


def test_a_suppressed_recipient_reserves_nothing(journal, grant):
    journal.suppress(["+19195550123"], source="s", because="b", now=NOW)
    assert words(begin(journal, grant, costing(1), budget=FOR_TWO)) == ["Denied"]
    assert of_campaign(journal) == Sums()


def test_a_larger_budget_goes_on_where_the_smaller_one_stopped(journal, grant):
    begin(journal, grant, costing(1), costing(2), costing(3), budget=FOR_TWO)
    larger = Budget(campaign_micros=3 * CENT)
    assert words(begin(journal, grant, costing(3), costing(4), budget=larger)) == [
        "Permit",
        "campaign",
    ]


def test_an_undone_transaction_reserves_nothing(journal, grant):
    def fail():
        with journal.transaction():
            begin(journal, grant, costing(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert of_campaign(journal) == Sums()


def test_a_campaign_nobody_knows_has_spent_nothing(journal):
    assert spending(journal, campaign="winter") == Spending(Sums(), Sums())


# --- Settled -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (Accepted(message_id="id-1", segments_billed=1), Sums(spent=CENT)),
        (Accepted(message_id="id-1"), Sums(spent=CENT)),
        (Rejected(http_status=400), Sums()),
        (NotSent(reason="429"), Sums()),
        (Halted(reason="403", http_status=403), Sums()),
        (InDoubt(reason="read timeout"), Sums(in_doubt=CENT)),
    ],
    ids=["accepted", "accepted uncounted", "rejected", "not sent", "halted", "in doubt"],
)
def test_an_outcome_spends_keeps_or_gives_back_what_was_reserved(journal, grant, outcome, left):
    finish(journal, begun(journal, grant, 1), outcome)
    assert of_campaign(journal) == left


def test_an_outcome_that_comes_twice_counts_once(journal, grant):
    attempt = begun(journal, grant, 1)
    for _ in range(2):
        finish(journal, attempt, Accepted(message_id="id-1"))

    assert of_campaign(journal) == Sums(spent=CENT)


def test_what_the_provider_counts_is_what_was_spent(journal, grant):
    finish(
        journal,
        begun(journal, grant, 1, segments=2, cents=2),
        Accepted(message_id="a", segments_billed=3),
    )
    finish(
        journal,
        begun(journal, grant, 2, segments=2, cents=2),
        Accepted(message_id="b", segments_billed=1),
    )
    assert of_campaign(journal) == Sums(spent=4 * CENT)


def test_a_provider_that_counts_more_than_the_budget_has_stops_the_next_message(journal, grant):
    budget = Budget(campaign_micros=3 * CENT)
    finish(journal, begun(journal, grant, 1), Accepted(message_id="a", segments_billed=3))
    assert words(begin(journal, grant, costing(2), budget=budget)) == ["campaign"]


@pytest.mark.parametrize(
    ("code", "spent"),
    [
        (4720, CENT),
        (5600, CENT),
        (9902, CENT),
        (4470, CENT),
        (4475, CENT),
        (None, CENT),
        (4405, 0),
        (4001, 0),
        (5106, 0),
    ],
)
def test_a_failure_that_bandwidth_found_gives_the_money_back_but_for_spam(
    journal, grant, code, spent
):
    finish(journal, begun(journal, grant, 1), Accepted(message_id="id-1"))
    receive(journal, receipt(ReceiptKind.FAILED, error_code=code))
    assert of_campaign(journal) == Sums(spent=spent)


def test_evidence_settles_the_reservation_of_a_doubt(journal, grant):
    attempt = begun(journal, grant, 1)
    finish(journal, attempt, InDoubt(reason="reset"))
    receive(journal, receipt(tag=attempt.tag))
    assert of_campaign(journal) == Sums(spent=CENT)


def test_a_message_that_is_tried_again_is_reserved_once(journal, grant):
    finish(journal, begun(journal, grant, 1), NotSent(reason="429"))
    finish(journal, begun(journal, grant, 1), Accepted(message_id="id-1"))
    assert of_campaign(journal) == Sums(spent=CENT)


# --- Crashes and operators -----------------------------------------------------------------------


def test_a_crash_keeps_what_open_attempts_had_reserved(store):
    first = store.open()
    enlist(first, shard(rows=9))
    begin(first, take(first), costing(1), costing(2), budget=FOR_TWO)
    first.close()

    second = store.open()
    second.hold(CAMPAIGN)
    grant = take(second, owner=OTHER)
    assert of_campaign(second) == Sums(in_doubt=2 * CENT)
    assert words(begin(second, grant, costing(3), budget=FOR_TWO)) == ["campaign"]


def test_a_late_answer_after_a_crash_gives_back_what_was_not_sent(journal, grant):
    attempt = begun(journal, grant, 1)
    take(journal, owner=OTHER, now=later(3_600))
    finish(journal, attempt, NotSent(reason="connect refused"))
    assert of_campaign(journal) == Sums()


def test_a_released_doubt_stays_spent_because_nobody_proved_that_it_was_not_billed(journal, grant):
    finish(journal, begun(journal, grant, 1), InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked the provider", now=NOW)
    assert of_campaign(journal) == Sums(spent=CENT)
    assert words(begin(journal, grant, costing(1), budget=FOR_TWO)) == ["Permit"]
    assert of_campaign(journal) == Sums(sending=CENT, spent=CENT)
    assert words(begin(journal, grant, costing(2), budget=FOR_TWO)) == ["campaign"]


def test_a_released_doubt_that_turns_out_to_be_taken_is_paid_once(journal, grant):
    attempt = begun(journal, grant, 1)
    finish(journal, attempt, InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked the provider", now=NOW)
    receive(journal, receipt(tag=attempt.tag))
    assert of_campaign(journal) == Sums(spent=CENT)


def test_a_released_doubt_and_the_text_after_it_may_both_be_billed(journal, grant):
    first = begun(journal, grant, 1)
    finish(journal, first, InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked the provider", now=NOW)
    finish(journal, begun(journal, grant, 1), Accepted(message_id="id-2"))
    receive(journal, receipt(tag=first.tag))
    assert of_campaign(journal) == Sums(spent=2 * CENT)


def test_a_released_doubt_that_bandwidth_failed_gives_the_money_back(journal, grant):
    attempt = begun(journal, grant, 1)
    finish(journal, attempt, InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked the provider", now=NOW)
    receive(journal, receipt(ReceiptKind.FAILED, tag=attempt.tag, error_code=4405))
    assert of_campaign(journal) == Sums()


def test_a_released_doubt_stays_spent_where_its_recipient_wants_no_texts_any_more(journal, grant):
    finish(journal, begun(journal, grant, 1), InDoubt(reason="reset"))
    journal.release(CAMPAIGN, [1], by="ana", because="asked the provider", now=NOW)
    journal.suppress([costing(1).to[0]], source="test", because="asked", now=NOW)
    assert words(begin(journal, grant, costing(1), budget=FOR_TWO)) == ["Denied"]
    assert of_campaign(journal) == Sums(spent=CENT)


# --- Days ----------------------------------------------------------------------------------------

A_DAY = Budget(day_micros=2 * CENT)


def test_the_days_budget_is_over_all_campaigns_of_the_account(journal, grant):
    journal.enlist(enlistment(campaign="summer", run="s1"), [shard()])
    summer = journal.take("summer", owner=OTHER, lease_seconds=60, now=NOW)
    assert words(begin(journal, grant, costing(1), budget=A_DAY)) == ["Permit"]
    answers = begin(journal, summer, costing(1), costing(2), budget=A_DAY)
    assert words(answers) == ["Permit", "day"]
    assert spending(journal) == Spending(Sums(sending=CENT), Sums(sending=2 * CENT))


def test_another_account_and_another_currency_have_budgets_of_their_own(journal, grant):
    summer = replace(enlistment(campaign="summer", run="s1"), currency="EUR")
    journal.enlist(summer, [shard()])
    euros = journal.take("summer", owner=OTHER, lease_seconds=60, now=NOW)
    another = Pace(account="5000000", rate_segments_per_second=1_000)
    begin(journal, grant, costing(1), costing(2), budget=A_DAY)
    assert words(begin(journal, grant, costing(3), budget=A_DAY)) == ["day"]
    assert words(begin(journal, euros, costing(1), budget=A_DAY)) == ["Permit"]
    assert words(begin(journal, grant, costing(3), pace=another, budget=A_DAY)) == ["Permit"]
    assert of_campaign(journal) == Sums(sending=3 * CENT)


def test_a_day_ends_at_midnight_utc_whatever_zone_the_clock_shows(journal, grant):
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    before = midnight - timedelta(microseconds=1)
    begin(journal, grant, costing(1), costing(2), budget=A_DAY, now=NOW)
    assert words(begin(journal, grant, costing(3), budget=A_DAY, now=before)) == ["day"]
    assert words(begin(journal, grant, costing(3), budget=A_DAY, now=midnight)) == ["Permit"]
    assert spending(journal, now=before).day == Sums(sending=2 * CENT)
    assert spending(journal, now=midnight).day == Sums(sending=CENT)


def test_what_was_begun_on_a_day_is_settled_on_that_day(journal, grant):
    tomorrow = NOW + timedelta(days=1)
    finish(journal, begun(journal, grant, 1), Accepted(message_id="a"), at=tomorrow)
    assert spending(journal).day == Sums(spent=CENT)
    assert spending(journal, now=tomorrow) == Spending(Sums(spent=CENT), Sums())


def test_a_clock_that_jumps_back_finds_the_day_as_it_was(journal, grant):
    begin(journal, grant, costing(1), costing(2), now=NOW)
    begin(journal, grant, costing(3), now=NOW + timedelta(days=1))
    again = later(5)  # when the rate that tomorrow reserved is brought back
    begin(journal, grant, costing(4), now=NOW)
    assert words(begin(journal, grant, costing(4), budget=A_DAY, now=again)) == ["day"]
