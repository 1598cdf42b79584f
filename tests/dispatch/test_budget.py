"""A run stops where the next message would pass the budget, and not a message earlier."""

import anyio
import pytest

from pipeline.dispatch.stop import StopReason
from pipeline.journal import Budget, open_journal
from pipeline.model import InDoubt, NotSent, Rejected
from tests.dispatch.stage import (
    PRICE_MICROS,
    ScriptedProvider,
    enlist,
    number_of,
    states,
    working,
)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'journal.db'}"
    store = open_journal(url)
    yield store
    store.close()


def run(journal, provider, *, messages, **how):
    async def story():
        budget = Budget(campaign_micros=messages * PRICE_MICROS)
        async with working(journal, provider, budget=budget, **how) as stage:
            with anyio.fail_after(20):
                await stage.worker.run()

            return stage.stop

    return anyio.run(story)


def test_the_run_stops_when_the_budget_is_used_and_the_rest_stays_ready(journal):
    enlist(journal, 95)
    stop = run(journal, ScriptedProvider(seconds=0.02), messages=40)
    assert stop.reason is StopReason.BUDGET
    assert states(journal) == {"accepted": 40, "ready": 55}


def test_a_larger_budget_goes_on_and_texts_nobody_twice(journal):
    enlist(journal, 95)
    provider = ScriptedProvider()
    run(journal, provider, messages=40)
    stop = run(journal, provider, messages=95, owner="another")
    assert not stop.requested
    assert states(journal) == {"accepted": 95}
    assert len(set(provider.posts)) == len(provider.posts) == 95


def test_a_budget_that_is_just_enough_does_not_stop_the_run(journal):
    enlist(journal, 30)
    assert not run(journal, ScriptedProvider(seconds=0.02), messages=30).requested
    assert states(journal) == {"accepted": 30}


@pytest.mark.parametrize(
    "answer",
    [Rejected(http_status=400), NotSent(reason="500", http_status=500)],
    ids=["refused", "never taken"],
)
def test_lanes_without_room_wait_for_money_that_comes_back(journal, answer):
    """Every other message gives its money back, long after all lanes have asked for theirs."""
    enlist(journal, 60)
    script = {number_of(row): [answer] for row in range(1, 61, 2)}
    stop = run(journal, ScriptedProvider(script, seconds=0.1), messages=20, rate=1000.0)
    assert stop.reason is StopReason.BUDGET
    assert states(journal)["accepted"] == 20


def test_a_doubt_keeps_its_money(journal):
    enlist(journal, 60)
    script = {number_of(row): [InDoubt(reason="reset")] for row in range(1, 61, 5)}
    stop = run(journal, ScriptedProvider(script, seconds=0.02), messages=20)
    assert stop.reason is StopReason.BUDGET
    found = states(journal)
    assert found["accepted"] + found["in_doubt"] == 20


def test_a_run_that_waits_for_room_obeys_a_stop(journal):
    enlist(journal, 20)

    async def story():
        budget = Budget(campaign_micros=5 * PRICE_MICROS)
        provider = ScriptedProvider(seconds=0.5)
        async with (
            working(journal, provider, budget=budget) as stage,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(stage.worker.run)
            while len(provider.posts) < 5:  # noqa: ASYNC110 - the script has no event
                await anyio.sleep(0.01)

            stage.stop.request(StopReason.ASKED, "asked")

    anyio.run(story)
    assert states(journal) == {"accepted": 5, "ready": 15}


def test_a_message_dearer_than_the_whole_budget_stops_the_run_at_once(journal):
    enlist(journal, 5, segments=3)
    provider = ScriptedProvider()
    assert run(journal, provider, messages=2).reason is StopReason.BUDGET
    assert provider.posts == []
