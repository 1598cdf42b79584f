import random

import pytest

from pipeline.simulator.behaviour import Behaviour, Dice, Fault


def test_a_spec_is_read_with_shares_times_and_whole_numbers():
    spec = "busy=0.05, lost=0.01,latency=40,slow_ms=250,failed_code=4770,batch=3,count=16bit"
    assert Behaviour.parse(spec) == Behaviour(
        busy=0.05, lost=0.01, latency_ms=40, slow_ms=250, failed_code=4770, batch=3, count="16bit"
    )


def test_an_empty_spec_is_a_provider_without_faults():
    assert Behaviour.parse("") == Behaviour()
    assert {Behaviour().fault(roll / 100) for roll in range(100)} == {None}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        pytest.param("bussy=0.1", "did you mean 'busy'", id="misspelt"),
        pytest.param("latancy=5", "did you mean 'latency_ms'", id="misspelt time"),
        pytest.param("busy", "'busy' needs a number", id="no number"),
        pytest.param("busy=often", "'busy' needs a number", id="a word"),
        pytest.param("batch=1.5", "'batch' needs a number", id="half an event"),
        pytest.param("batch=0", "at least 1", id="no event"),
        pytest.param("count=7bit", "'count' is one of standard, ceil, 16bit", id="a count"),
        pytest.param("busy=1.5", "between 0 and 1", id="too large a share"),
        pytest.param("busy=nan", "between 0 and 1", id="not a number"),
        pytest.param("latency=-1", "not negative", id="negative time"),
        pytest.param("busy=0.6,lost=0.6", "more than 1 together", id="more than everything"),
    ],
)
def test_a_spec_that_cannot_be_meant_is_refused(spec, problem):
    with pytest.raises(ValueError, match=problem):
        Behaviour.parse(spec)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_share_of_one_is_always_and_of_a_quarter_a_quarter(fault):
    assert Behaviour(**{fault: 1.0}).fault(0.999999) is fault
    dice, behaviour = Dice(7), Behaviour(**{fault: 0.25})
    hits = sum(behaviour.fault(dice.roll("answer", f"{i}")) is fault for i in range(4_000))
    assert 900 < hits < 1_100


def test_faults_do_not_depend_on_the_order_of_the_recipients():
    recipients = [f"+1919555{i:04d}" for i in range(200)]
    shuffled = random.Random(5).sample(recipients, len(recipients))
    assert _rolls(Dice(3), recipients) == _rolls(Dice(3), shuffled)


def test_another_seed_rolls_otherwise_and_a_second_request_rolls_anew():
    recipients = ["+19195550123", "+19195550124"]
    assert _rolls(Dice(3), recipients) != _rolls(Dice(4), recipients)
    dice = Dice(3)
    assert _rolls(dice, recipients) != _rolls(dice, recipients)


def _rolls(dice, recipients):
    return {each: dice.roll("answer", dice.occasion(each)) for each in recipients}
