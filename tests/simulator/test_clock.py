import time
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.simulator.clock import Moment, RunningClock, StoppedClock

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_a_scaled_clock_runs_so_many_times_as_fast():
    clock = RunningClock(1000)
    first, began = clock.seconds(), time.monotonic()
    time.sleep(0.02)
    passed, least = clock.seconds() - first, time.monotonic() - began
    assert 20 <= least * 1000 <= passed + 5
    assert clock.callers_seconds(86_400) == pytest.approx(86.4)


def test_callers_are_shown_their_own_calendar_whatever_the_scale():
    moment = Moment(5_000.0, NOON, 1000)
    assert moment.wall(6_000.0) == NOON + timedelta(seconds=1)
    assert abs(RunningClock(1000).moment().at - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_date_that_a_caller_names_is_a_span_of_the_simulators_seconds():
    assert Moment(5_000.0, NOON, 1000).until(NOON + timedelta(seconds=60)) == 5_060.0


def test_a_stopped_clock_shows_what_was_let_pass_and_never_goes_back():
    clock = StoppedClock(NOON)
    assert (clock.seconds(), clock.moment().at) == (0.0, NOON)
    clock.advance_to(90.0)
    clock.advance_to(30.0)
    assert clock.moment() == Moment(90.0, NOON + timedelta(seconds=90))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_that_does_not_run_forward_is_refused(scale):
    with pytest.raises(ValueError, match="above 0"):
        RunningClock(scale)
