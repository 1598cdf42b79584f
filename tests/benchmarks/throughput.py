"""Messages a second on one core, end to end, against the bare client in the same run.

    python -m tests.benchmarks.throughput [MESSAGES] [ROUNDS]

End to end: shards from a SQLite journal (WAL, synchronous=FULL), lanes, pace, retries ready, every
intent and every outcome durable. Bare: the same client, posting the same texts from as many tasks,
with nothing around it. The server and the sender have a core each.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
from pydantic import SecretStr

from pipeline.account import Account, BasicCredentials
from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.dispatch.pace import SteadyClock
from pipeline.dispatch.stop import Stop
from pipeline.dispatch.worker import Job, Worker
from pipeline.journal import Enlistment, Pace, Shard, open_journal
from pipeline.journal.committer import Committer
from pipeline.model import Message

LANES = 260


def message_of(row):
    number = f"+1919{row:07d}"
    text = f"Hi {row}, your spring voucher is ready. Show it at the till. Reply STOP to opt out."
    return Message(
        row=row, key=f"{row:032x}", to=(number,), sender="+19195550100", text=text, segments=1
    )


def read_shard(payload):
    first, rows = json.loads(payload)
    return [message_of(row) for row in range(first, first + rows)]


def enlist(journal, messages, shard_rows=10_000):
    shards = [
        Shard(
            number=number,
            rows=min(shard_rows, messages - first),
            payload=json.dumps([first + 1, min(shard_rows, messages - first)]).encode(),
        )
        for number, first in enumerate(range(0, messages, shard_rows))
    ]
    enlistment = Enlistment(
        campaign="bench",
        run="bench",
        fingerprint={},
        messages=messages,
        segments=messages,
        cost_micros=0,
        currency="USD",
        created_at=datetime.now(UTC),
    )
    journal.enlist(enlistment, shards)


@contextmanager
def fast_server():
    command = [sys.executable, "-m", "tests.benchmarks.fast_server", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, {0})
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def client(port):
    account = Account(
        account_id="9900000",
        application_id="app",
        credentials=BasicCredentials(username="u", password=SecretStr("p")),
        messaging_url=f"http://127.0.0.1:{port}/api/v2",
        token_url=f"http://127.0.0.1:{port}/token",
    )
    transport = AiohttpTransport(lanes=500)
    return BandwidthClient(account, transport, auth_for(account, transport))


async def bare(port, messages):
    rows = iter(range(1, messages + 1))

    async def lane(wire):
        for row in rows:
            await wire.send(message_of(row), tag=f"bench.{row}.1")

    async with client(port) as wire, anyio.create_task_group() as lanes:
        for _ in range(LANES):
            lanes.start_soon(lane, wire)


async def end_to_end(port, messages, folder):
    journal = open_journal(f"sqlite:///{folder}/bench.db")
    enlist(journal, messages)
    clock, stop = SteadyClock(datetime.now(UTC)), Stop()
    job = Job(
        campaign="bench",
        owner="bench",
        pace=Pace(account="a", rate_segments_per_second=10_000.0),
        read_shard=read_shard,
    )
    committer = Committer(journal, pace=job.pace, lease_seconds=job.lease_seconds, clock=clock)
    async with committer, client(port) as wire:
        worker = Worker(job, committer=committer, wire=wire, stop=stop, clock=clock)
        await worker.run()

    assert worker.counts.accepted == messages
    journal.close()


def measured(run, *arguments):
    began, cpu = time.perf_counter(), time.process_time()
    anyio.run(run, *arguments)
    return time.perf_counter() - began, time.process_time() - cpu


def main(messages=20_000, rounds=3):
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    ratios, figures = [], {"bare": [], "end to end": []}
    for _ in range(rounds):
        with fast_server() as port, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
            alone = measured(bare, port, messages)
            whole = measured(end_to_end, port, messages, folder)

        figures["bare"].append(alone)
        figures["end to end"].append(whole)
        ratios.append(alone[0] / whole[0])

    for name, runs in figures.items():
        wall, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
        rate, each = messages / wall, cpu / messages * 1e6
        print(f"{name:>10}: {rate:8,.0f} messages/s, {each:6.0f} us CPU each")

    print(f"     ratio: {statistics.median(ratios):8.2f} of the bare client ({rounds} rounds)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
