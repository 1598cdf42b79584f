"""The rate, by the provider's own clock: a real send to a simulator in a process of its own."""

import pytest

from tests.crash.story import Story, simulating


@pytest.mark.parametrize(("rate", "messages"), [(5.0, 15), (50.0, 200), (500.0, 1500)])
def test_the_rate_is_used_and_never_passed_from_the_first_second_on(tmp_path, rate, messages):
    with simulating() as url:
        story = Story(folder=tmp_path, url=url, messages=messages, rate=rate, seed=1)
        story.write()
        story.finish()
        ledger = story.ledger()

    one_message_late = rate / messages
    assert ledger["segments_per_second"] >= 0.995 * rate - one_message_late
    assert ledger["max_segments_in_1_s"] <= max(1.02 * rate, rate + 1)
    assert ledger["max_segments_in_100_ms"] <= max(0.12 * rate, 0.1 * rate + 1)
