"""Dispatch keeps the promise: one POST an attempt, one attempt at a time, nothing lost."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from pipeline.dispatch.pace import MOST_DOUBTS_IN_A_ROW
from pipeline.dispatch.stop import StopReason
from pipeline.dispatch.worker import FIRST_LATENCY_SECONDS, lanes_needed
from pipeline.errors import CredentialsError, JournalError
from pipeline.journal import open_journal
from pipeline.model import Halted, InDoubt, NotSent, Rejected
from tests.dispatch.stage import (
    CAMPAIGN,
    ScriptedProvider,
    enlist,
    number_of,
    states,
    working,
)

BUSY = NotSent(reason="429 queue full", http_status=429)
BROKEN = NotSent(reason="500", http_status=500)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'journal.db'}"
    store = open_journal(url)
    yield store
    store.close()


def run(journal, provider, **how):
    async def story():
        async with working(journal, provider, **how) as stage:
            with anyio.fail_after(20):
                await stage.worker.run()

            return stage.worker, stage.stop

    return anyio.run(story)


def test_every_message_is_posted_once_and_accepted(journal):
    enlist(journal, 95)
    provider = ScriptedProvider()
    worker, stop = run(journal, provider)
    assert sorted(provider.posts) == [number_of(row) for row in range(1, 96)]
    assert states(journal) == {"accepted": 95}
    assert worker.counts.accepted == 95
    assert not stop.requested


def test_a_tag_names_run_row_and_attempt(journal):
    enlist(journal, 1)
    provider = ScriptedProvider({number_of(1): [BROKEN, None]})
    run(journal, provider)
    assert provider.tags == ["brun.1.1", "brun.1.2"]


def test_what_was_not_sent_is_tried_again_under_a_new_attempt(journal):
    enlist(journal, 12)
    provider = ScriptedProvider({number_of(3): [BROKEN, BUSY, None]})
    run(journal, provider)
    assert provider.posts.count(number_of(3)) == 3
    assert states(journal) == {"accepted": 12}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (InDoubt(reason="read timeout"), "in_doubt"),
        (Rejected(http_status=400, error_code="request-validation"), "rejected"),
    ],
    ids=["in doubt", "rejected"],
)
def test_what_is_in_doubt_or_refused_is_never_posted_again(journal, outcome, state):
    enlist(journal, 12)
    provider = ScriptedProvider({number_of(3): [outcome, None]})
    run(journal, provider)
    run(journal, provider, owner="another")
    assert provider.posts.count(number_of(3)) == 1
    assert states(journal) == {"accepted": 11, state: 1}


def test_a_provider_whose_answers_are_all_lost_does_not_put_the_campaign_in_doubt(journal):
    enlist(journal, 300)
    provider = ScriptedProvider({"*": [InDoubt(reason="redirect")]})
    _, stop = run(journal, provider, rate=100.0)
    lanes = lanes_needed(100.0, FIRST_LATENCY_SECONDS)
    assert stop.reason is StopReason.UNREACHABLE
    assert "redirect" in stop.because
    assert states(journal)["in_doubt"] <= MOST_DOUBTS_IN_A_ROW + lanes
    assert sum(states(journal).values()) == 300


def test_an_error_of_ours_during_the_post_leaves_doubt_and_is_not_hidden(journal):
    enlist(journal, 1)
    provider = ScriptedProvider({number_of(1): [RuntimeError("defect"), None]})
    with pytest.RaisesGroup(RuntimeError, flatten_subgroups=True):
        run(journal, provider)

    assert states(journal) == {"in_doubt": 1}


@pytest.mark.parametrize(
    "answer",
    [Halted(reason="forbidden", http_status=403), CredentialsError("the token was refused")],
    ids=["403", "no token"],
)
def test_refused_credentials_stop_the_run_and_leave_every_message_ready(journal, answer):
    enlist(journal, 50)
    worker, stop = run(journal, ScriptedProvider({"*": [answer]}), rate=100.0)
    assert stop.reason is StopReason.REFUSED
    assert states(journal) == {"ready": 50}
    assert worker.counts.accepted == 0


def test_a_message_that_the_provider_keeps_failing_is_given_up_and_the_rest_goes_on(journal):
    enlist(journal, 25)
    provider = ScriptedProvider({number_of(2): [BROKEN]})
    worker, stop = run(journal, provider)
    assert provider.posts.count(number_of(2)) == 3
    assert states(journal) == {"accepted": 24, "ready": 1}
    assert worker.counts.given_up == 1
    assert worker.counts.given_up_because == BROKEN.reason
    assert not stop.requested


def test_a_provider_that_takes_nothing_ends_the_run_in_bounded_tries(journal):
    enlist(journal, 500)
    provider = ScriptedProvider({"*": [NotSent(reason="connect refused")]})
    _, stop = run(journal, provider)
    assert stop.reason is StopReason.UNREACHABLE
    assert "connect refused" in stop.because
    assert states(journal) == {"ready": 500}
    assert len(provider.posts) < 500 * 3


def test_a_stop_lets_the_messages_in_flight_finish_and_the_rest_wait(journal):
    enlist(journal, 400)
    provider = ScriptedProvider(seconds=0.15)

    async def story():
        async with (
            working(journal, provider, rate=100.0) as stage,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(stage.worker.run)
            await anyio.sleep(0.5)
            stage.stop.request(StopReason.ASKED, "asked")

    anyio.run(story)
    found = states(journal)
    assert found["accepted"] == len(provider.posts) == len(set(provider.posts))
    assert set(found) == {"accepted", "ready"}
    assert found["ready"] + found["accepted"] == 400
    run(journal, provider, owner="the next run")
    assert states(journal) == {"accepted": 400}
    assert len(provider.posts) == len(set(provider.posts)) == 400


def test_cancelling_a_run_leaves_in_doubt_what_was_in_flight_and_nothing_else(journal):
    enlist(journal, 40)
    provider = ScriptedProvider(seconds=30)

    async def story():
        async with working(journal, provider, rate=20.0) as stage:
            with anyio.move_on_after(0.5):
                await stage.worker.run()

    anyio.run(story)
    assert states(journal) == {"in_doubt": len(provider.posts), "ready": 40 - len(provider.posts)}


def test_a_suppressed_recipient_is_not_posted(journal):
    enlist(journal, 5)
    journal.suppress(
        [number_of(4)], source="test", because="asked", now=journal.tally(CAMPAIGN).created_at
    )
    provider = ScriptedProvider()
    run(journal, provider)
    assert number_of(4) not in provider.posts
    assert states(journal) == {"accepted": 4, "cancelled": 1}


def test_a_worker_whose_shard_was_taken_over_posts_nothing_more_of_it(journal):
    enlist(journal, 30, shard_rows=30)
    provider, lanes = ScriptedProvider(seconds=0.05), lanes_needed(40.0, FIRST_LATENCY_SECONDS)

    async def story():
        async with (
            working(journal, provider, rate=40.0, lease_seconds=1.0) as stage,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(stage.worker.run)
            await anyio.sleep(0.3)
            thief = await stage.committer.call(steal)
            assert thief is not None
            posted = len(provider.posts)
            await anyio.sleep(0.3)
            assert len(provider.posts) <= posted + lanes  # permits given before

    def steal(journal):
        later = datetime.now(UTC) + timedelta(seconds=5)
        return journal.take(CAMPAIGN, owner="thief", lease_seconds=60, now=later)

    anyio.run(story)
    assert len(provider.posts) == len(set(provider.posts))


def test_a_journal_that_cannot_record_stops_the_run_before_the_next_post(tmp_path):
    journal = open_journal(f"sqlite:///{tmp_path / 'journal.db'}")
    enlist(journal, 200)
    provider = ScriptedProvider(seconds=0.01)

    async def story():
        async with (
            working(journal, provider, rate=100.0) as stage,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(stage.worker.run)
            await anyio.sleep(0.3)
            await stage.committer.call(fill_the_disk)
            await anyio.sleep(5)

    with pytest.RaisesGroup(JournalError, flatten_subgroups=True):
        anyio.run(story)

    recorded = sum(len(page) for page in journal.rows(CAMPAIGN))
    assert 0 < len(provider.posts) <= recorded < 200
    journal.close()


def fill_the_disk(journal):
    """Give SQLite no page more than it has: the next that it needs is `SQLITE_FULL`."""
    connection = journal._file._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def test_shards_follow_each_other_without_a_gap(journal):
    """The rate does not dip between shards: the next is taken before the lanes run dry."""
    enlist(journal, 60, shard_rows=3)
    provider = ScriptedProvider(seconds=0.1)

    async def story():
        async with working(journal, provider, rate=100.0) as stage:
            began = anyio.current_time()
            await stage.worker.run()
            return anyio.current_time() - began

    assert anyio.run(story) < 1.3
    assert states(journal) == {"accepted": 60}
