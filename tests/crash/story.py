"""Stories of crashes: real `bandcast send` processes, killed again and again, and their provider.

`bandcast simulate` runs in a process of its own (the provider does not die with us). A story writes
a campaign, starts sends, kills them, and asks both sides what became of every row: the simulator's
ledger, which counts what each handset received, and the journal and the result table.
"""

import json
import random
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from pipeline.dispatch.worker import FIRST_LATENCY_SECONDS, lanes_needed
from tests.crash import launch
from tests.crash.launch import NOTHING, Tampering
from tests.crash.witnesses import Fortune

AREAS = (212, 213, 312, 404, 415, 503, 512, 602, 617, 702, 713, 720, 786, 808, 917, 919, 972)

#: Rows at the end of the file that repeat the first ones: skipped, whatever happens.
REPEATS = 3

#: What a busy machine adds to the slowest answer, as a sender sees it.
BUSY_SECONDS = 0.5

#: Faults of the simulator that leave the sender without a readable answer.
LOSING = ("lost", "reset", "cut", "refused", "gateway", "silent", "garbage", "unreadable")


@dataclass
class Story:
    """One campaign, its crashes and its end."""

    folder: Path
    url: str
    messages: int
    rate: float
    seed: int
    #: What every send of it has.
    tampering: Tampering = NOTHING
    #: How its provider misbehaves.
    faults: str = "latency=40"
    #: The slowest answer that it gives.
    slowest_seconds: float = FIRST_LATENCY_SECONDS
    name: str = "crash"
    sender: str = "+19195550123"
    #: Where its journal is; its own folder by default.
    home: Path | None = None
    #: Its first handset, of all there are.
    first: int = 0
    kills: int = 0
    #: The most segments by which any window had more than the rate.
    burst: float = 0.0
    exit_codes: list[int] = field(default_factory=list)
    #: Row -> attempts of it, of every attempt that was open when a send died.
    open_at_death: dict[int, int] = field(default_factory=dict)

    @property
    def lanes(self):
        """So many messages are in flight on a machine that has time."""
        return lanes_needed(self.rate, max(self.slowest_seconds, FIRST_LATENCY_SECONDS))

    @property
    def most_lanes(self):
        """At most so many were in flight when a send died: it opens lanes as answers get slower."""
        return lanes_needed(self.rate, self.slowest_seconds + BUSY_SECONDS)

    @property
    def fortune(self):
        return Fortune(self.faults, self.seed)

    @property
    def campaign(self):
        return self.folder / "campaign.toml"

    @property
    def journal(self):
        return (self.home or self.folder) / "journal.db"

    def number(self, row):
        """The phone number of a row, 1 the first."""
        place = self.first + (row - 1) % self.messages
        return f"+1{AREAS[place % len(AREAS)]}555{place // len(AREAS):04d}"

    def write(self):
        rows = [f"p{row},{self.number(row)}" for row in range(1, self.messages + REPEATS + 1)]
        (self.folder / "people.csv").write_text("\n".join(["name,phone", *rows]) + "\n")
        (self.folder / "card.toml").write_text(
            'name = "one price"\ncurrency = "USD"\n[[price]]\nchannel = "sms"\n'
            'sender = "default"\nprefix = "1"\nbase = "0.004"\n'
            '[[price]]\nchannel = "mms"\nsender = "default"\nprefix = "1"\nbase = "0.015"\n'
        )
        self.campaign.write_text(
            f'[campaign]\nname = "{self.name}"\nfrom = ["{self.sender}"]\n'
            f'recipients = "people.csv"\ntemplate = "Hi {{name}}"\n[sending]\nrate = {self.rate}\n'
            '[rates]\ncard = "card.toml"\n[settling]\nseconds = [0]\n'
        )

    def environment(self):
        return {
            "BW_ACCOUNT_ID": "9900000",
            "BW_APPLICATION_ID": "app",
            "BW_CLIENT_ID": "id",
            "BW_CLIENT_SECRET": "secret",
            "BW_MESSAGING_URL": f"{self.url}/api/v2",
            "BW_TOKEN_URL": f"{self.url}/api/v1/oauth2/token",
            "BANDCAST_JOURNAL": f"sqlite:///{self.journal}",
        }

    def start(self, *options, command="send", **changes):
        """Start a send; `changes` are of its tampering."""
        arguments = [command, str(self.campaign), "--quiet", *options]
        if command == "send":
            arguments += ["--yes", "--json", "--out", str(self.folder / "out")]

        return launch.start(
            arguments,
            env=self.environment(),
            folder=self.folder,
            tampering=replace(self.tampering, **changes),
        )

    @contextmanager
    def sending(self, *options, **changes):
        """A running `send`; killed at the end of the block if it is still alive."""
        running = self.start(*options, **changes)
        try:
            yield running
        finally:
            if running.code is None:
                running.kill()

    def kill_until(self, kills, check=lambda _: None):
        """Start, wait for the first new text of this run, kill a random moment later; repeat."""
        dice = random.Random(f"{self.seed} {self.kills}")
        while self.kills < kills:
            before = self.ledger()["messages"]
            with self.sending() as running:
                deadline = time.monotonic() + 30
                early = dice.random() < 0.15
                while not early and self.ledger()["messages"] == before:
                    if running.code is not None or time.monotonic() > deadline:
                        break

                    time.sleep(0.005)

                time.sleep(dice.uniform(0.0, 0.4 if early else 0.35))
                if running.code is not None:
                    return

                running.kill()
                self.kills += 1
                check(self)

    def finish(self, *options, **changes):
        """Run to the end; returns the JSON summary."""
        with self.sending(*options, **changes) as running:
            self.exit_codes.append(running.wait())

        assert running.out, running.err
        return json.loads(running.out)

    def ledger(self, texts=False):
        query = "?messages=1" if texts else ""
        with urllib.request.urlopen(f"{self.url}/_ledger{query}", timeout=30) as answer:
            return json.load(answer)

    def results(self):
        return pl.read_parquet(self.folder / "out" / "results.parquet")

    def doubled(self):
        """Numbers whose handset got more than one text, by the provider's own book."""
        return [double["to"] for double in self.ledger()["duplicate_handsets"]]


def simulating(faults="latency=40", seed=1, options=()):
    """A simulator with these faults in a process of its own; yields its address."""
    return launch.simulating("--faults", faults, "--seed", str(seed), *options)


def reset(url):
    """Let a simulator forget every text."""
    request = urllib.request.Request(f"{url}/_ledger/reset", method="POST")
    urllib.request.urlopen(request, timeout=30).close()
