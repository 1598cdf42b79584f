"""Doubts against a simulator that took the texts, hides them for a while, or never had them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipeline.bandwidth.connection import RequestFailed
from pipeline.errors import CredentialsError
from pipeline.journal import open_journal
from pipeline.settle import reconcile
from pipeline.settle.looking import MOST_NUMBERS, questions
from pipeline.simulator.behaviour import Behaviour
from tests.journal.builders import CAMPAIGN, records, states
from tests.settle.scene import Scene
from tests.settle.test_matching import suspect

ANN, BOB = "+12125550123", "+12125550124"


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/journal.db"
    journal = open_journal(url)
    yield journal
    journal.close()


def people(count):
    return [(f"+1212555{row:04}", f"Hello number {row}") for row in range(count)]


def test_lost_answers_are_settled_without_any_callback(journal):
    scene = Scene(journal, *people(25))
    ids = {row: scene.lose(row) for row in scene.messages}

    looked = scene.look()

    assert (looked.settled, looked.left) == (25, ())
    assert states(journal) == {"delivered": 25}
    assert {row: each.message_id for row, each in records(journal).items()} == ids
    assert {each.segments_billed for each in records(journal).values()} == {1}


def test_what_was_never_taken_stays_in_doubt_and_says_that_absence_proves_nothing(journal):
    scene = Scene(journal, (ANN, "Hello"), (BOB, "Hello"))
    scene.lose_before_it_left(1)
    scene.lose(2)
    scene.pass_time(3_600)

    assert [each.row for each in scene.look().left] == [1]
    assert states(journal) == {"delivered": 1, "in_doubt": 1}
    (evidence,) = journal.evidence(CAMPAIGN)
    assert (evidence.row, evidence.candidates, evidence.rivals) == (1, (), 0)
    assert evidence.looked_at == scene.now()


def test_what_is_listed_late_is_settled_when_it_is(journal):
    scene = Scene(journal, (ANN, "Hello"), behaviour=Behaviour(delivery_ms=0, visible_ms=60_000))
    scene.lose(1)
    assert scene.look().settled == 0
    scene.pass_time(60)
    assert scene.look().settled == 1
    assert journal.evidence(CAMPAIGN) == []


def test_one_listed_text_does_not_settle_two_doubts_of_the_same_words(journal):
    scene = Scene(journal, (ANN, "Hello"), (ANN, "Hello"))
    message_id = scene.lose(1)
    scene.lose_before_it_left(2)

    assert scene.look().settled == 0
    first, second = journal.evidence(CAMPAIGN)
    for each in (first, second):
        assert [candidate.message_id for candidate in each.candidates] == [message_id]
        assert each.rivals == 1


def test_the_one_that_a_callback_explained_leaves_the_other_one_in_doubt(journal):
    """The listing still has the first one's text, and it is not the second one's."""
    scene = Scene(journal, (ANN, "Hello"), (ANN, "Hello"))
    message_id = scene.send(1)
    scene.lose_before_it_left(2)
    assert records(journal)[1].message_id == message_id
    assert scene.look().settled == 0
    assert journal.evidence(CAMPAIGN)[0].candidates == ()


def test_a_doubt_of_another_campaign_may_be_the_listed_one(journal):
    scene = Scene(journal, (ANN, "Hello"))
    other = Scene(journal, (ANN, "Hello"), campaign="summer", run="r2", beside=scene)
    scene.lose_before_it_left(1)
    other.lose(1)
    other.messages = scene.messages  # whoever looks reads both

    assert scene.look().settled == 0
    assert journal.evidence(CAMPAIGN)[0].rivals == 1


@pytest.mark.parametrize("moment", range(12))
def test_an_answer_that_comes_meanwhile_is_nobody_elses_evidence(journal, moment):
    """The open attempt of the first one is answered before any of the steps of the look."""
    scene = Scene(journal, (ANN, "Hello"), (ANN, "Hello"))
    attempt = scene.begin(1)
    outcome = scene.post(1, attempt)
    scene.lose_before_it_left(2)
    steps = []

    async def call(operation):
        if len(steps) == moment:
            scene.finish(attempt, outcome)

        steps.append(operation)
        return operation(journal)

    assert scene.look(call=call).settled == 0
    assert records(journal)[2].state == "in_doubt"
    assert len(steps) <= 12, "more steps than the test has moments"


def test_two_looks_at_once_settle_each_doubt_once(tmp_path):
    """Step by step side by side: both have weighed everything before either settles anything."""
    url = f"sqlite:///{tmp_path}/journal.db"
    first, second = open_journal(url), open_journal(url)
    scene = Scene(first, *people(12))
    ids = {scene.lose(row) for row in scene.messages}
    found = []

    async def look_at_once(client):
        async def look(journal):
            async def call(operation):
                await anyio.sleep(0.02)
                return operation(journal)

            found.append(await scene.reconciler(client, call=call).look(CAMPAIGN))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look, first)
            tasks.start_soon(look, second)

    scene.talk(scene.app, look_at_once)

    assert sorted(each.settled for each in found) == [0, 12]
    assert sorted(each.message_id for each in records(first).values()) == sorted(ids)
    assert states(first) == states(second) == {"delivered": 12}
    for each in (first, second):
        each.close()


def test_a_released_doubt_that_is_listed_is_not_sent_again(journal):
    scene = Scene(journal, (ANN, "Hello"))
    scene.lose(1)
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=scene.now())
    assert scene.look().settled == 1
    assert states(journal) == {"delivered": 1}


def test_what_was_written_off_is_settled_where_somebody_asks_about_it_too(journal):
    scene = Scene(journal, (ANN, "Hello"))
    scene.lose(1)
    journal.write_off(CAMPAIGN, [1], by="ana", because="enough", now=scene.now())
    looked = scene.look()
    assert (looked.settled, looked.left) == (0, ()), "a send waits for it no longer"
    assert scene.look(states=reconcile.UNKNOWN).settled == 1
    assert states(journal) == {"delivered": 1}


def test_the_text_of_a_released_attempt_leaves_the_next_one_in_doubt_and_a_rival_of_others(journal):
    """Two days apart, and the second text is listed late: it is no proof about another campaign."""
    scene = Scene(journal, (ANN, "Hello"))
    first = scene.lose(1)
    journal.release(CAMPAIGN, [1], by="ana", because="asked", now=scene.now())
    scene.pass_time(2 * 86_400)
    attempt = scene.begin(1)
    scene.finish(attempt)
    assert scene.look().settled == 0
    (evidence,) = journal.evidence(CAMPAIGN)
    assert [each.message_id for each in evidence.candidates] == [first]

    scene.post(1, attempt)
    other = Scene(journal, (ANN, "Howdy"), campaign="summer", run="r2", beside=scene)
    other.lose_before_it_left(1)
    assert other.look().settled == 0
    assert states(journal, "summer") == {"in_doubt": 1}


def test_an_attempt_under_way_is_not_settled_before_its_answer_can_be_late(journal):
    scene = Scene(journal, (ANN, "Hello"))
    scene.post(1, scene.begin(1))
    assert scene.look().settled == 0
    scene.pass_time((reconcile.POST_TIME + reconcile.MARGIN).total_seconds() + 1)
    assert scene.look().settled == 1, "its process has died"


# --- Answers that are none -----------------------------------------------------------------------

PATIENCE = {"retry-after": "86400"}  # longer than anybody waits
WRONG = {
    "500": (500, b'{"type": "trouble", "description": "x"}', PATIENCE, RequestFailed),
    "429": (429, b'{"type": "rate_limit_exceeded", "description": "x"}', PATIENCE, RequestFailed),
    "garbage": (200, b"<html>Welcome to the hotel's network</html>", {}, RequestFailed),
    "no list": (200, b"{}", {}, RequestFailed),
    "404": (404, b'{"error": "Not Found"}', {}, RequestFailed),
    "403": (403, b"{}", {}, CredentialsError),
}


@pytest.mark.parametrize(("status", "body", "headers", "error"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_leaves_the_journal_as_it_was(journal, status, body, headers, error):
    scene = Scene(journal, *people(25))
    for row in scene.messages:
        scene.lose(row)

    before = [list(journal.rows(CAMPAIGN)), journal.doubts(), journal.evidence(CAMPAIGN)]
    asked = Counter()

    async def answer(_request):
        """The second of three batches goes wrong."""
        asked["listing"] += 1
        if asked["listing"] != 2:
            return Response(b'{"totalCount": 0, "pageInfo": {}, "messages": []}')

        return Response(body, status_code=status, headers=headers)

    scene.listing = Starlette(routes=[Route("/{path:path}", answer)])
    with pytest.raises(error, match="messages cannot be listed"):
        scene.look()

    after = [list(journal.rows(CAMPAIGN)), journal.doubts(), journal.evidence(CAMPAIGN)]
    assert after == before


# --- What is asked -------------------------------------------------------------------------------


def test_ten_numbers_and_an_hour_are_asked_about_at_once():
    numbers = [f"+1212555{row:04}" for row in range(25)]
    many = [suspect(row, to=(number,)) for row, number in enumerate(numbers)]
    asked = questions(many)
    assert [len(each.numbers) for each in asked] == [10, 10, 5]
    assert set().union(*(each.numbers for each in asked)) == set(numbers)


def test_a_group_of_more_numbers_than_a_question_takes_is_asked_about_in_several():
    numbers = tuple(f"+1212555{row:04}" for row in range(25))
    asked = questions([suspect(1, to=numbers), suspect(2, to=("+12125559999",))])
    assert all(len(each.numbers) <= MOST_NUMBERS for each in asked)
    assert set().union(*(each.numbers for each in asked)) == {*numbers, "+12125559999"}


def test_each_window_lies_whole_in_its_question():
    noon = suspect().begun_at[0]
    apart = [
        suspect(row, to=(f"+1212555{row:04}",), begun_at=(noon + row * timedelta(minutes=25),))
        for row in range(8)
    ]
    for each in apart:
        ((start, end),) = each.windows
        assert any(
            asked.start <= start and end <= asked.end and each.to <= asked.numbers
            for asked in questions(apart)
        )

    assert all(asked.end - asked.start < timedelta(hours=2) for asked in questions(apart))
    assert all(len(asked.numbers) <= MOST_NUMBERS for asked in questions(apart))


# --- Whole campaigns -----------------------------------------------------------------------------


def test_a_whole_campaign_learns_how_its_messages_ended_without_any_callback(journal):
    behaviour = Behaviour(delivery_ms=0, failed=0.3, failed_code=4720, swallowed=0.2)
    scene = Scene(journal, *people(40), behaviour=behaviour)
    for row in scene.messages:
        scene.send(row)
        scene.pass_time(7)

    assert states(journal) == {"accepted": 40}
    (*_, told) = scene.learn()
    assert told.listed == 40

    missed = scene.app.state.ledger.summary().missed
    failed, silent = missed["4720"], missed["swallowed"]
    assert states(journal) == {
        "accepted": silent,
        "delivered": 40 - failed - silent,
        "failed": failed,
    }
    assert told.news == 40, "of those that stay silent, who carries them"
    assert scene.learn()[-1].news == 0, "what comes twice changes nothing"
    codes = {each.error_code for each in records(journal).values() if each.state == "failed"}
    assert codes == {"4720"}


def test_texts_of_others_are_listed_and_nothing_of_them_is_kept(journal):
    scene = Scene(journal, (ANN, "Hello"))
    other = Scene(open_journal("memory:"), (BOB, "Hello"), beside=scene)
    other.send(1)
    scene.send(1)
    told = scene.learn()[-1]
    assert (told.listed, told.news) == (2, 1)
    assert list(records(journal)) == [1]


def test_a_whole_campaign_is_read_in_batches_that_are_durable_one_by_one(journal, monkeypatch):
    monkeypatch.setattr(reconcile, "_BATCH", 10)
    scene = Scene(journal, *people(25))
    for row in scene.messages:
        scene.send(row)

    assert [each.news for each in scene.learn()] == [10, 20, 25]
