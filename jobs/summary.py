"""How a send ended: for a person, for a program, and as an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs import budgets, console
from jobs.dispatching import Dispatched
from jobs.document import estimate_json
from jobs.drifting import drift_json, drift_line
from pipeline.campaign import ResultFiles
from pipeline.dispatch.stop import StopReason
from pipeline.estimate import Estimate
from pipeline.lifecycle import MessageState
from pipeline.settle.evidence import evidence_json
from pipeline.spelling import counted

DONE, SOME_FAILED, CREDENTIALS, STOPPED, IN_DOUBT = 0, 3, 4, 5, 6

_GO_ON = "run the same command again: it goes on where it stopped."
_MORE_MONEY = f"raise the budget (or wait for the next day, where it is the day's) and {_GO_ON}"
_RESUME = "`bandcast resume` lets it go on."
_THE_REST = "Run the same command again for the rest."
#: How a run goes on that stopped for a reason, where it is not by itself.
_HOW = {StopReason.BUDGET: _MORE_MONEY, StopReason.PAUSED: _RESUME}

#: A run with fewer has no rate to speak of.
_LEAST_SEGMENTS = 20

#: What another run goes on with.
_NOT_TRIED = frozenset({MessageState.READY, MessageState.SENDING})

#: The ends after which somebody has to do something.
UNFINISHED = frozenset({CREDENTIALS, STOPPED, IN_DOUBT})


def exit_code(done: Dispatched, files: ResultFiles) -> int:
    """Return the code of the gravest thing that is left: 4, 6, 5, 3, or 0."""
    return CREDENTIALS if done.stopped is StopReason.REFUSED else code_of(files.states)


def code_of(states: Mapping[str, int]) -> int:
    """Return the code of a campaign whose rows are in these states."""
    if states.get("in_doubt") or states.get("sending"):
        return IN_DOUBT

    if states.get("ready"):
        return STOPPED

    if states.get("rejected") or states.get("failed"):
        return SOME_FAILED

    return DONE


def summary_json(estimate: Estimate, done: Dispatched, files: ResultFiles) -> dict[str, Any]:
    """Return the document that ``send --json`` prints: the estimate, and how it went."""
    states, pace = files.states, achieved(done)
    return estimate_json(estimate) | {
        "states": dict(states),
        "in_doubt": states.get("in_doubt", 0),
        "doubts": [evidence_json(each) for each in files.evidence],
        "duration_seconds": round(done.duration_seconds, 3),
        "achieved_segments_per_second": None if pace is None else round(pace, 3),
        "cost_of_results": files.cost_micros / 1e6,
        "drift": drift_json(files),
        "simulated": done.is_simulated,
        "stopped": done.because or None,
        "messages_left": states.get("ready", 0),
        "spending": budgets.spending_json(estimate, done.spending),
        "results": str(files.parquet),
    }


def print_summary(estimate: Estimate, done: Dispatched, files: ResultFiles) -> None:
    """Tell a person how it went and what to do next."""
    currency, pace = estimate.totals.currency, achieved(done)
    rate = estimate.settings.rate_segments_per_second
    title = f"Results of '{estimate.settings.campaign.name}'"
    drift = {"counted otherwise": f"{drift_line(files, currency)} (drift.csv)"}
    console.print_states(
        f"{title} (simulated: nobody was texted)" if done.is_simulated else title,
        dict(files.states) | {"rows": estimate.totals.rows},
        {
            "cost": console.money(files.cost_micros / 1e6, currency),
            "cost estimated": console.money(float(estimate.cost), currency),
            **(drift if files.drift else {}),
            **({} if pace is None else {"segments/s achieved": f"{pace:,.1f} of {rate:g}"}),
            "time": console.duration(done.duration_seconds),
            "results": f"{files.parquet} and .csv",
        },
    )
    console.paper.print(f"[bold]Next[/]: {next_step(done, exit_code(done, files))}")


def _given_up(done: Dispatched) -> str:
    """Say what the provider did not take although nothing stopped the run; nothing where it did."""
    counts = done.counts
    if not counts.given_up:
        return ""

    return f"{counted(counts.given_up, 'message')} given up for now ({counts.given_up_because})"


def next_step(done: Dispatched, code: int) -> str:
    """Say what is left for the user to do after this exit code."""
    if code == CREDENTIALS:
        return (
            f"{done.because}; check the credentials, the account and what it may do, then run the "
            "same command again: every row that was not sent is ready."
        )

    how = _HOW.get(done.stopped) if done.stopped else None
    reason = done.because or _given_up(done)
    because = f"{reason}; " if reason else ""
    if code == IN_DOUBT:
        doubts = (
            "for the rows in doubt nobody knows whether the provider has them; they are never sent "
            "again by themselves. "
        )
        if not done.is_simulated:
            doubts += "Ask its listing again with `bandcast reconcile`. "

        if not _NOT_TRIED & done.tally.states.keys():
            return because + doubts.rstrip()

        return f"{doubts}For the rest: {because}{how}" if how else because + doubts + _THE_REST

    if code == STOPPED:
        return because + (how or _GO_ON)

    if code == SOME_FAILED:
        return "look at the rows that were rejected or failed: columns error_code and error."

    if done.is_simulated:
        return (
            "to send for real, set BW_ACCOUNT_ID, BW_APPLICATION_ID, BW_CLIENT_ID and "
            "BW_CLIENT_SECRET and run the same command without --simulate."
        )

    return "nothing: every row has its result. Running the command again would text nobody twice."


def achieved(done: Dispatched) -> float | None:
    """Return the segments per second of a run; None where it was too short to have a rate.

    The first message of a run waits for none, so that few of them seem faster than the contract.
    """
    seconds, segments = done.duration_seconds, done.counts.segments
    return segments / seconds if seconds > 1 and segments >= _LEAST_SEGMENTS else None
