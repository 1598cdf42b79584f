"""Random lives of two campaigns and one honest provider: its bill never passes a budget.

The provider knows which attempts it took. Answers are lost, owners die, receipts come, operators
release doubts, budgets change; after every step the money that the provider will bill is covered by
what the journal has reserved and spent, and that is no more than the budget.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.journal import Budget, Finish, Intent, Pace, Permit, Sums, open_journal
from pipeline.model import Accepted, InDoubt, NotSent, Receipt, ReceiptKind, Rejected
from tests.journal.builders import NOW, enlistment, shard

CAMPAIGNS = ("spring", "summer")
PACE = Pace(account="4000000", rate_segments_per_second=1_000_000)
PRICE = 4_000
BUDGET = Budget(campaign_micros=7 * PRICE, day_micros=9 * PRICE)


def segments_of(row):
    return 1 + row % 3


class Lives(RuleBasedStateMachine):
    @initialize()
    def enlist(self):
        self.directory = Path(tempfile.mkdtemp())
        self.journal = self.opened()
        self.now, self.owners, self.grants = NOW, 0, {}
        #: attempt -> owner, what the provider did with it, on which day it was begun
        self.attempts = {}
        for run, name in enumerate(CAMPAIGNS):
            plan = enlistment(campaign=name, run=f"r{run}", messages=9)
            self.journal.enlist(plan, [shard(rows=9)])

    def opened(self):
        return open_journal(f"sqlite:///{self.directory}/journal.db")

    def teardown(self):
        if hasattr(self, "directory"):
            self.journal.close()
            shutil.rmtree(self.directory)

    @rule(hours=st.sampled_from([1, 9, 24]))
    def let_time_pass(self, hours):
        self.now += timedelta(hours=hours)

    @rule(name=st.sampled_from(CAMPAIGNS))
    def take(self, name):
        self.owners += 1
        owner = f"owner-{self.owners}"
        grant = self.journal.take(name, owner=owner, lease_seconds=1, now=self.now)
        if grant is not None:
            self.grants[name] = grant

    @rule(
        name=st.sampled_from(CAMPAIGNS),
        rows=st.lists(st.integers(1, 9), max_size=9),
        fates=st.lists(st.sampled_from(["taken", "refused", "lost"]), min_size=9, max_size=9),
    )
    def begin(self, name, rows, fates):
        if name not in self.grants:
            self.take(name)

        if (grant := self.grants.get(name)) is None:
            return

        intents = [
            Intent(row=row, key=f"k{row}", to=("+19195550101",), segments=segments_of(row),
                   cost_micros=PRICE * segments_of(row))
            for row in rows
        ]  # fmt: skip
        answers = self.journal.begin(
            grant, intents, pace=PACE, budget=BUDGET, lease_seconds=1, now=self.now
        )
        day = self.now.date()
        for answer, fate in zip(answers, fates, strict=False):
            if isinstance(answer, Permit):
                self.attempts[answer.attempt] = (grant.owner, fate, day)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), heard=st.booleans())
    def finish(self, data, heard):
        attempt = data.draw(st.sampled_from(list(self.attempts)))
        owner, fate, _ = self.attempts[attempt]
        outcome = {
            "taken": Accepted(
                message_id=f"id-{attempt.tag}", segments_billed=segments_of(attempt.row)
            ),
            "refused": Rejected(http_status=400),
            "lost": NotSent(reason="connect refused"),
        }[fate]
        outcome = outcome if heard else InDoubt(reason="reset")
        self.journal.finish([Finish(attempt=attempt, owner=owner, outcome=outcome, at=self.now)])

    @precondition(lambda self: any(fate == "taken" for _, fate, _ in self.attempts.values()))
    @rule(data=st.data(), kind=st.sampled_from(ReceiptKind))
    def receive(self, data, kind):
        taken = [attempt for attempt, (_, fate, _) in self.attempts.items() if fate == "taken"]
        attempt = data.draw(st.sampled_from(taken))
        failed = kind is ReceiptKind.FAILED
        receipt = Receipt(
            kind=kind, message_id=f"id-{attempt.tag}", to="+19195550101", time=self.now,
            tag=attempt.tag, error_code=(4720, 4701)[attempt.row % 2] if failed else None,
            segments_billed=segments_of(attempt.row),
        )  # fmt: skip
        self.journal.receive([(receipt, b"{}")], now=self.now)

    @rule(name=st.sampled_from(CAMPAIGNS), rows=st.lists(st.integers(1, 9), max_size=4))
    def release(self, name, rows):
        self.journal.release(name, rows, by="ana", because="b", now=self.now)

    @rule(name=st.sampled_from(CAMPAIGNS), rows=st.lists(st.integers(1, 9), max_size=4))
    def write_off(self, name, rows):
        self.journal.write_off(name, rows, by="ana", because="b", now=self.now)

    @rule(name=st.sampled_from(CAMPAIGNS))
    def retry(self, name):
        rows = self.journal.retryable(name)
        assert self.journal.retry(name, rows, by="ana", because="b", now=self.now) == len(rows)

    @rule()
    def restart(self):
        self.journal.close()
        self.journal, self.grants = self.opened(), {}
        for name in CAMPAIGNS:
            self.journal.hold(name)

    @invariant()
    def the_bill_is_covered_and_within_the_budget(self):
        for run, name in enumerate(CAMPAIGNS):
            sums = self.journal.spending(name, account=PACE.account, now=self.now).campaign
            assert min(sums) >= 0
            assert self.billed(run=f"r{run}") <= sums.total <= BUDGET.campaign_micros

        for day in {day for *_, day in self.attempts.values()}:
            then = self.now.replace(year=day.year, month=day.month, day=day.day)
            sums = self.journal.spending("spring", account=PACE.account, now=then).day
            assert sums.total <= BUDGET.day_micros
            assert Sums(*sums).total >= self.billed(day=day)

    def billed(self, *, run=None, day=None):
        return sum(
            PRICE * segments_of(attempt.row)
            for attempt, (_, fate, begun_on) in self.attempts.items()
            if fate == "taken" and run in (None, attempt.run) and day in (None, begun_on)
        )


Lives.TestCase.settings = settings(max_examples=80, stateful_step_count=40)
test_no_life_bills_more_than_the_budget = Lives.TestCase
