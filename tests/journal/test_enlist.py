"""A plan is stored once and whole."""

from __future__ import annotations

import pytest

from pipeline.errors import JournalError, PlanMismatch
from tests.journal.builders import CAMPAIGN, NOW, enlistment, shard, states, take


def test_a_new_plan_is_returned_and_kept_as_it_was_given(journal):
    plan = enlistment()

    assert journal.enlist(plan, [shard()]) == plan
    assert journal.enlistment(CAMPAIGN) == plan


def test_whom_a_plan_leaves_out_is_kept_from_its_first_enlistment(journal):
    assert journal.left_out(CAMPAIGN) is None
    journal.enlist(enlistment(run="r1"), [shard()], left_out=b"ann")
    journal.enlist(enlistment(run="r2"), [shard()], left_out=b"bob")

    assert journal.left_out(CAMPAIGN) == b"ann"
    assert journal.left_out("another") is None


def test_whom_a_plan_leaves_out_is_unknown_where_it_was_not_said(journal):
    journal.enlist(enlistment(), [shard()])

    assert journal.left_out(CAMPAIGN) is None


def test_the_same_plan_again_keeps_the_earlier_run_and_the_earlier_shards(journal):
    first = enlistment(run="r1")
    journal.enlist(first, [shard()])

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

    with pytest.raises(PlanMismatch) as caught:
        journal.enlist(enlistment(**parts), [shard(7)])

    assert caught.value.changed == changed
    assert journal.enlistment(CAMPAIGN) == enlistment()
    assert take(journal).shard == 0


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
