"""Random lives of a campaign with two owners: every store answers alike and ends alike."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.errors import BandcastError
from pipeline.journal import Budget, Finish, Intent, Pace, Permit, open_journal
from pipeline.members import Member
from pipeline.model import (
    Accepted,
    Halted,
    Inbound,
    InDoubt,
    NotSent,
    Receipt,
    ReceiptKind,
    Rejected,
)
from tests.journal.builders import CAMPAIGN, LEASE_SECONDS, NOW, enlistment, shard

ROWS = st.integers(1, 12)
OUTCOMES = st.sampled_from(
    [
        Accepted(message_id="", segments_billed=1),
        Rejected(http_status=400, error_code="request-validation", error="no"),
        NotSent(reason="connect refused"),
        Halted(reason="403", http_status=403),
        InDoubt(reason="read timeout"),
    ]
)
PACE = Pace(account="4000000", rate_segments_per_second=2)
BUDGETS = st.sampled_from(
    [
        Budget(),
        Budget(campaign_micros=20_000),
        Budget(day_micros=12_000),
        Budget(campaign_micros=40_000, day_micros=20_000),
    ]
)


class Undo(Exception):
    """Ends a transaction."""


class Stores(RuleBasedStateMachine):
    @initialize()
    def enlist(self):
        self.directory = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{self.directory}/journal.db"
        self.memory, self.sqlite = open_journal("memory:"), open_journal(self.url)
        self.now, self.owners = NOW, 0
        self.grants, self.attempts = [], []
        shards = [shard(0, rows=6), shard(1, rows=6, phase=1)]
        self.both(lambda journal: journal.enlist(enlistment(messages=12), shards))

    def teardown(self):
        if hasattr(self, "directory"):
            self.sqlite.close()
            shutil.rmtree(self.directory)

    def both(self, operation):
        """Run it on both; they must return or raise the same."""
        answers = []
        for journal in (self.memory, self.sqlite):
            try:
                answers.append(operation(journal))
            except (BandcastError, Undo) as error:
                answers.append(type(error))

        assert answers[0] == answers[1]
        return answers[0]

    @rule(seconds=st.sampled_from([0.01, 0.5, 3, LEASE_SECONDS, 3_600, -1, -3_600]))
    def let_time_pass(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def take(self):
        self.owners += 1
        owner, now = f"owner-{self.owners}", self.now
        grant = self.both(
            lambda journal: journal.take(
                CAMPAIGN, owner=owner, lease_seconds=LEASE_SECONDS, now=now
            )
        )
        if grant is not None:
            self.grants.append(grant)

    def intent_of(self, row):
        """Rows 10 to 12 are a group; three of the keys are those of rows 1 to 3."""
        number, key = f"+1919555010{row % 5}", f"key-{row % 9}"
        if row < 10:
            parts, cost = 1 + row % 3, 4_000 * (1 + row % 3)
            return Intent(row=row, key=key, to=(number,), segments=parts, cost_micros=cost)

        members = tuple(
            Member(each, f"key-{each % 9}", f"+1919555010{each % 5}", 1_000 * each)
            for each in (10, 11, 12)
        )
        return Intent(
            row=10,
            key=members[0].key,
            to=tuple(member.to for member in members),
            segments=3,
            cost_micros=33_000,
            members=members,
        )

    def begin_on(self, journal, grant, rows, budget):
        intents = [self.intent_of(row) for row in rows]
        return journal.begin(
            grant, intents, pace=PACE, budget=budget, lease_seconds=LEASE_SECONDS, now=self.now
        )

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), rows=st.lists(ROWS, max_size=5), budget=BUDGETS)
    def begin(self, data, rows, budget):
        grant = data.draw(st.sampled_from(self.grants[-3:]))
        answers = self.both(lambda journal: self.begin_on(journal, grant, rows, budget))
        for answer in answers if isinstance(answers, list) else ():
            if isinstance(answer, Permit):
                self.attempts.append((answer.attempt, grant.owner))

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), rows=st.lists(ROWS, max_size=5), budget=BUDGETS)
    def begin_and_undo(self, data, rows, budget):
        grant = data.draw(st.sampled_from(self.grants[-3:]))

        def operation(journal):
            with journal.transaction():
                self.begin_on(journal, grant, rows, budget)
                journal.suppress(["+19195550109"], source="s", because="b", now=self.now)
                raise Undo

        self.both(operation)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), outcome=OUTCOMES, stranger=st.booleans())
    def finish(self, data, outcome, stranger):
        attempt, owner = data.draw(st.sampled_from(self.attempts))
        if isinstance(outcome, Accepted):
            outcome = Accepted(message_id=f"id-{attempt.row}-{attempt.number}", segments_billed=1)

        finish = Finish(
            attempt=attempt,
            owner="stranger" if stranger else owner,
            outcome=outcome,
            at=self.now,
        )
        self.both(lambda journal: journal.finish([finish]))

    @precondition(lambda self: self.attempts)
    @rule(
        data=st.data(),
        kind=st.sampled_from(ReceiptKind),
        tagged=st.booleans(),
        seconds=st.integers(0, 3),
        other=st.integers(0, 2),
    )
    def receive(self, data, kind, tagged, seconds, other):
        attempt, _ = data.draw(st.sampled_from(self.attempts))
        receipt = Receipt(
            kind=kind,
            message_id=f"id-{attempt.row}-{attempt.number}",
            to=f"+1919555010{(attempt.row + other) % 5}",
            time=NOW + timedelta(seconds=seconds),
            tag=attempt.tag if tagged else None,
            error_code=(4720, 4405)[attempt.row % 2] if kind is ReceiptKind.FAILED else None,
            segments_billed=1 + seconds % 3,
        )
        self.both(lambda journal: journal.receive([(receipt, b"{}")], now=self.now))

    @rule(
        digit=st.integers(0, 4),
        word=st.sampled_from(["STOP", "start", "help", "hello"]),
        seconds=st.integers(0, 3),
    )
    def hear(self, digit, word, seconds):
        message = Inbound(
            message_id=f"in-{digit}-{word}-{seconds}",
            to="+19195550199",
            sender=f"+1919555010{digit}",
            text=word,
            time=NOW + timedelta(seconds=seconds),
        )
        self.both(lambda journal: journal.hear([(message, b"{}")], now=self.now))

    @rule(rows=st.lists(ROWS, max_size=4))
    def release(self, rows):
        self.both(
            lambda journal: journal.release(CAMPAIGN, rows, by="ana", because="b", now=self.now)
        )

    @rule(digit=st.integers(0, 4))
    def suppress(self, digit):
        number = f"+1919555010{digit}"
        self.both(lambda journal: journal.suppress([number], source="s", because="b", now=self.now))

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def leave(self, data):
        grant = data.draw(st.sampled_from(self.grants[-3:]))
        self.both(lambda journal: journal.leave(grant))

    @rule()
    def restart(self):
        """The process ends and another one runs the campaign: leases lapse."""
        self.sqlite.close()
        self.memory.close()
        self.sqlite = open_journal(self.url)
        self.both(lambda journal: journal.hold(CAMPAIGN))

    @invariant()
    def the_same_in_both(self):
        self.both(lambda journal: (journal.tally(CAMPAIGN), list(journal.rows(CAMPAIGN))))
        self.both(lambda journal: list(journal.suppressions()))
        account, now = PACE.account, self.now
        spending = self.both(lambda journal: journal.spending(CAMPAIGN, account=account, now=now))
        assert min(*spending.campaign, *spending.day) >= 0


Stores.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_random_lives_are_the_same_in_every_store = Stores.TestCase
