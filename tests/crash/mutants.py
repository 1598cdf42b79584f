"""Bandcasts that break a promise on purpose: proof that the crash stories can fail.

Each takes one thing out of the real program, in the process that `launch` starts. What catches it
is said in `test_mutants`.

    unrecorded           a message goes before its intent is durable; both are written afterwards
    early                the permit is given, then the transaction that records it is committed
    retries_timeouts     no answer in time counts as not sent
    believes_transports  a connection that broke after the request counts as never made
    believes_proxies     a 502 counts as the provider's own word that it has nothing
    resets_doubt         the open attempts of a dead run are ready again, and not in doubt
    drops_on_cancel      what was cancelled in the middle of its POST is not written down
    trusts_its_lease     who has once taken a shard sends it, whoever has it now
    skips_tokens         the fencing token is not looked at when attempts are begun
    ignores_holds        a campaign that another process runs is run all the same
    repeats_pass         a number that stands in the file twice is planned twice (no weakening by
                         itself: the journal's key still refuses the second)
    ignores_keys         the same, and the journal takes any key twice
    misdirects_receipts  a receipt goes to the next row
    enlists_in_pieces    a plan is committed shard by shard
    writes_in_place      results are written over the old ones, not beside them
    ignores_slots        a lane does not wait for its slot of the rate
    paces_alone          every process has the whole rate of the account to itself
    looks_first          the budget is looked at before the transaction that reserves, not in it
    forgetful            what the open attempts of a dead run had reserved is given back
"""

import asyncio
import os
import re
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import httpx

from pipeline import tables
from pipeline.bandwidth import client, transport
from pipeline.dispatch.pace import Pacer
from pipeline.errors import Fenced
from pipeline.journal import NO_BUDGET, OverBudget, Permit, rules
from pipeline.journal.committer import Committer
from pipeline.journal.spending import over
from pipeline.journal.sqlite import SqliteJournal
from pipeline.journal.sqlite_file import SqliteFile
from pipeline.journal.sqlite_rows import Messages
from pipeline.lifecycle import MessageState
from pipeline.model import AttemptId, InDoubt, NotSent
from pipeline.prepare import repeats

# --- The intent ----------------------------------------------------------------------------------

remembered = {}
recordings = set()


async def begin_without_an_intent(self, grant, intent):
    """Give leave to POST, and only remember what should have been written before."""
    remembered[intent.row] = (grant, intent)
    attempt = AttemptId(run=grant.run, row=intent.row, number=1)
    return Permit(attempt=attempt, start_at=datetime.now(UTC))


def finish_with_the_intent(self, finish):
    """Write intent and outcome together, after the POST."""
    grant, intent = remembered.pop(finish.attempt.row)

    def record(journal):
        (permit,) = journal.begin(
            grant, [intent], pace=self._batches.pace, lease_seconds=60, now=datetime.now(UTC)
        )
        journal.finish([replace(finish, attempt=permit.attempt)])

    async def record_at_last():
        with suppress(Fenced):  # the shard was left meanwhile: another text that nobody wrote down
            await self.call(record)

    recording = asyncio.ensure_future(record_at_last())
    recordings.add(recording)
    recording.add_done_callback(recordings.discard)


def unrecorded():
    Committer.begin = begin_without_an_intent
    Committer.finish = finish_with_the_intent


def early():
    def commit(self, batch):
        with self._journal.transaction():
            replies = self._batches.run(batch)
            self._loop.call_soon_threadsafe(self._deliver, replies)
            time.sleep(0.15)

        return []

    Committer._commit = commit


# --- What an answer means ------------------------------------------------------------------------


def retries_timeouts():
    judge = client.outcome_of_error

    def hopeful(error):
        late = isinstance(error, httpx.ReadTimeout)
        return NotSent(reason="no answer, so not sent") if late else judge(error)

    client.outcome_of_error = hopeful


def believes_transports():
    translate = transport._translated

    def lying(error):
        broke = aiohttp.ServerDisconnectedError | aiohttp.ClientOSError
        return httpx.ConnectError("no connection") if isinstance(error, broke) else translate(error)

    transport._translated = lying


def believes_proxies():
    judge = client.outcome_of_answer

    def trusting(status, headers, body, **more):
        return NotSent(reason="502") if status == 502 else judge(status, headers, body, **more)

    client.outcome_of_answer = trusting


# --- Doubt, leases and holds ---------------------------------------------------------------------


def resets_doubt():
    rules.lost = lambda record: record._replace(state=MessageState.READY.value)


def drops_on_cancel():
    finish_all = Committer.finish

    def finish(self, finish):
        if finish.outcome != InDoubt(reason="interrupted while sending"):
            finish_all(self, finish)

    Committer.finish = finish


def skips_tokens():
    run = SqliteFile.run

    def run_unfenced(self, name, *values):
        return max(run(self, name, *values), name == "renew_lease")

    SqliteFile.run = run_unfenced


def trusts_its_lease():
    skips_tokens()
    claim_as_recorded = SqliteJournal._claim

    def claim(self, campaign, grant, intent, *more):
        entry = self._messages.find(campaign, intent.row)
        if entry is None or entry.owner == grant.owner:
            return claim_as_recorded(self, campaign, grant, intent, *more)

        return AttemptId(run=grant.run, row=intent.row, number=entry.record.attempts + 1)

    SqliteJournal._claim = claim


def ignores_holds():
    SqliteFile.lock = lambda *_: True


# --- Rows, keys and receipts ---------------------------------------------------------------------


def repeats_pass():
    repeats._repeats = lambda _: ()


def ignores_keys():
    repeats_pass()
    one, execute = SqliteFile.one, SqliteFile._execute

    def one_but_keys(self, name, *values):
        return None if name == "row_of_key" else one(self, name, *values)

    def execute_without_keys(self, statement, values=()):
        weaker = statement.replace("    UNIQUE (campaign, key)\n", "    CHECK (1)\n")
        return execute(self, weaker, values)

    SqliteFile.one, SqliteFile._execute = one_but_keys, execute_without_keys


def misdirects_receipts():
    addressee = Messages.addressee

    def next_row(self, receipt):
        found = addressee(self, receipt)
        if found is None or self.find(found[0], found[1] + 1) is None:
            return found

        return found._replace(row=found.row + 1)

    Messages.addressee = next_row


def enlists_in_pieces():
    run = SqliteFile.run

    def run_and_commit(self, name, *values):
        count = run(self, name, *values)
        if name == "add_payload":
            self._execute("COMMIT")
            self._execute("BEGIN IMMEDIATE")

        return count

    SqliteFile.run = run_and_commit


def writes_in_place():
    @contextmanager
    def replacing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        yield path

    tables.replacing = replacing


# --- Rate and money ------------------------------------------------------------------------------


def ignores_slots():
    async def slot(self, start_at, segments):
        return not self._stop.requested

    Pacer.slot = slot


def paces_alone():
    """Reserve against an account that no other process knows."""
    begin = SqliteJournal.begin

    def begin_alone(self, *arguments, pace, **more):
        own = replace(pace, account=f"{pace.account} {os.getpid()}")
        return begin(self, *arguments, pace=own, **more)

    SqliteJournal.begin = begin_alone


def looks_first():
    """Read the sums in one transaction, and reserve in the next one, whatever they are then."""
    begin_at_once = Committer.begin

    async def begin(self, grant, intent):
        budget, pace = self._batches.budget, self._batches.pace
        known = await self.call(
            lambda journal: journal.spending(
                grant.campaign, account=pace.account, now=datetime.now(UTC)
            )
        )
        if (passed := over(budget, known, intent.cost_micros)) is not None:
            return OverBudget(row=intent.row, budget=passed)

        return await begin_at_once(self, grant, intent)

    begin_in_the_store = SqliteJournal.begin

    def begin_without_looking(self, *arguments, budget, **more):
        return begin_in_the_store(self, *arguments, budget=NO_BUDGET, **more)

    Committer.begin = begin
    SqliteJournal.begin = begin_without_looking


def forgetful():
    """Take a shard over, and forget the price of what its last owner had open."""
    take_with_all = SqliteJournal.take

    def take(self, campaign, **how):
        with self.transaction():
            self._file._execute("UPDATE purse SET sending = 0")
            self._file._execute("UPDATE message SET cost_micros = 0 WHERE state = 'sending'")
            return take_with_all(self, campaign, **how)

    SqliteJournal.take = take


#: Name -> what takes it out, in the order of the table above.
MUTANTS = {name: globals()[name] for name in re.findall(r"^    ([a-z_]+)  ", __doc__, re.MULTILINE)}
