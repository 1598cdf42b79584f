"""When a run is to end, by the clock of the machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from jobs.ending import moment_of
from pipeline.errors import UsageError


@pytest.fixture
def new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        pytest.param(
            datetime(2027, 3, 14, 6, 0, tzinfo=UTC),
            datetime(2027, 3, 15, 1, 0, tzinfo=UTC),
            id="clocks go forward",
        ),
        pytest.param(
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
            datetime(2026, 11, 2, 2, 0, tzinfo=UTC),
            id="clocks go back",
        ),
    ],
)
def test_a_time_of_day_is_what_the_clock_on_the_wall_will_show(new_york, now, ends):
    assert moment_of("21:00", now=now) == ends


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_moment_that_no_clock_can_show_is_no_time(new_york, text):
    with pytest.raises(UsageError, match="is no time"):
        moment_of(text, now=datetime(2026, 11, 25, tzinfo=UTC))


def test_a_time_of_day_with_a_zone_is_that_of_the_zone(new_york):
    now = datetime(2026, 11, 25, 13, tzinfo=UTC)
    assert moment_of("21:00+00:00", now=now) == datetime(2026, 11, 25, 21, tzinfo=UTC)
