"""POSTs a second that the simulator answers on one core, from a caller on another.

    python -m tests.benchmarks.simulator [REQUESTS]

The caller writes prepared requests on a few connections and only counts the answers, so that it is
not what is measured; it says how busy each side's core was. Everything the simulator does is done:
checks, segments, ids, ledger, listing. Three rounds: plain, behind a queue with a rate that is
never reached, and with callbacks to a receiver that answers at once: those cost more than the
answers, and share the core with them. The memory that a text keeps is measured along the way.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ACCOUNT = "9900000"
BANDCAST = Path(sys.executable).with_name("bandcast")
CONNECTIONS = 64
HELD_TO = 5_000  #: POST/s; below that a benchmark against the simulator measures the simulator
MOST_SECONDS = 120  # a round ends then, whatever came of it
ROUNDS = {
    "plain": (),
    "with a rate": ("--rate", "1000000"),
    "with callbacks": ("--callback-url", "http://127.0.0.1:{receiver}/hooks"),
}


def request(index):
    """The index-th POST, as bytes."""
    body = json.dumps(
        {
            "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
            "to": [f"+1{212 + index // 4_000_000}{200_0000 + index % 4_000_000}"],
            "from": "+19195550100",
            "text": f"Hi Ada, your code is {index:08}. It is good until Friday at all our shops.",
            "tag": f"r1.{index}.1",
        }
    ).encode()
    head = (
        f"POST /api/v2/users/{ACCOUNT}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Authorization: Basic dXNlcjpzZWNyZXQ=\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller(asyncio.Protocol):
    """One connection: a request, its answer, the next one."""

    def __init__(self, requests, done):
        self._requests, self._done = requests, done
        self._buffer = b""
        self.accepted = 0

    def connection_made(self, transport):
        self._transport = transport
        self._next()

    def data_received(self, data):
        self._buffer += data
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return

        length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
        if len(rest) < length:
            return

        assert head.startswith(b"HTTP/1.1 202"), head
        self.accepted += 1
        self._buffer = rest[length:]
        self._next()

    def connection_lost(self, error):
        if not self._done.done():
            self._done.set_result(error)

    def _next(self):
        following = next(self._requests, None)
        if following is None:
            self._transport.close()
        else:
            self._transport.write(following)


async def post_all(port, requests):
    """Post everything; return how many were accepted."""
    loop, requests, ends = asyncio.get_running_loop(), iter(requests), []
    callers = []
    for _ in range(CONNECTIONS):
        done = loop.create_future()
        _, caller = await loop.create_connection(
            lambda done=done: Caller(requests, done), "127.0.0.1", port
        )
        ends.append(done)
        callers.append(caller)

    async with asyncio.timeout(MOST_SECONDS):
        await asyncio.gather(*ends)

    return sum(caller.accepted for caller in callers)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - not a file anybody keeps
        fields = file.read().rpartition(")")[2].split()

    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(name, options, requests, cores):
    """One round against a fresh simulator on a core of its own."""
    receiver = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.fast_server", "0"], stdout=subprocess.PIPE
    )
    hooks = int(receiver.stdout.readline())
    os.sched_setaffinity(receiver.pid, {cores[-1]})
    options = [option.format(receiver=hooks) for option in options]
    command = [str(BANDCAST), "simulate", "--port", "0", *options]
    simulator = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        ledger = re.search(r"http://\S+/_ledger", simulator.stderr.readline())[0]
        with urllib.request.urlopen(ledger, timeout=30):  # it is up
            pass

        os.sched_setaffinity(simulator.pid, {cores[0]})
        before, memory = cpu_seconds(simulator.pid), resident_bytes(simulator.pid)
        began, own = time.perf_counter(), time.process_time()
        accepted = asyncio.run(post_all(int(ledger.split(":")[2].split("/")[0]), requests))
        seconds, own = time.perf_counter() - began, time.process_time() - own
        cpu = cpu_seconds(simulator.pid) - before
        memory = resident_bytes(simulator.pid) - memory
    finally:
        for process in (simulator, receiver):
            process.terminate()
            process.wait(timeout=10)

    assert accepted == len(requests)
    print(
        f"{name:16} {accepted / seconds:8,.0f} POST/s   {cpu / accepted * 1e6:5.0f} us CPU each, "
        f"{accepted / cpu:8,.0f} a second of CPU   busy: simulator {cpu / seconds:4.0%}, "
        f"caller {own / seconds:4.0%}   {memory / accepted:6,.0f} bytes a text"
        + ("" if accepted / seconds >= HELD_TO else f"   LESS THAN {HELD_TO:,}")
    )


def main(count):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    requests = [request(index) for index in range(count)]
    for name, options in ROUNDS.items():
        measure(name, options, requests, cores)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
