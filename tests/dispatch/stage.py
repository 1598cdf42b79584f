"""A stage for dispatch: a real journal, a real committer, and a provider that follows a script."""

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import anyio

from pipeline.dispatch.pace import SteadyClock
from pipeline.dispatch.retries import Patience
from pipeline.dispatch.stop import Stop
from pipeline.dispatch.worker import Job, Worker
from pipeline.journal import NO_BUDGET, Enlistment, Pace, Shard
from pipeline.journal.committer import Committer
from pipeline.model import Accepted, Message

CAMPAIGN = "spring"
IMPATIENT = Patience(
    tries=3,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.02,
    first_pause_seconds=0.02,
    longest_pause_seconds=0.05,
)


def number_of(row):
    return f"+1919555{row:04d}"


PRICE_MICROS = 4_000


def message_of(row, segments=1):
    return Message(
        row=row,
        key=f"key-{row}",
        to=(number_of(row),),
        sender="+19195550100",
        text=f"text {row}",
        segments=segments,
        cost_micros=PRICE_MICROS * segments,
    )


def read_shard(payload):
    return [message_of(row, segments) for row, segments in json.loads(payload)]


def enlist(journal, messages, shard_rows=10, segments=1, name=CAMPAIGN):
    rows = [(row, segments) for row in range(1, messages + 1)]
    cuts = [rows[start : start + shard_rows] for start in range(0, messages, shard_rows)]
    enlistment = Enlistment(
        campaign=name,
        run="brun",
        fingerprint={"recipients": "x"},
        messages=messages,
        segments=messages * segments,
        cost_micros=0,
        currency="USD",
        created_at=datetime.now(UTC),
    )
    shards = [
        Shard(number=number, rows=len(cut), payload=json.dumps(cut).encode())
        for number, cut in enumerate(cuts)
    ]
    journal.enlist(enlistment, shards)


class ScriptedProvider:
    """Answers each text by a script: number -> outcomes, the last one for ever. Counts POSTs."""

    def __init__(self, script=None, seconds=0.0):
        self.script, self.seconds = script or {}, seconds
        self.posts = []
        self.tags = []

    async def ready(self, message, /):
        return None

    async def send(self, message, *, tag):
        (number,) = message.to
        tries = self.posts.count(number)
        self.posts.append(number)
        self.tags.append(tag)
        if self.seconds:
            await anyio.sleep(self.seconds)

        answers = self.script.get(number, self.script.get("*", [None]))
        answer = answers[min(tries, len(answers) - 1)]
        if isinstance(answer, BaseException):
            raise answer

        return answer or Accepted(message_id=f"id-{number}-{tries}")


@asynccontextmanager
async def working(
    journal,
    provider,
    *,
    rate=2000.0,
    owner="me",
    lease_seconds=60.0,
    stop=None,
    clock=None,
    budget=NO_BUDGET,
):
    """A worker with its committer running; yields worker, stop and committer."""
    stop, clock = stop or Stop(), clock or SteadyClock(datetime.now(UTC))
    pace = Pace(account="a", rate_segments_per_second=rate)
    job = Job(
        campaign=CAMPAIGN,
        owner=owner,
        pace=pace,
        read_shard=read_shard,
        lease_seconds=lease_seconds,
        patience=IMPATIENT,
    )
    committer = Committer(
        journal, pace=pace, budget=budget, lease_seconds=lease_seconds, clock=clock
    )
    async with committer:
        worker = Worker(job, committer=committer, wire=provider, stop=stop, clock=clock)
        yield SimpleNamespace(worker=worker, stop=stop, committer=committer)


def states(journal):
    return {state.value: count for state, count in journal.tally(CAMPAIGN).states.items()}
