"""Outcomes are matched by attempt and owner, and late knowledge is true."""

from __future__ import annotations

import pytest

from pipeline.model import AttemptId, Halted, InDoubt, NotSent, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    LEASE_SECONDS,
    NOW,
    OTHER,
    OWNER,
    RUN,
    accepted,
    begin_one,
    enlist,
    finish,
    later,
    records,
    states,
    take,
)


@pytest.fixture
def attempt(journal):
    enlist(journal)
    return begin_one(journal, take(journal), 1)


def one(journal):
    return records(journal)[1]


def take_over(journal):
    """Another owner finds the attempt open, and an operator releases it."""
    take(journal, owner=OTHER, now=later(LEASE_SECONDS))
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=later(LEASE_SECONDS))


# --- What each outcome writes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            accepted("id-1"),
            {
                "state": "accepted",
                "message_id": "id-1",
                "http_status": 202,
                "accepted_at": later(1),
                "segments_billed": 2,
            },
            id="accepted",
        ),
        pytest.param(
            Rejected(http_status=400, error_code="request-validation", error="no such number"),
            {
                "state": "rejected",
                "http_status": 400,
                "error_code": "request-validation",
                "error": "no such number",
                "final_at": later(1),
            },
            id="rejected",
        ),
        pytest.param(
            NotSent(reason="429 queue full", http_status=429, retry_after_seconds=2),
            {"state": "ready", "http_status": 429, "error": "429 queue full"},
            id="not sent",
        ),
        pytest.param(
            Halted(reason="401 credentials", http_status=401),
            {"state": "ready", "http_status": 401, "error": "401 credentials"},
            id="halted",
        ),
        pytest.param(
            InDoubt(reason="read timeout"),
            {"state": "in_doubt", "error": "read timeout"},
            id="in doubt",
        ),
    ],
)
def test_an_outcome_is_recorded(journal, attempt, outcome, expected):
    finish(journal, attempt, outcome, at=later(1))

    untouched = {"row": 1, "key": "key-1", "attempts": 1}
    nothing = dict.fromkeys(one(journal)._fields) | {"earlier_micros": 0}
    assert one(journal)._asdict() == nothing | untouched | expected


@pytest.mark.parametrize(
    "outcome",
    [
        accepted(),
        Rejected(http_status=400),
        NotSent(reason="refused"),
        Halted(reason="403", http_status=403),
        InDoubt(reason="reset"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_the_same_outcome_twice_changes_nothing(journal, attempt, outcome):
    finish(journal, attempt, outcome, at=later(1))
    before = records(journal)

    finish(journal, attempt, outcome, at=later(2))

    assert records(journal) == before


# --- Which attempt it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt_id", "owner"),
    [
        pytest.param(AttemptId(run=RUN, row=1, number=1), OTHER, id="another owner"),
        pytest.param(AttemptId(run=RUN, row=1, number=2), OWNER, id="an attempt to come"),
        pytest.param(AttemptId(run=RUN, row=1, number=0), OWNER, id="attempt zero"),
        pytest.param(AttemptId(run=RUN, row=2, number=1), OWNER, id="a message nobody tried"),
        pytest.param(AttemptId(run="r9", row=1, number=1), OWNER, id="an unknown run"),
    ],
)
def test_a_finish_that_fits_no_attempt_is_ignored(journal, attempt, attempt_id, owner):
    finish(journal, attempt_id, accepted(), owner=owner)

    assert states(journal) == {"sending": 1, "ready": 2}


def test_a_late_outcome_is_believed_after_a_takeover(journal, attempt):
    take(journal, owner=OTHER, now=later(LEASE_SECONDS))
    assert one(journal).state == "in_doubt"

    finish(journal, attempt, accepted(), at=later(60))

    assert (one(journal).state, one(journal).message_id) == ("accepted", "id-1")
    assert one(journal).error is None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        pytest.param(accepted(), "accepted", id="accepted"),
        pytest.param(Rejected(http_status=400), "rejected", id="rejected"),
        pytest.param(NotSent(reason="refused"), "ready", id="not sent"),
        pytest.param(InDoubt(reason="reset"), "ready", id="lost"),
    ],
)
def test_a_late_outcome_of_a_released_message_decides_it(journal, attempt, outcome, state):
    take_over(journal)

    finish(journal, attempt, outcome, at=later(60))

    assert one(journal).state == state


def retried(journal, attempt):
    """The message has a second attempt, of another owner; the first is still unreported."""
    take_over(journal)
    grant = take(journal, owner="host:3:c", now=later(3 * LEASE_SECONDS))
    return begin_one(journal, grant, 1, now=later(3 * LEASE_SECONDS))


def test_an_acceptance_of_an_older_attempt_confirms_the_message(journal, attempt):
    retried(journal, attempt)

    finish(journal, attempt, accepted("id-old"), at=later(100))

    record = one(journal)
    assert (record.state, record.message_id, record.attempts) == ("accepted", "id-old", 2)
    assert record.http_status is None


def test_a_proof_of_not_sent_does_not_reopen_what_an_older_attempt_confirmed(journal, attempt):
    second = retried(journal, attempt)
    finish(journal, attempt, accepted("id-old"), at=later(100))

    finish(journal, second, NotSent(reason="refused"), owner="host:3:c", at=later(101))

    assert one(journal).state == "accepted"


def test_an_older_attempt_is_matched_by_its_owner_too(journal, attempt):
    retried(journal, attempt)

    finish(journal, attempt, accepted(), owner="host:3:c", at=later(100))

    assert one(journal).state == "sending"


@pytest.mark.parametrize(
    "outcome",
    [
        Rejected(http_status=400),
        NotSent(reason="refused"),
        Halted(reason="403", http_status=403),
        InDoubt(reason="reset"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_any_other_outcome_of_an_older_attempt_changes_nothing(journal, attempt, outcome):
    retried(journal, attempt)
    before = records(journal)

    finish(journal, attempt, outcome, at=later(100))

    assert records(journal) == before


def test_the_id_of_the_latest_accepted_attempt_is_the_message_id(journal, attempt):
    second = retried(journal, attempt)
    finish(journal, attempt, accepted("id-old"), at=later(100))

    finish(journal, second, accepted("id-new"), owner="host:3:c", at=later(101))

    assert one(journal).message_id == "id-new"
    assert one(journal).accepted_at == later(100)


def test_many_outcomes_are_recorded_together(journal):
    enlist(journal)
    grant = take(journal)
    attempts = [begin_one(journal, grant, row) for row in (1, 2, 3)]
    with journal.transaction():
        for attempt in attempts:
            finish(journal, attempt, accepted(f"id-{attempt.row}"), at=NOW)

    assert [each.message_id for each in records(journal).values()] == ["id-1", "id-2", "id-3"]
