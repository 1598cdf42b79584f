"""The proof as one command: kill real bandcasts until a promise breaks, or time is up.

    python -m tests.crash                  one round: every point with every fault, then the rest
    python -m tests.crash --kills 2000     as many rounds as that takes
    python -m tests.crash --minutes 90 --seed 7
    python -m tests.crash --kinds points --faults lost,reset --points post-during
    python -m tests.crash --mutant early   the same with a weakened bandcast: must end with 1

Exit code 1 where a promise broke; what repeats it is printed beside it.
"""

import argparse
import itertools
import shutil
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tests.crash.budgets import tell_budget
from tests.crash.kinds import FAULTS, tell_points, tell_random, tell_receipts
from tests.crash.launch import Tampering
from tests.crash.mutants import MUTANTS
from tests.crash.points import POINTS
from tests.crash.scenes import SCENES
from tests.crash.tables import table

KINDS = {
    "points": tell_points,
    "random": tell_random,
    "receipts": tell_receipts,
    "budget": tell_budget,
    **SCENES,
}
#: Stories of one kind in a round, where it is not one.
TIMES = {"random": 3, "receipts": 4}


@dataclass(frozen=True)
class Tale:
    """One story to tell."""

    kind: str
    seed: int
    fault: str | None = None

    def tell(self, folder, asked):
        more = {"fault": self.fault, "wanted": asked.points} if self.fault else {}
        tampering = Tampering(mutant=asked.mutant)
        return KINDS[self.kind](folder, self.seed, tampering=tampering, **more)

    def __str__(self):
        return f"{self.kind}{f' x {self.fault}' if self.fault else ''}, seed {self.seed}"

    @property
    def command(self):
        fault = f" --faults {self.fault}" if self.fault else ""
        return f"python -m tests.crash --kinds {self.kind}{fault} --seed {self.seed}"


def tales(asked):
    """Deal the stories of one round after the other; every round has its own seeds."""
    for number in itertools.count():
        for kind in asked.kinds:
            seeds = [asked.seed + number * 10 + each for each in range(TIMES.get(kind, 1))]
            for seed in seeds:
                for fault in asked.faults if kind == "points" else (None,):
                    yield number, Tale(kind, seed, fault)


class Run:
    """Tells stories a few at a time, until it is enough."""

    def __init__(self, asked):
        self.asked, self.deck, self.lock = asked, tales(asked), threading.Lock()
        self.began = time.monotonic()
        #: (tale, what came of it) and (tale, what broke).
        self.told, self.broken = [], []

    @property
    def kills(self):
        return sum((told.kills for _, told in self.told), Counter()).total()

    def work(self):
        while (tale := self.next()) is not None:
            folder = Path(mkdtemp(prefix="crash-"))
            try:
                told = tale.tell(folder, self.asked)
            except Exception as error:
                self.failed(tale, error, folder)
            else:
                shutil.rmtree(folder, ignore_errors=True)
                self.succeeded(tale, told)

    def next(self):
        """Deal a story; None where it is enough."""
        asked, minutes = self.asked, (time.monotonic() - self.began) / 60
        with self.lock:
            number, tale = next(self.deck)
            rounds = asked.kills is None and asked.minutes is None
            enough = (
                (rounds and number > 0)
                or (asked.kills is not None and self.kills >= asked.kills)
                or (asked.minutes is not None and minutes >= asked.minutes)
            )
            return None if enough else tale

    def succeeded(self, tale, told):
        with self.lock:
            self.told.append((tale, told))
            said = f"{told.kills.total():3} kills, {told.doubts:3} in doubt of {told.rows:4} rows"
            self.say(f"{tale!s:32} {said}; {self.kills:5} kills so far")

    def failed(self, tale, error, folder):
        with self.lock:
            self.broken.append((tale, error))
            self.say(f"{tale}: BROKEN: {error}")
            self.say(f"what is left of it: {folder}")
            if not hasattr(error, "promise"):
                traceback.print_exception(error)

    def say(self, sentence):
        print(f"{time.monotonic() - self.began:7.1f} s  {sentence}", flush=True)


def words(known):
    """Read words from a list, apart by commas."""

    def read(written):
        names = tuple(filter(None, written.split(",")))
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(known)}")

        return names

    return read


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, help="go on until so many")
    parser.add_argument("--minutes", type=float, help="go on for so long")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same stories")
    parser.add_argument("--kinds", type=words(KINDS), default=tuple(KINDS))
    parser.add_argument("--points", type=words(POINTS), default=POINTS)
    parser.add_argument("--faults", type=words(FAULTS), default=tuple(FAULTS))
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="weaken every bandcast so")
    parser.add_argument("--at-once", type=int, default=3, help="stories told side by side")
    return parser.parse_args()


def main():
    """Tell the stories, print the table; the exit code says whether every promise held."""
    run = Run(arguments())
    workers = [threading.Thread(target=run.work) for _ in range(run.asked.at_once)]
    for worker in workers:
        worker.start()

    for worker in workers:
        worker.join()

    print(table(run.told, run.broken, seconds=time.monotonic() - run.began))
    for tale, error in run.broken:
        mutant = f" --mutant {run.asked.mutant}" if run.asked.mutant else ""
        print(f"BROKEN: {error}\n  again: {tale.command}{mutant}")

    sys.exit(1 if run.broken or not run.told else 0)


if __name__ == "__main__":
    main()
