"""Nobody gets two, whatever dies: real sends, killed with SIGKILL at random moments."""

from contextlib import contextmanager

import pytest

from tests.crash.story import MUTANTS, Story, simulating

#: Kills of the default run; together at least 25.
STORIES = {
    "quiet provider": ("latency=40", 9, 100.0),
    "answers are lost": ("latency=40,lost=0.03,reset=0.02,cut=0.02", 8, 100.0),
    "busy and failing provider": (
        "latency=60,busy=0.03,error=0.05,refused=0.02,slow=0.05",
        8,
        60.0,
    ),
}


@contextmanager
def told(folder, faults, kills, rate, seed=1):
    with simulating(faults=faults, seed=seed) as url:
        story = Story(folder=folder, url=url, messages=900, rate=rate, seed=seed)
        story.write()
        story.kill_until(kills)
        story.finish("--rate", "2000")
        yield story


@pytest.mark.parametrize(("faults", "kills", "rate"), STORIES.values(), ids=STORIES.keys())
def test_nobody_gets_two_and_nobody_is_lost_whatever_dies(tmp_path, faults, kills, rate):
    with told(tmp_path, faults, kills, rate) as story:
        assert story.kills == kills
        states = story.check_the_promise()
        lost = story.ledger()["faults"]
        in_flight = story.kills * story.lanes
        doubts = len(states.get("in_doubt", ()))
        assert doubts <= in_flight + sum(lost.get(fault, 0) for fault in story.LOSING)
        assert story.exit_codes[-1] == (6 if doubts else 0)


def test_the_story_can_fail_a_sender_without_durable_intents_texts_people_twice(tmp_path):
    with simulating() as url:
        mutant = (*MUTANTS, "unrecorded")
        story = Story(folder=tmp_path, url=url, messages=900, rate=100.0, seed=1, command=mutant)
        story.write()
        story.kill_until(3)
        assert story.kills == 3
        assert story.doubled(), "the proof is blind: it did not notice a broken promise"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 22))
def test_two_hundred_kills_more(tmp_path, seed):
    faults, kills, rate = list(STORIES.values())[seed % len(STORIES)]
    with told(tmp_path, faults, kills + 2, rate, seed=seed) as story:
        story.check_the_promise()
