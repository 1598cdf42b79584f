"""Is the rate right? Real sends at several rates; the simulator's own clock is the witness.

    python -m tests.benchmarks.pace [SECONDS] [RATE ...]

Prints, for each rate in segments per second: the mean over the run, and the most segments in any
one second and any 100 ms, each as a share of what is allowed.
"""

import sys
import tempfile
from pathlib import Path

from tests.crash.story import Story, simulating


def measure(rate, seconds, latency_ms=40):
    """Send for about `seconds`; return (mean, most in 1 s, most in 100 ms), in segments."""
    with (
        simulating(faults=f"latency={latency_ms}") as url,
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
    ):
        messages = max(20, int(rate * seconds))
        story = Story(folder=Path(folder), url=url, messages=messages, rate=rate, seed=1)
        story.write()
        story.finish()
        ledger = story.ledger()
        assert ledger["messages"] == messages
        return (
            ledger["segments_per_second"],
            ledger["max_segments_in_1_s"],
            ledger["max_segments_in_100_ms"],
        )


def main(seconds=10.0, *rates):
    print("  rate     mean / rate   any 1 s / rate   any 100 ms / rate (one message allowed)")
    for rate in rates or (5.0, 50.0, 500.0, 2000.0):
        mean, second, tenth = measure(rate, seconds)
        print(
            f"{rate:6g}   {mean / rate:11.4f}   {second / rate:14.4f}   {tenth / (rate / 10):10.3f}"
            f"  ({tenth} segments)"
        )


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:]))
