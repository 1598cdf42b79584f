"""An intent is checked, then durable, and only then permitted."""

from __future__ import annotations

import pytest

from pipeline.errors import Fenced
from pipeline.journal import Denied, Permit
from pipeline.model import AttemptId, InDoubt, NotSent, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    FAST,
    LEASE_SECONDS,
    NOW,
    OTHER,
    OWNER,
    RUN,
    accepted,
    begin,
    begin_one,
    enlist,
    enlistment,
    finish,
    intent,
    later,
    reasons,
    records,
    shard,
    states,
    take,
)

STOP = {"source": "reply", "because": "STOP", "now": NOW}


def test_a_permit_names_the_attempt_and_the_message_is_sending(journal):
    enlist(journal)

    answers = begin(journal, take(journal), intent(2))

    assert answers == [Permit(attempt=AttemptId(run=RUN, row=2, number=1), start_at=NOW)]
    record = records(journal)[2]
    assert (record.state, record.key, record.attempts) == ("sending", "key-2", 1)
    assert record[4:] == (*(None,) * 8, 0)


def test_an_intent_is_there_for_everybody_when_begin_returns(store):
    writer, reader = store.open(), store.open()
    enlist(writer)

    begin(writer, take(writer), intent(1))

    assert states(reader) == {"sending": 1, "ready": 2}


def test_answers_come_in_the_order_of_the_intents(journal):
    enlist(journal, shard(rows=4))
    journal.suppress(["+19195550199"], **STOP)

    answers = begin(
        journal,
        take(journal),
        intent(3),
        intent(1, to=("+19195550199",)),
        intent(4, key="key-3"),
        intent(2),
    )

    assert [getattr(each, "row", None) or each.attempt.row for each in answers] == [3, 1, 4, 2]
    assert reasons(answers) == ["permit", "suppressed", "duplicate", "permit"]


# --- Fencing and leases --------------------------------------------------------------------------


def test_nothing_is_recorded_for_an_owner_whose_token_moved_on(journal):
    enlist(journal)
    old = take(journal)
    take(journal, owner=OTHER, now=later(LEASE_SECONDS))

    with pytest.raises(Fenced):
        begin(journal, old, intent(1), now=later(LEASE_SECONDS))

    assert states(journal) == {"ready": 3}


def test_a_grant_of_an_unknown_campaign_is_fenced(journal, store):
    enlist(journal)
    grant = take(journal)
    stranger = type(grant)(
        **{**{f: getattr(grant, f) for f in grant.__slots__}, "campaign": "other"}
    )

    with pytest.raises(Fenced):
        begin(journal, stranger, intent(1))


@pytest.mark.parametrize("intents", [(), (intent(1),)], ids=["no intents", "an intent"])
def test_begin_renews_the_lease(journal, intents):
    enlist(journal)
    grant = take(journal)

    begin(journal, grant, *intents, now=later(20))

    args = {"owner": OTHER, "lease_seconds": LEASE_SECONDS}
    assert journal.take(CAMPAIGN, now=later(LEASE_SECONDS + 19), **args) is None
    assert journal.take(CAMPAIGN, now=later(LEASE_SECONDS + 20), **args) is not None


def test_no_intents_record_nothing(journal):
    enlist(journal)

    assert begin(journal, take(journal)) == []
    assert states(journal) == {"ready": 3}


def test_an_owner_whose_lease_ran_out_goes_on_until_somebody_takes_the_shard(journal):
    enlist(journal)
    grant = take(journal)

    begin_one(journal, grant, 1, now=later(10 * LEASE_SECONDS))

    assert records(journal)[1].state == "sending"


# --- What may not be sent ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "to",
    [
        pytest.param(("+19195550199",), id="the only recipient"),
        pytest.param(("+19195550101", "+19195550199"), id="one of a group"),
    ],
)
def test_a_suppressed_recipient_is_denied_at_the_moment_of_sending(journal, to):
    enlist(journal)
    grant = take(journal)
    journal.suppress(["+19195550199"], **STOP)

    answers = begin(journal, grant, intent(1, to=to), now=later(3))

    assert answers == [Denied(row=1, reason="suppressed")]
    record = records(journal)[1]
    assert (record.state, record.error, record.attempts) == ("cancelled", "suppressed", 0)
    assert (record.key, record.final_at) == ("key-1", later(3))


def test_a_key_that_another_row_has_is_denied_and_recorded_without_the_key(journal):
    enlist(journal)
    grant = take(journal)
    begin_one(journal, grant, 1)

    answers = begin(journal, grant, intent(2, key="key-1"), now=later(3))

    assert answers == [Denied(row=2, reason="duplicate")]
    record = records(journal)[2]
    assert (record.state, record.error, record.attempts) == ("cancelled", "duplicate", 0)
    assert (record.key, record.final_at) == (None, later(3))
    assert records(journal)[1].state == "sending"


def test_two_rows_with_one_key_in_one_call_are_one_permit_and_one_denial(journal):
    enlist(journal)

    answers = begin(journal, take(journal), intent(1, key="k"), intent(2, key="k"))

    assert reasons(answers) == ["permit", "duplicate"]


def test_two_campaigns_may_text_the_same_recipient(journal):
    enlist(journal)
    journal.enlist(enlistment(campaign="autumn", run="r2"), [shard()])
    begin_one(journal, take(journal), 1)

    grant = journal.take("autumn", owner=OWNER, lease_seconds=1, now=NOW)

    assert reasons(begin(journal, grant, intent(1))) == ["permit"]


def test_a_suppressed_duplicate_is_called_suppressed_and_leaves_the_key_alone(journal):
    enlist(journal)
    grant = take(journal)
    begin_one(journal, grant, 1)
    journal.suppress(["+19195550199"], **STOP)

    answers = begin(journal, grant, intent(2, key="key-1", to=("+19195550199",)))

    assert reasons(answers) == ["suppressed"]
    assert records(journal)[2].key is None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        pytest.param(None, "sending", id="sending"),
        pytest.param(accepted(), "accepted", id="accepted"),
        pytest.param(Rejected(http_status=400), "rejected", id="rejected"),
        pytest.param(InDoubt(reason="reset"), "in_doubt", id="in doubt"),
    ],
)
def test_a_message_that_is_not_ready_is_denied_with_its_state(journal, outcome, state):
    enlist(journal)
    grant = take(journal)
    attempt = begin_one(journal, grant, 1)
    if outcome is not None:
        finish(journal, attempt, outcome)

    before = records(journal)
    journal.suppress(["+19195550123"], **STOP)

    assert begin(journal, grant, intent(1)) == [Denied(row=1, reason=state)]
    assert records(journal) == before


def test_a_cancelled_message_stays_cancelled(journal):
    enlist(journal)
    grant = take(journal)
    begin_one(journal, grant, 1)
    begin(journal, grant, intent(2, key="key-1"))

    assert begin(journal, grant, intent(2)) == [Denied(row=2, reason="cancelled")]


def test_the_same_row_twice_in_one_call_is_one_attempt(journal):
    enlist(journal)

    assert reasons(begin(journal, take(journal), intent(1), intent(1))) == ["permit", "sending"]
    assert records(journal)[1].attempts == 1


# --- Another attempt -----------------------------------------------------------------------------


def test_every_attempt_of_a_message_has_the_next_number(journal):
    enlist(journal)
    grant = take(journal)
    numbers = []
    for _ in range(3):
        attempt = begin_one(journal, grant, 1)
        numbers.append(attempt.number)
        finish(journal, attempt, NotSent(reason="connect refused"))

    assert numbers == [1, 2, 3]
    assert records(journal)[1].attempts == 3


def test_a_new_attempt_forgets_what_the_one_before_came_to(journal):
    enlist(journal)
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), NotSent(reason="429 queue full", http_status=429))
    assert (records(journal)[1].error, records(journal)[1].http_status) == ("429 queue full", 429)

    begin_one(journal, grant, 1)

    assert (records(journal)[1].error, records(journal)[1].http_status) == (None, None)


def test_a_message_that_was_not_sent_can_still_be_suppressed(journal):
    enlist(journal)
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), NotSent(reason="connect refused"))
    journal.suppress(["+19195550123"], **STOP)

    assert reasons(begin(journal, grant, intent(1), pace=FAST)) == ["suppressed"]
    record = records(journal)[1]
    assert (record.state, record.attempts, record.key) == ("cancelled", 1, "key-1")
