"""Clocks, bounds and places that a test cannot wait for or go to, shifted inside a real process.

The wall clock jumps as it does when somebody sets it: everything that asks the journal's clock sees
it at once, the monotonic clock does not.
"""

import time
from datetime import datetime, timedelta

import httpx

from jobs import dispatching, send
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.dispatch import worker
from pipeline.journal.sqlite import SqliteJournal


def jump(seconds, *, after_seconds):
    """Let the wall clock of this process jump once, so many seconds from now."""
    began, by = time.monotonic(), timedelta(seconds=seconds)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz=None):
            has_jumped = time.monotonic() - began >= after_seconds
            return datetime.now(tz) + (by if has_jumped else timedelta())

    dispatching.datetime = send.datetime = Jumping


def lose_patience(seconds):
    """Wait no longer than so for an answer."""
    AiohttpTransport.__init__.__kwdefaults__["timeout"] = httpx.Timeout(seconds, connect=10.0)


def shorten_leases(seconds):
    """Take shards for so long."""
    worker.Job.__init__.__kwdefaults__["lease_seconds"] = seconds


def go_elsewhere():
    """Run where no lock is seen, as on another machine: only leases count there."""
    SqliteJournal.hold = lambda *_: None
