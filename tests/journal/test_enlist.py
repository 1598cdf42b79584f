"""A plan is stored once and whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import Fenced, JournalError, PlanMismatch
from pipeline.model import Halted, InDoubt, NotSent, Rejected
from tests.journal.builders import (
    CAMPAIGN,
    NOW,
    OTHER,
    accepted,
    begin,
    begin_one,
    enlistment,
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


def test_a_new_plan_is_returned_and_kept_as_it_was_given(journal):
    plan = enlistment()

    assert journal.enlist(plan, [shard()]) == plan
    assert journal.enlistment(CAMPAIGN) == plan


def test_whom_a_plan_leaves_out_is_kept_from_its_first_attempt(journal):
    assert journal.left_out(CAMPAIGN) is None
    journal.enlist(enlistment(run="r0"), [shard()], left_out=b"eve")
    journal.enlist(enlistment(run="r1"), [shard()], left_out=b"ann")
    begin_one(journal, take(journal), 1)
    journal.enlist(enlistment(run="r2"), [shard()], left_out=b"bob")

    assert journal.left_out(CAMPAIGN) == b"ann"
    assert journal.left_out("another") is None


def test_whom_a_plan_leaves_out_is_unknown_where_it_was_not_said(journal):
    journal.enlist(enlistment(), [shard()])

    assert journal.left_out(CAMPAIGN) is None


def test_the_same_plan_again_keeps_the_earlier_run_and_the_earlier_shards(journal):
    first = enlistment(run="r1")
    journal.enlist(first, [shard()])
    assert not journal.is_begun(CAMPAIGN)
    grant = take(journal)
    begin_one(journal, grant, 1)
    journal.leave(grant)

    assert journal.is_begun(CAMPAIGN)
    assert not journal.is_begun("another")
    assert journal.enlist(enlistment(run="r2"), [shard(), shard(1)]) == first
    assert take(journal).payload == b"payload 0"
    assert journal.take(CAMPAIGN, owner="x", lease_seconds=1, now=NOW) is None


@pytest.mark.parametrize(
    ("parts", "changed"),
    [
        pytest.param({"recipients": "zz", "template": "bb"}, ("recipients",), id="one part"),
        pytest.param({"recipients": "zz", "template": "z"}, ("recipients", "template"), id="two"),
        pytest.param({"recipients": "aa"}, ("template",), id="a part is gone"),
        pytest.param(
            {"recipients": "aa", "template": "bb", "media": "c"}, ("media",), id="new part"
        ),
    ],
)
def test_another_plan_under_the_same_name_is_refused_with_the_parts_that_differ(
    journal, parts, changed
):
    journal.enlist(enlistment(), [shard()])
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted())
    journal.leave(grant)

    with pytest.raises(PlanMismatch) as caught:
        journal.enlist(enlistment(**parts), [shard(7)])

    assert caught.value.changed == changed
    assert journal.enlistment(CAMPAIGN) == enlistment()
    assert take(journal, owner=OTHER).shard == 0


def decided(journal, attempt, outcome, decide):
    """Bring a message in doubt back to READY by a person's word."""
    finish(journal, attempt, InDoubt(reason="no answer"))
    decide(journal)
    if outcome is not None:
        finish(journal, attempt, outcome)


def release(journal):
    assert journal.release(CAMPAIGN, [1], by="ana", because="asked", now=NOW) == 1


#: What one attempt came to that may have left, or was decided about.
BEGUN = {
    "open": lambda _journal, _attempt: None,
    "accepted": lambda journal, attempt: finish(journal, attempt, accepted()),
    "rejected": lambda journal, attempt: finish(journal, attempt, Rejected(http_status=400)),
    "in doubt": lambda journal, attempt: finish(journal, attempt, InDoubt(reason="no answer")),
    "released": lambda journal, attempt: decided(journal, attempt, None, release),
    "released, then known": lambda journal, attempt: decided(
        journal, attempt, NotSent(reason="late news"), release
    ),
    "an error of the server": lambda journal, attempt: finish(
        journal, attempt, NotSent(reason="500 server error", http_status=500)
    ),
    "a receipt came": lambda journal, attempt: receive(journal, receipt(tag=attempt.tag)),
}


@pytest.mark.parametrize("came_to", BEGUN.values(), ids=BEGUN.keys())
def test_one_attempt_that_may_have_left_keeps_the_plan_under_its_name(journal, came_to):
    journal.enlist(enlistment(), [shard()])
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 2), Halted(reason="forbidden", http_status=403))
    came_to(journal, begin_one(journal, grant, 1))
    journal.leave(grant)

    assert journal.is_begun(CAMPAIGN)
    before = records(journal)
    with pytest.raises(PlanMismatch):
        journal.enlist(enlistment(run="r9", recipients="zz"), [shard(7)])

    assert records(journal) == before


def test_an_earlier_attempt_that_a_person_released_keeps_the_plan_under_its_name(journal):
    journal.enlist(enlistment(), [shard()])
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), InDoubt(reason="no answer"))
    release(journal)
    again = begin_one(journal, grant, 1)
    finish(journal, again, Halted(reason="forbidden", http_status=403))

    assert journal.is_begun(CAMPAIGN)


@pytest.mark.parametrize("after", [0, 1], ids=["at last", "before a 403"])
def test_a_receipt_that_belies_an_error_of_the_server_is_known_after_the_same_command(
    journal, after
):
    """The plan is made again and enlisted; the tag is of the run that it had before."""
    journal.enlist(enlistment(run="r1"), [shard()])
    grant = take(journal)
    belied = begin_one(journal, grant, 1)
    finish(journal, belied, NotSent(reason="500 server error", http_status=500))
    for _ in range(after):
        again = begin_one(journal, grant, 1)
        finish(journal, again, Halted(reason="forbidden", http_status=403))

    journal.leave(grant)
    journal.enlist(enlistment(run="r2"), [shard()])
    receive(journal, receipt(tag=belied.tag))

    assert states(journal) == {"delivered": 1, "ready": 2}


@pytest.mark.parametrize(
    "outcome",
    [
        Halted(reason="forbidden", http_status=403),
        Halted(reason="unauthorized", http_status=401),
        NotSent(reason="connect refused"),
    ],
    ids=["403", "401", "refused"],
)
def test_a_plan_takes_the_place_of_one_whose_every_attempt_was_surely_not_sent(journal, outcome):
    """Nobody can have a text of it: what was tried is forgotten, and its tags are nobody's."""
    journal.enlist(enlistment(), [shard()], left_out=b"ann")
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 2), outcome)
    late = begin_one(journal, grant, 1)
    finish(journal, late, outcome)
    journal.leave(grant)

    assert not journal.is_begun(CAMPAIGN)
    plan = enlistment(run="r9", recipients="zz")
    assert journal.enlist(plan, [shard(7)]) == plan
    assert (records(journal), states(journal)) == ({}, {"ready": 3})
    finish(journal, late, InDoubt(reason="late"))
    assert (records(journal), journal.doubts()) == ({}, [])
    with pytest.raises(Fenced):
        begin(journal, grant, intent(1))

    new = take(journal, owner=OTHER)
    assert (new.run, new.settled) == ("r9", frozenset())
    moved = intent(2, key="key-1")  # the same recipient in another row
    (permit,) = begin(journal, new, moved)
    assert (permit.attempt.run, permit.attempt.number) == ("r9", 1)
    finish(journal, permit.attempt, accepted(), owner=OTHER)
    assert states(journal) == {"accepted": 1, "ready": 2}


@pytest.mark.parametrize("parts", [{}, {"recipients": "zz"}], ids=["the same", "another"])
def test_a_plan_takes_the_place_of_one_of_which_nothing_was_ever_tried(journal, parts):
    """Also where it is the same: it begins with the prices and the lists of another day."""
    journal.enlist(enlistment(), [shard(), shard(1)], left_out=b"ann")
    journal.pause(CAMPAIGN, by="ana", because="typo", now=NOW)
    old = take(journal)
    plan = replace(enlistment(run="r9", messages=5, **parts), created_at=later(86_400))

    assert journal.enlist(plan, [shard(7, rows=5)]) == plan
    assert journal.enlistment(CAMPAIGN) == plan
    assert journal.campaigns() == [CAMPAIGN]
    assert states(journal) == {"ready": 5}
    assert journal.left_out(CAMPAIGN) is None
    assert journal.paused(CAMPAIGN).by == "ana"
    with pytest.raises(Fenced):
        begin(journal, old, intent(1))

    new = take(journal, owner=OTHER)
    assert (new.run, new.shard, new.payload, new.token) == ("r9", 7, b"payload 7", 1)
    assert take_none(journal)


def test_who_has_a_shard_of_the_plan_before_begins_nothing_of_the_new_one(journal):
    """The same shard, token and owner: only the run is another."""
    journal.enlist(enlistment(), [shard()])
    old = take(journal)
    journal.enlist(enlistment(run="r9", recipients="zz"), [shard()])
    take(journal)
    with pytest.raises(Fenced):
        begin(journal, old, intent(1))

    assert states(journal) == {"ready": 3}


def test_what_was_refused_at_the_moment_of_sending_keeps_its_plan(journal):
    journal.enlist(enlistment(), [shard()])
    journal.suppress(["+19195550123"], source="operator", because="asked", now=NOW)
    assert reasons(begin(journal, take(journal), intent(1))) == ["suppressed"]
    with pytest.raises(PlanMismatch):
        journal.enlist(enlistment(recipients="zz"), [shard()])


def test_a_plan_that_cannot_be_stored_whole_leaves_the_one_before(journal):
    def shards():
        yield shard(7)
        raise RuntimeError("the file ended")

    journal.enlist(enlistment(), [shard()], left_out=b"ann")
    with pytest.raises(RuntimeError, match="the file ended"):
        journal.enlist(enlistment(run="r9", recipients="zz"), shards())

    assert journal.enlistment(CAMPAIGN) == enlistment()
    assert journal.left_out(CAMPAIGN) == b"ann"
    assert take(journal).payload == b"payload 0"


def take_none(journal):
    return journal.take(CAMPAIGN, owner="x", lease_seconds=1, now=NOW) is None


def test_nothing_is_stored_when_the_shards_cannot_all_be_made(journal):
    def shards():
        yield shard(0)
        raise RuntimeError("the file ended")

    with pytest.raises(RuntimeError, match="the file ended"):
        journal.enlist(enlistment(), shards(), left_out=b"ann")

    assert journal.campaigns() == []
    assert journal.enlistment(CAMPAIGN) is None
    assert journal.left_out(CAMPAIGN) is None
    assert journal.take(CAMPAIGN, owner="x", lease_seconds=1, now=NOW) is None


@pytest.mark.parametrize(
    ("campaign", "run", "shards"),
    [
        pytest.param("another", "r7k2", [shard()], id="a run of another campaign"),
        pytest.param("another", "r9", [shard(1), shard(1)], id="two shards with one number"),
    ],
)
def test_a_plan_that_contradicts_the_journal_is_refused_whole(journal, campaign, run, shards):
    journal.enlist(enlistment(), [shard()])

    with pytest.raises(JournalError):
        journal.enlist(enlistment(campaign=campaign, run=run), shards)

    assert journal.campaigns() == [CAMPAIGN]


def test_a_message_nobody_tried_is_ready(journal):
    journal.enlist(enlistment(messages=3), [shard(rows=3)])

    assert states(journal) == {"ready": 3}
    assert list(journal.rows(CAMPAIGN)) == []
