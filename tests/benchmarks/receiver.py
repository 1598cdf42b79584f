"""Events a second that `bandcast receive` makes durable on one core, one event a POST.

    python -m tests.benchmarks.receiver [EVENTS] [CONNECTIONS]

The real command with credentials, pinned to one core, on a SQLite journal (WAL, synchronous=FULL).
The poster has the other core and keeps its connections open, each with one POST at a time, as a
provider does that waits for the answer. Two of three events are receipts, one is a reply.
"""

import asyncio
import base64
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.jobs.receiving import event, kept, pin, said, start_receiver

CREDENTIALS = {"BW_CALLBACK_USERNAME": "bandwidth", "BW_CALLBACK_PASSWORD": "secret"}
HEAD = (
    b"POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: BandwidthAPI/v2\r\nAuthorization: Basic %b\r\n"
    b"Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
)
#: Stops a run that is stuck.
MOST_SECONDS = 300


def requests(count):
    token = base64.b64encode(b"bandwidth:secret")
    for number in range(count):
        body = said(number, "thanks") if number % 3 == 0 else event(number)
        yield HEAD % (token, len(body)) + body


async def post_all(url, bodies, connections):
    """Post everything; returns how long each answer took, in seconds."""
    waits = []

    async def work():
        where = urlsplit(url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for request in bodies:
            began = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            waits.append(time.perf_counter() - began)
            assert answer.startswith(b"HTTP/1.1 204"), answer

        writer.close()

    async with asyncio.timeout(MOST_SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(work())

    return sorted(waits)


def cpu_seconds(process_id):
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(events, connections):
    with tempfile.TemporaryDirectory() as folder:
        process, url = start_receiver(Path(folder), env=CREDENTIALS)
        try:
            pin(process.pid, 0)
            pin(0, 1)
            bodies = list(requests(events))
            before, began = cpu_seconds(process.pid), time.perf_counter()
            waits = asyncio.run(post_all(url, iter(bodies), connections))
            seconds = time.perf_counter() - began
            cpu = cpu_seconds(process.pid) - before
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)

        assert sum(map(len, kept(Path(folder)))) == events

    half, most = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"{events / seconds:,.0f} events/s durable ({events:,} in {seconds:.1f} s over "
        f"{connections} connections), {cpu / events * 1e6:.0f} us CPU an event; answers: "
        f"median {half:.0f} ms, 99 % {most:.0f} ms, longest {waits[-1] * 1000:.0f} ms"
    )


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    measure(*(arguments + [20_000, 64][len(arguments) :]))
