"""How much `send` and `receive` hinder each other on one SQLite journal.

    python -m tests.benchmarks.together [MESSAGES] [EVENTS_PER_SECOND] [RATE]

The real commands against `bandcast simulate`, three rounds in one run: the sender alone; beside a
receiver under load that has another journal, which costs only what two processes take from the
machine's cores; and on the same journal. The last in proportion to the second is what the journal
itself costs. The poster posts one event at a time on 16 connections, paced.
"""

import asyncio
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.receiver import CREDENTIALS, requests
from tests.crash.launch import simulating
from tests.jobs.receiving import kept, start_receiver
from tests.jobs.shell import CAMPAIGN, CARD, account, finish, start

CONNECTIONS = 16
MOST_SECONDS = 300


def write(folder, people, rate):
    rows = [f"P{n},+1{2122000000 + n}" for n in range(people)]
    (folder / "people.csv").write_text("name,phone\n" + "\n".join(rows) + "\n")
    (folder / "card.toml").write_text(CARD)
    (folder / "campaign.toml").write_text(CAMPAIGN.replace("rate = 2000", f"rate = {rate}"))


class Poster:
    """Posts events at a pace until it is told to stop; keeps how long the answers took."""

    def __init__(self, url, events_per_second):
        where = urlsplit(url)
        self._place, self._pause = (where.hostname, where.port), CONNECTIONS / events_per_second
        self._bodies = requests(10**7)
        self.waits = []

    async def work(self, number):
        await asyncio.sleep(self._pause * number / CONNECTIONS)
        reader, writer = await asyncio.open_connection(*self._place)
        due = time.perf_counter()
        while True:
            began = time.perf_counter()
            writer.write(next(self._bodies))
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 204"), answer
            self.waits.append(time.perf_counter() - began)
            due = max(due + self._pause, began)
            await asyncio.sleep(max(due - time.perf_counter(), 0))


async def until_sent(folder, url, poster):
    """Send the campaign while the poster posts; returns what `send` says."""
    env = account(url, BANDCAST_JOURNAL="sqlite:///journal.db")
    process = start(folder, "send", "campaign.toml", "--yes", "--json", env=env)
    work = [asyncio.create_task(poster.work(n)) for n in range(CONNECTIONS)] if poster else []
    began = time.perf_counter()
    try:
        done = await asyncio.to_thread(finish, process, timeout=MOST_SECONDS)
    finally:
        for task in work:
            task.cancel()

    assert done.code == 0, done.err
    return done.json, time.perf_counter() - began


def measure(name, messages, events_per_second, rate):
    with tempfile.TemporaryDirectory() as mine, tempfile.TemporaryDirectory() as other:
        folder = Path(mine)
        write(folder, messages, rate)
        with simulating() as url:
            if name == "alone":
                said, _ = asyncio.run(until_sent(folder, url, None))
                receiver = ""
            else:
                beside = folder if name == "one journal" else Path(other)
                process, at = start_receiver(beside, env=CREDENTIALS)
                poster = Poster(at, events_per_second)
                try:
                    said, seconds = asyncio.run(until_sent(folder, url, poster))
                finally:
                    process.send_signal(signal.SIGTERM)
                    process.communicate(timeout=30)

                assert sum(map(len, kept(beside))) >= len(poster.waits)
                waits = sorted(poster.waits)
                most = waits[int(len(waits) * 0.99)] * 1000
                receiver = f"{len(waits) / seconds:7,.0f} events/s, 99 % within {most:,.0f} ms"

    achieved = said["achieved_segments_per_second"]
    print(f"{name:16} {achieved:7,.0f} segments/s of {rate:,}   {receiver}", flush=True)
    return achieved


def main(messages=5_000, events_per_second=1_000, rate=500):
    rounds = ("alone", "another journal", "one journal")
    alone, apart, together = (measure(n, messages, events_per_second, rate) for n in rounds)
    print(f"one journal / another journal: {together / apart:.2f}; / alone: {together / alone:.2f}")


if __name__ == "__main__":
    main(*(int(re.sub(r"\D", "", word)) for word in sys.argv[1:]))
