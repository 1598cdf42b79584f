"""The exit code names the gravest thing that is left; the next step says what to do about it."""

from pathlib import Path

import pytest

from jobs.dispatching import Dispatched
from jobs.summary import achieved, exit_code, next_step
from pipeline.campaign import ResultFiles
from pipeline.dispatch.sender import Counts
from pipeline.dispatch.stop import StopReason
from pipeline.journal import Spending, Tally
from pipeline.lifecycle import MessageState
from tests.journal.builders import NOW

ASKED, REFUSED, UNREACHABLE = StopReason.ASKED, StopReason.REFUSED, StopReason.UNREACHABLE
BUDGET = StopReason.BUDGET

ENDS = {
    "all delivered": (None, ["delivered"], 0, "nothing"),
    "all accepted": (None, ["accepted", "skipped"], 0, "nothing"),
    "cancelled by the journal": (None, ["delivered", "cancelled"], 0, "nothing"),
    "some rejected": (None, ["accepted", "rejected"], 3, "columns error_code and error"),
    "some failed": (None, ["accepted", "failed"], 3, "columns error_code and error"),
    "some never tried": (None, ["accepted", "ready"], 5, "run the same command again"),
    "stopped by hand": (ASKED, ["accepted", "ready", "failed"], 5, "the reason; run the same"),
    "stopped with nothing left": (ASKED, ["accepted"], 0, "nothing"),
    "nobody there": (UNREACHABLE, ["ready"], 5, "the reason; run the same command again"),
    "doubts": (None, ["accepted", "in_doubt", "failed"], 6, "never sent again by themselves"),
    "doubts and a stop": (UNREACHABLE, ["in_doubt", "ready"], 6, "never sent again"),
    "over budget": (BUDGET, ["accepted", "ready"], 5, "the reason; raise the budget"),
    "over budget, with doubts": (BUDGET, ["in_doubt", "ready"], 6, "the reason; raise the budget"),
    "an attempt nobody finished": (None, ["sending"], 6, "never sent again"),
    "refused, with doubts": (REFUSED, ["in_doubt", "ready", "failed"], 4, "the reason; check"),
}  # fmt: skip


def ended(counts, states, stopped=None, *, seconds=1.0):
    found = {MessageState(state): 1 for state in states if state != "skipped"}
    tally = Tally(
        campaign="spring",
        messages=len(found),
        segments=len(found),
        cost_micros=0,
        currency="USD",
        created_at=NOW,
        states=found,
    )
    return Dispatched(
        counts=counts,
        tally=tally,
        spending=Spending(),
        duration_seconds=seconds,
        is_simulated=False,
        stopped=stopped,
        because="the reason" if stopped else "",
    )


@pytest.mark.parametrize(("stopped", "states", "code", "words"), ENDS.values(), ids=ENDS.keys())
def test_where_several_things_are_left_the_gravest_decides(stopped, states, code, words):
    done = ended(Counts(latencies=[]), states, stopped)
    files = ResultFiles(
        parquet=Path("r"), csv=Path("c"), states=dict.fromkeys(states, 1), cost_micros=0
    )
    assert exit_code(done, files) == code
    assert words in next_step(done, code)


def test_where_doubts_alone_are_left_nothing_is_said_of_a_rest():
    done = ended(Counts(latencies=[]), ["in_doubt", "accepted"])
    assert next_step(done, 6).endswith("Ask its listing again with `bandcast reconcile`.")


def test_what_was_given_up_is_told_with_its_reason():
    counts = Counts(latencies=[], given_up=2, given_up_because="no access token")
    said = next_step(ended(counts, ["accepted", "ready"]), 5)
    assert said.startswith("2 messages given up for now (no access token); run the same")


@pytest.mark.parametrize(
    ("segments", "seconds", "rate"),
    [(19, 18.0, None), (500, 1.0, None), (0, 0.0, None), (20, 19.0, 20 / 19), (100, 2.0, 50.0)],
)
def test_a_run_that_is_over_at_once_has_no_rate(segments, seconds, rate):
    counts = Counts(latencies=[], segments=segments)
    assert achieved(ended(counts, ["accepted"], seconds=seconds)) == rate
