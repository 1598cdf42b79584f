"""Where a process can be made to die: every numbered step of a run, by SIGKILL from inside.

The product has no hooks for it: the step of the real class is wrapped, in the process that is to
die. It writes a note first, of the attempts the step was about and, where known, what they came to.

 1 journal-created        its file is there, and empty
 2 schema-before-commit   3 schema-after-commit
 4 enlist-shard           a shard of the plan is written, the others are not
 5 enlist-before-commit   6 enlist-after-commit
 7 plan-before-publish    8 plan-after-publish
 9 take-before-commit    10 take-after-commit      (a dead run's open attempts are doubts now)
11 intent-before-commit  12 intent-during-commit   13 intent-after-commit
14 post-before           15 post-during            (the request is out, no answer is read)
16 post-headers          the head of the answer is read, its body is not
17 post-after            the outcome is known, and not written
18 outcome-before-commit 19 outcome-during-commit  20 outcome-after-commit
21 leave-before-commit   22 leave-after-commit
23 results-writing       24 results-before-rename  25 results-after-rename (of the Parquet file)
26 receipt-before-commit 27 receipt-during-commit  28 receipt-after-commit (not answered yet)
"""

import asyncio
import functools
import json
import os
import random
import re
import signal
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar

import aiohttp

from pipeline import tables
from pipeline.bandwidth.client import BandwidthClient
from pipeline.estimate import Estimate
from pipeline.journal import Permit
from pipeline.journal.sqlite import SqliteJournal
from pipeline.journal.sqlite_file import SqliteFile
from pipeline.model import AttemptId

#: Every point, in the order of a run.
POINTS = tuple(re.findall(r"\d+ ([a-z]+(?:-[a-z]+)+)", __doc__))
ENLISTING = POINTS[:8]
SENDING = POINTS[8:20]
ENDING = POINTS[20:25]
RECEIVING = POINTS[25:]

#: A request that was written is read by then, and its answer takes longer.
_ON_ITS_WAY_SECONDS = 0.004
#: A commit takes about so long; the kill comes somewhere in it.
_COMMIT_SECONDS = 0.003


class Death:
    """Comes when one point is passed for the nth time with a row that counts."""

    def __init__(self, point, *, nth, rows, note, freezes):
        self.point, self.nth, self.rows, self.note = point, nth, rows, note
        self.signal = signal.SIGSTOP if freezes else signal.SIGKILL
        self.passed = 0

    def is_due(self, point, attempts=(), outcomes=None):
        if point != self.point:
            return False

        if attempts and not any(self.counts(each) for each in attempts):
            return False

        self.passed += 1
        if self.passed != self.nth:
            return False

        if self.note is not None:
            tags = [each.tag for each in attempts]
            said = {"point": point, "attempts": tags, "outcomes": outcomes or {}}
            self.note.write_text(json.dumps(said))

        return True

    def counts(self, attempt):
        return self.rows is None or (attempt.row in self.rows and attempt.number == 1)

    def at(self, point, attempts=(), outcomes=None):
        """Die here, if this is the place and the time."""
        if self.is_due(point, attempts, outcomes):
            os.kill(os.getpid(), self.signal)


def install(point, *, nth=1, rows=None, note=None, freezes=False):
    """Make this process die at a point, or freeze."""
    death = Death(point, nth=nth, rows=rows, note=note, freezes=freezes)
    _around_commits(death)
    _around_enlisting(death)
    _around_posts(death)
    _around_results(death)


# --- The journal ---------------------------------------------------------------------------------


def _around_commits(death):
    """Note what a transaction does, and come by before, during and after its commit."""
    doing = {}  # kind -> what it came to, by attempt

    def noting(kind, found, owner=SqliteJournal):
        original = getattr(owner, kind)

        @functools.wraps(original)
        def noted(self, *arguments, **options):
            result = original(self, *arguments, **options)
            if (about := found(result, *arguments)) is not None:
                doing.setdefault(_WORDS.get(kind, kind), {}).update(about)

            return result

        setattr(owner, kind, noted)

    noting("_run_script", lambda *_: {}, SqliteFile)
    noting("_add", lambda *_: {})
    noting("take", lambda grant, *_: {} if grant else None)
    noting("begin", lambda answers, *_: _begun(answers))
    noting("finish", lambda _, finishes: {f.attempt: type(f.outcome).__name__ for f in finishes})
    noting("leave", lambda *_: {})
    noting("receive", lambda _, receipts: {} if receipts else None)
    commit, undo = SqliteFile._commit, SqliteFile._undo

    def commit_and_die(self):
        done, told = dict(doing), {}
        doing.clear()
        for kind, outcomes in done.items():
            told = {attempt.tag: outcome for attempt, outcome in outcomes.items()}
            death.at(f"{kind}-before-commit", list(outcomes), told)
            if death.is_due(f"{kind}-during-commit", list(outcomes), told):
                _die_soon(random.Random(f"{death.point} {death.nth}").uniform(0, _COMMIT_SECONDS))

        commit(self)
        for kind, outcomes in done.items():
            told = {attempt.tag: outcome for attempt, outcome in outcomes.items()}
            death.at(f"{kind}-after-commit", list(outcomes), told)

    def undo_and_forget(self):
        doing.clear()
        undo(self)

    SqliteFile._commit, SqliteFile._undo = commit_and_die, undo_and_forget


_WORDS = {
    "_run_script": "schema",
    "_add": "enlist",
    "begin": "intent",
    "finish": "outcome",
    "receive": "receipt",
}


def _begun(answers):
    permits = [answer.attempt for answer in answers if isinstance(answer, Permit)]
    return dict.fromkeys(permits, "") or None


def _die_soon(seconds):
    """Die from another thread, while this one writes."""

    def die():
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=die, daemon=True).start()


def _around_enlisting(death):
    open_, run, publish = SqliteFile._open, SqliteFile.run, Estimate.publish

    def open_and_die(self):
        connection = open_(self)
        death.at("journal-created")
        return connection

    def run_and_die(self, name, *values):
        count = run(self, name, *values)
        if name == "add_payload":
            death.at("enlist-shard")

        return count

    def publish_and_die(self, path):
        death.at("plan-before-publish")
        publish(self, path)
        death.at("plan-after-publish")

    SqliteFile._open, SqliteFile.run = open_and_die, run_and_die
    Estimate.publish = publish_and_die


# --- The wire and the files ----------------------------------------------------------------------


def _around_posts(death):
    posting = ContextVar("posting", default=None)
    send, begin_answer = BandwidthClient.send, aiohttp.ClientResponse.start

    async def send_and_die(self, message, *, tag):
        attempt = AttemptId.from_tag(tag)
        death.at("post-before", [attempt])
        posting.set(attempt)
        try:
            outcome = await send(self, message, tag=tag)
        finally:
            posting.set(None)

        death.at("post-after", [attempt], {tag: type(outcome).__name__})
        return outcome

    async def begin_answer_and_die(self, connection):
        attempt = posting.get()
        if attempt is not None and death.is_due("post-during", [attempt]):
            await asyncio.sleep(_ON_ITS_WAY_SECONDS)
            os.kill(os.getpid(), signal.SIGKILL)

        answer = await begin_answer(self, connection)
        if attempt is not None:
            death.at("post-headers", [attempt])

        return answer

    BandwidthClient.send, aiohttp.ClientResponse.start = send_and_die, begin_answer_and_die


def _around_results(death):
    replacing = tables.replacing

    @contextmanager
    def replacing_and_die(path):
        is_result = path.name == "results.parquet"
        with replacing(path) as temporary:
            if is_result:
                death.at("results-writing")

            yield temporary
            if is_result:
                death.at("results-before-rename")

        if is_result:
            death.at("results-after-rename")

    tables.replacing = replacing_and_die
