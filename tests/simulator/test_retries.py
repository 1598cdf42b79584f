"""A callback without its 2xx: posted again with growing pauses, for a day."""

import time

import httpx
import pytest

from pipeline.simulator import callbacks
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.clock import RunningClock
from pipeline.simulator.server import EmbeddedSimulator

from . import caller
from .stage import Receiver, Stage

DAY = 24 * 3600


class Refusing(Receiver):
    """Refuses the first so many posts."""

    def __init__(self, times, status=500):
        super().__init__(*[status] * times)


def test_a_refused_callback_is_posted_again_after_pauses_that_double():
    with Stage(receiver=Refusing(4)) as stage:
        stage.send(caller.number(1))
        posts = []
        for _ in range(20):
            stage.pass_time(1)
            posts.append(len(stage.receiver.posts))

        assert stage.ledger()["callbacks"] == {
            "pending": 0,
            "posts": 5,
            "posted": 1,
            "given_up": 0,
        }

    # at 0, 1, 3, 7 and 15 seconds
    assert posts == [2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5]
    assert len({body for _, body in stage.receiver.posts}) == 1


@pytest.mark.parametrize("status", [300, 404, 429, 503])
def test_only_a_2xx_takes_an_event(status):
    with Stage(receiver=Refusing(1, status)) as stage:
        stage.send(caller.number(1))
        stage.pass_time(2)
        assert len(stage.receiver.posts) == 2


def test_a_callback_that_is_always_refused_is_given_up_after_a_day():
    with Stage(receiver=Refusing(100)) as stage:
        stage.send(caller.number(1))
        stage.pass_time(DAY - 3_700)
        assert stage.ledger()["callbacks"]["pending"] == 1
        stage.pass_time(3_700)
        told = stage.ledger()["callbacks"]
        stage.pass_time(DAY)
        posts = len(stage.receiver.posts)

    assert told == {"pending": 0, "posts": posts, "posted": 0, "given_up": 1}
    assert 30 < posts < 40


def test_a_scaled_clock_retries_for_a_day_within_a_second():
    with Refusing(100) as receiver:
        app = make_app(Behaviour(), callback_url=receiver.url, clock=RunningClock(DAY * 2))
        with EmbeddedSimulator(app) as simulator:
            began = time.monotonic()
            post(simulator)
            told = settled(simulator)
            duration = time.monotonic() - began

    assert told["given_up"] == 1
    assert told["posts"] == len(receiver.posts)
    assert 0.4 < duration < 8


def test_a_receiver_that_does_not_answer_in_time_is_asked_again(monkeypatch):
    monkeypatch.setattr(callbacks, "LEAST_ANSWER_SECONDS", 0.1)
    with Receiver(pause_seconds=0.4) as receiver:
        app = make_app(Behaviour(), callback_url=receiver.url, clock=RunningClock(1_000))
        with EmbeddedSimulator(app) as simulator:
            post(simulator)
            told = settled(simulator)

    assert told["posted"] == 1
    assert told["posts"] >= 2


def test_a_reset_forgets_messages_callbacks_and_the_queue():
    with Stage(rate=0.5, receiver=Refusing(1)) as stage:
        first = stage.send(caller.number(1))
        stage.send(caller.number(2))
        stage.pass_time(0.5)
        stage.ask("POST", "/_ledger/reset")
        ledger = stage.ledger()
        assert stage.listed(sourceTn=caller.SENDER) == []
        assert (ledger["messages"], ledger["requests"], ledger["missed"]) == (0, 0, {})
        assert ledger["callbacks"] == {"pending": 0, "posts": 0, "posted": 0, "given_up": 0}
        stage.pass_time(DAY)
        assert len(stage.receiver.posts) == 1
        # As if newly started, the queue is empty and the same request rolls alike.
        again = stage.send(caller.number(1))
        assert stage.listed(sourceTn=caller.SENDER)[0]["messageStatus"] == "DELIVERED"

    assert first[20:40] == again[20:40]


def test_a_clock_that_runs_cannot_be_moved():
    app = make_app(Behaviour())
    assert caller.ask(app, "POST", "/_clock", json={"seconds": 5}).status_code == 409


@pytest.mark.parametrize("body", ["", "{}", '{"seconds": -1}', '{"seconds": 1e300}'])
def test_a_time_that_cannot_pass_is_refused(body):
    with Stage() as stage:
        assert stage.ask("POST", "/_clock", content=body).status_code == 400


def post(simulator):
    url = f"{simulator.origin}{caller.MESSAGES}"
    answer = httpx.post(url, json=caller.message(), auth=caller.BASIC, trust_env=False)
    assert answer.status_code == 202


def settled(simulator):
    deadline = time.monotonic() + 20
    while True:
        told = httpx.get(simulator.ledger_url, trust_env=False).json()["callbacks"]
        if not told["pending"]:
            return told

        assert time.monotonic() < deadline
        time.sleep(0.02)
