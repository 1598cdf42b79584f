"""Stories of crashes: a real `bandcast send`, killed again and again, against a real simulator.

A story starts `bandcast simulate` in a process of its own (the provider does not die with us),
kills sends at random moments, lets the last one finish, and asks both sides: the simulator's
ledger, which counts what each handset received, and the result table.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import polars as pl

from pipeline.dispatch.worker import FIRST_LATENCY_SECONDS, lanes_needed

BANDCAST = str(Path(sys.executable).with_name("bandcast"))
MUTANTS = (sys.executable, "-m", "tests.crash.mutants")
ROOT = Path(__file__).resolve().parents[2]

AREAS = (212, 213, 312, 404, 415, 503, 512, 602, 617, 702, 713, 720, 786, 808, 917, 919, 972)


@dataclass
class Story:
    """One campaign, its crashes and its end."""

    folder: Path
    url: str
    messages: int
    rate: float
    seed: int
    command: tuple[str, ...] = (BANDCAST,)
    kills: int = 0

    #: Faults of the simulator that leave the sender without a readable answer.
    LOSING: ClassVar = (
        "lost",
        "reset",
        "cut",
        "refused",
        "gateway",
        "silent",
        "garbage",
        "unreadable",
    )
    exit_codes: list[int] = field(default_factory=list)

    @property
    def lanes(self):
        """At most so many messages were in flight when a send died."""
        return lanes_needed(self.rate, FIRST_LATENCY_SECONDS)

    @property
    def campaign(self):
        return self.folder / "campaign.toml"

    def write(self):
        rows = [
            f"p{number},+1{AREAS[number % len(AREAS)]}555{number // len(AREAS):04d}"
            for number in range(self.messages)
        ]
        (self.folder / "people.csv").write_text("\n".join(["name,phone", *rows]) + "\n")
        self.campaign.write_text(
            '[campaign]\nname = "crash"\nrecipients = "people.csv"\nfrom = ["+19195550123"]\n'
            f'template = "Hi {{name}}"\n[sending]\nrate = {self.rate}\n'
            "[settling]\nseconds = [0]\n"
        )

    def environment(self):
        return os.environ | {
            "BW_ACCOUNT_ID": "9900000",
            "BW_APPLICATION_ID": "app",
            "BW_CLIENT_ID": "id",
            "BW_CLIENT_SECRET": "secret",
            "BW_MESSAGING_URL": f"{self.url}/api/v2",
            "BW_TOKEN_URL": f"{self.url}/api/v1/oauth2/token",
            "BANDCAST_JOURNAL": f"sqlite:///{self.folder / 'journal.db'}",
        }

    @contextmanager
    def sending(self, *options):
        """A running `send`; killed at the end of the block if it is still alive."""
        arguments = ("send", str(self.campaign), "--yes", "--quiet", "--json")
        arguments += ("--out", str(self.folder / "out"), *options)
        process = subprocess.Popen(
            [*self.command, *arguments],
            env=self.environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()

            process.communicate()

    def kill_until(self, kills):
        """Start, wait for the first new text of this run, kill a random moment later; repeat."""
        dice = random.Random(self.seed)
        while self.kills < kills:
            before = self.ledger()["messages"]
            with self.sending() as process:
                deadline = time.monotonic() + 30
                early = dice.random() < 0.15
                while not early and self.ledger()["messages"] == before:
                    if process.poll() is not None or time.monotonic() > deadline:
                        break

                    time.sleep(0.005)

                time.sleep(dice.uniform(0.0, 0.9 if early else 0.35))
                if process.poll() is not None:
                    return

                process.send_signal(signal.SIGKILL)
                process.wait()
                self.kills += 1

    def finish(self, *options):
        """Run to the end; returns the JSON summary."""
        with self.sending(*options) as process:
            out, err = process.communicate(timeout=120)
            self.exit_codes.append(process.returncode)

        assert out, err.decode()
        return json.loads(out)

    def ledger(self, texts=False):
        query = "?messages=1" if texts else ""
        with urllib.request.urlopen(f"{self.url}/_ledger{query}", timeout=30) as answer:
            return json.load(answer)

    def results(self):
        return pl.read_parquet(self.folder / "out" / "results.parquet")

    def doubled(self):
        """Numbers whose handset got more than one text, by the provider's own book."""
        return [double["to"] for double in self.ledger()["duplicate_handsets"]]

    def check_the_promise(self):
        """Nobody got two; nobody was lost; what is not known says so."""
        assert self.doubled() == []
        got = {number for text in self.ledger(texts=True)["texts"] for number in text["to"]}
        rows = self.results()
        assert rows.height == self.messages
        parts = rows.partition_by("state", as_dict=True)
        by_state = {state: set(part["to"]) for (state,), part in parts.items()}
        taken = by_state.get("accepted", set()) | by_state.get("delivered", set())
        assert taken <= got, "a row says accepted, and the handset has nothing"
        unexplained = got - taken - by_state.get("in_doubt", set())
        assert not unexplained, "a handset has a text that no row explains"
        assert set(by_state) <= {"accepted", "delivered", "in_doubt"}, "a row was left unsent"
        return by_state


@contextmanager
def simulating(faults="latency=40", seed=1):
    """A simulator in a process of its own; yields its address."""
    process = subprocess.Popen(
        [BANDCAST, "simulate", "--port", "0", "--faults", faults, "--seed", str(seed)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stderr.readline()
        yield line.split(" at ")[1].split("/api/v2")[0]
    finally:
        process.terminate()
        process.communicate(timeout=10)
