"""A shard is taken under a lease and a token, and given back."""

from __future__ import annotations

import pytest

from pipeline.errors import Fenced
from pipeline.model import InDoubt, NotSent
from tests.journal.builders import (
    CAMPAIGN,
    LEASE_SECONDS,
    NOW,
    OTHER,
    OWNER,
    RUN,
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

AFTER_LEASE = later(LEASE_SECONDS)


def try_take(journal, *, owner=OTHER, now=NOW):
    return journal.take(CAMPAIGN, owner=owner, lease_seconds=LEASE_SECONDS, now=now)


def test_a_grant_says_whose_it_is_and_what_it_holds(journal):
    enlist(journal)

    grant = take(journal)

    assert (grant.campaign, grant.run, grant.owner) == (CAMPAIGN, RUN, OWNER)
    assert (grant.shard, grant.token, grant.payload) == (0, 1, b"payload 0")
    assert grant.settled == frozenset()


def test_shards_are_taken_by_phase_and_then_by_number(journal):
    enlist(journal, shard(2, phase=1), shard(1, phase=1), shard(0, phase=2), shard(3, phase=0))

    assert [take(journal).shard for _ in range(4)] == [3, 1, 2, 0]
    assert try_take(journal) is None


def test_no_shard_of_an_unknown_campaign_is_free(journal):
    assert try_take(journal) is None


def test_a_leased_shard_is_free_again_when_its_lease_has_run_out(journal):
    enlist(journal)
    take(journal)

    assert try_take(journal, now=later(LEASE_SECONDS - 0.001)) is None
    assert try_take(journal, now=AFTER_LEASE).shard == 0


def test_an_owner_who_lives_keeps_what_it_has_whatever_the_clock_says(journal):
    """It is alive: it asks for more. Else a clock that jumps would put all it has sent in doubt."""
    enlist(journal, shard(0, rows=3), shard(1, rows=3))
    first = take(journal)
    attempt = begin_one(journal, first, 1)

    assert take(journal, now=AFTER_LEASE).shard == 1
    assert journal.take(CAMPAIGN, owner=OWNER, lease_seconds=1, now=later(86_400)) is None
    assert records(journal)[attempt.row].state == "sending"
    begin_one(journal, first, 2)

    journal.leave(first)
    assert take(journal, now=AFTER_LEASE).shard == 0


def test_the_token_grows_by_one_with_every_take(journal):
    enlist(journal)

    tokens = [take(journal, owner=f"o{n}", now=later(n * LEASE_SECONDS)).token for n in range(3)]

    assert tokens == [1, 2, 3]


def test_an_expired_lease_on_a_begun_attempt_becomes_in_doubt(journal):
    enlist(journal)
    begin_one(journal, take(journal), 1)

    grant = take(journal, owner=OTHER, now=AFTER_LEASE)

    assert grant.settled == {1}
    assert records(journal)[1].state == "in_doubt"
    assert records(journal)[1].error.startswith("interrupted")


def test_a_takeover_leaves_every_other_state_and_every_other_shard_alone(journal):
    enlist(journal, shard(0, rows=3), shard(1, rows=1))
    first, second = take(journal), take(journal)
    finish(journal, begin_one(journal, first, 1), accepted())
    finish(journal, begin_one(journal, first, 2), NotSent(reason="connect refused"))
    begin_one(journal, second, 4, now=later(20))

    grant = take(journal, owner=OTHER, now=AFTER_LEASE)

    assert (grant.shard, grant.settled) == (0, {1})
    assert {row: each.state for row, each in records(journal).items()} == {
        1: "accepted",
        2: "ready",
        4: "sending",
    }


def test_settled_rows_are_every_state_but_ready(journal):
    enlist(journal, shard(rows=6))
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted("id-1"))
    finish(journal, begin_one(journal, grant, 2), InDoubt(reason="reset"))
    finish(journal, begin_one(journal, grant, 3), NotSent(reason="connect refused"))
    begin(journal, grant, intent(4, key="key-1"))
    begin_one(journal, grant, 5)

    assert take(journal, owner=OTHER, now=AFTER_LEASE).settled == {1, 2, 4, 5}


# --- leave ---------------------------------------------------------------------------------------


def test_a_shard_left_with_nothing_ready_is_done(journal):
    enlist(journal, shard(rows=3))
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted())
    finish(journal, begin_one(journal, grant, 2), InDoubt(reason="reset"))
    begin(journal, grant, intent(3, key="key-1"))

    journal.leave(grant)

    assert try_take(journal) is None
    assert try_take(journal, now=AFTER_LEASE) is None


@pytest.mark.parametrize(
    "outcome", [None, NotSent(reason="connect refused")], ids=["untried", "not sent"]
)
def test_a_shard_left_with_a_ready_message_is_free_at_once(journal, outcome):
    enlist(journal, shard(rows=2))
    grant = take(journal)
    finish(journal, begin_one(journal, grant, 1), accepted())
    if outcome is not None:
        finish(journal, begin_one(journal, grant, 2), outcome)

    journal.leave(grant)

    assert try_take(journal).settled == {1}


def test_a_shard_left_with_an_open_attempt_is_not_done_so_that_somebody_settles_it(journal):
    enlist(journal, shard(rows=1))
    grant = take(journal)
    begin_one(journal, grant, 1)

    journal.leave(grant)

    assert try_take(journal).settled == {1}
    assert states(journal) == {"in_doubt": 1}


def test_a_shard_that_was_left_is_closed_to_its_former_owner(journal):
    enlist(journal)
    grant = take(journal)
    journal.leave(grant)

    with pytest.raises(Fenced):
        begin(journal, grant, intent(1))


def test_leaving_after_a_takeover_changes_nothing(journal):
    enlist(journal, shard(rows=1))
    old = take(journal)
    finish(journal, begin_one(journal, old, 1), accepted())
    new = take(journal, owner=OTHER, now=AFTER_LEASE)

    journal.leave(old)

    assert begin(journal, new, now=AFTER_LEASE) == []
    assert try_take(journal, owner="c", now=AFTER_LEASE) is None
    assert try_take(journal, owner="c", now=later(2 * LEASE_SECONDS)).token == 3


def test_a_late_proof_of_not_sent_opens_a_shard_that_was_done(journal):
    enlist(journal, shard(rows=1))
    attempt = begin_one(journal, take(journal), 1)
    journal.leave(take(journal, owner=OTHER, now=AFTER_LEASE))
    assert try_take(journal, owner="c", now=AFTER_LEASE) is None

    finish(journal, attempt, NotSent(reason="connect refused"))

    assert try_take(journal, owner="c", now=AFTER_LEASE).settled == frozenset()


def test_a_receipt_settles_a_message_for_its_shard(journal):
    enlist(journal, shard(rows=1))
    grant = take(journal)
    receive(journal, receipt(tag=begin_one(journal, grant, 1).tag))

    journal.leave(grant)

    assert try_take(journal) is None
