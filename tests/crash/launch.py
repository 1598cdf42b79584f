"""Starts real bandcast processes, as fast as a kill needs them, and the weakened ones among them.

One process imports everything and forks a bandcast whenever one is asked for (the standard
library's forkserver): 0.2 s for a whole send of ten texts, where a fresh interpreter takes 0.8 s.
A fork has its own process id, memory, locks and files, and dies by SIGKILL like any other.

What is done to a bandcast beside its command line is a `Tampering`. By hand, with the same words:

    python -m tests.crash.launch [--mutant NAME] [--point NAME:NTH] send campaign.toml --yes
"""

import argparse
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import jobs.entry
import jobs.receive
import jobs.send
import jobs.simulate
from tests.crash import mutants, points, shifts

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("BW_", "BANDCAST_")


@dataclass(frozen=True, kw_only=True)
class Tampering:
    """What a process has that nobody else's bandcast has; nothing by default."""

    #: A weakening, by its name in `mutants`.
    mutant: str | None = None
    #: Where it kills itself, by its name in `points`, and the how manieth time it comes by.
    point: str | None = None
    nth: int = 1
    #: Only an attempt for one of these rows counts; None: any.
    rows: frozenset[int] | None = None
    #: Whether it freezes there (SIGSTOP) and lives.
    freezes: bool = False
    #: Where it says, last, what it was doing.
    note: Path | None = None
    #: How far the wall clock jumps, and how many seconds after the start.
    jump_seconds: float = 0.0
    jump_after_seconds: float = 0.0
    #: How long it waits for an answer; None: as everybody.
    patience_seconds: float | None = None
    #: How long its leases are; None: as everybody's.
    lease_seconds: float | None = None
    #: Whether it runs where the campaign's lock is not seen.
    is_elsewhere: bool = False

    def apply(self):
        """Do it, in the process that is to have it."""
        if self.mutant is not None:
            mutants.MUTANTS[self.mutant]()

        if self.point is not None:
            points.install(
                self.point, nth=self.nth, rows=self.rows, note=self.note, freezes=self.freezes
            )

        if self.jump_seconds:
            shifts.jump(self.jump_seconds, after_seconds=self.jump_after_seconds)

        if self.patience_seconds is not None:
            shifts.lose_patience(self.patience_seconds)

        if self.lease_seconds is not None:
            shifts.shorten_leases(self.lease_seconds)

        if self.is_elsewhere:
            shifts.go_elsewhere()


NOTHING = Tampering()

#: multiprocessing looks after all its processes at every start, and two threads that ask one
#: process for its exit code at once get one answer between them.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(kw_only=True)
class Bandcast:
    """A running bandcast."""

    process: multiprocessing.Process
    out_path: Path
    err_path: Path

    @property
    def pid(self):
        return self.process.pid

    @property
    def code(self):
        """Its exit code, -9 after a SIGKILL; None while it lives."""
        with _ONE_AT_A_TIME:
            return self.process.exitcode

    @property
    def out(self):
        return self.out_path.read_text()

    @property
    def err(self):
        return self.err_path.read_text()

    def wait(self, seconds=120.0):
        """Wait for its end; returns the exit code."""
        deadline = time.monotonic() + seconds
        while self.code is None and time.monotonic() < deadline:
            time.sleep(0.005)

        assert self.code is not None, f"still running after {seconds} s: {self.err[-500:]}"
        return self.code

    def kill(self):
        self.process.kill()
        self.wait()

    def signal(self, number):
        os.kill(self.pid, number)

    def freeze(self):
        """SIGSTOP it, and see that it stands still."""
        self.signal(signal.SIGSTOP)
        self.wait_until_frozen()

    def wait_until_frozen(self, seconds=60.0):
        """Wait until every thread of it stands still."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.code is None:
            threads = Path(f"/proc/{self.pid}/task").iterdir()
            if all(_state(thread) == "T" for thread in threads):
                return

            time.sleep(0.001)

        raise AssertionError("it never froze")

    def says(self, words, seconds=60.0):
        """Wait for a line on stderr that has these words; returns it."""
        deadline = time.monotonic() + seconds
        while self.code is None and time.monotonic() < deadline:
            for line in self.err.splitlines(keepends=True):
                if words in line and line.endswith("\n"):
                    return line

            time.sleep(0.01)

        raise AssertionError(f"never said '{words}': {self.err[-500:]}")


def _state(thread):
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return "T"


def environment(**changes):
    """The environment of this process, without what it says about accounts and journals."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return theirs | changes


def start(arguments, *, env, folder, cwd=ROOT, tampering=NOTHING):
    """Start `bandcast ARGUMENTS` in a directory; its output goes to files in a folder."""
    number = sum(1 for _ in folder.glob("run-*.out"))
    out, err = folder / f"run-{number:03}.out", folder / f"run-{number:03}.err"
    out.touch()
    err.touch()
    words, env = [str(each) for each in arguments], environment(**env)
    process = _context().Process(target=_be_bandcast, args=(words, env, cwd, out, err, tampering))
    with _ONE_AT_A_TIME:
        process.start()

    return Bandcast(process=process, out_path=out, err_path=err)


@contextmanager
def simulating(*options):
    """`bandcast simulate` in a process of its own; yields its address."""
    with TemporaryDirectory() as passing:
        running = start(("simulate", "--port", "0", *options), env={}, folder=Path(passing))
        try:
            yield running.says(" at ").split(" at ")[1].split("/api/v2")[0]
        finally:
            running.kill()


def _context():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _be_bandcast(arguments, env, cwd, out, err, tampering):
    for descriptor, path in ((1, out), (2, err)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)

    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = ["bandcast", *arguments]
    tampering.apply()
    jobs.entry.main()


def main():
    """Be a bandcast with a defect."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.launch")
    parser.add_argument("--mutant", choices=sorted(mutants.MUTANTS))
    parser.add_argument("--point", help=f"NAME:NTH, of {', '.join(points.POINTS)}")
    ours, arguments = parser.parse_known_args()
    tampering = Tampering(mutant=ours.mutant)
    if ours.point:
        name, _, nth = ours.point.partition(":")
        tampering = replace(tampering, point=name, nth=int(nth or 1))

    sys.argv = ["bandcast", *arguments]
    tampering.apply()
    jobs.entry.main()


if __name__ == "__main__":
    main()
