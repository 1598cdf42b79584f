"""Random lives of a campaign with many owners: every store answers alike, and no promise breaks.

Owners come and die, commits are done without anybody hearing of it, clocks jump, people opt out and
in. A message is READY again only by proof or by a person; what the provider has stays known; a
permit is the only one that is open for its message, and lies where the pace says.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.errors import BandcastError
from pipeline.journal import (
    MAX_LEAD_SECONDS,
    Budget,
    Candidate,
    Evidence,
    Finish,
    Intent,
    Pace,
    Permit,
    Proof,
    open_journal,
)
from pipeline.lifecycle import TAKEN, TRANSITIONS, Event, MessageState
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
GROUP = frozenset({10, 11, 12})
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


def together(rows):
    """Add to rows of a group the others of it."""
    return set(rows) | (set(GROUP) if GROUP & set(rows) else set())


class Stores(RuleBasedStateMachine):
    @initialize()
    def enlist(self):
        self.directory = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{self.directory}/journal.db"
        self.memory, self.sqlite = open_journal("memory:"), open_journal(self.url)
        self.now, self.owners, self.runs = NOW, 0, 0
        self.grants, self.attempts = [], []
        #: Row -> its state after the last step; rows that it may make READY, or try again.
        self.states, self.may_be_ready, self.retried = {}, set(), set()
        self.both(lambda journal: journal.enlist(enlistment(messages=12), self.shards()))

    def shards(self):
        return [shard(0, rows=6), shard(1, rows=6, phase=1)]

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

    @rule(template=st.sampled_from(["bb", "cc"]))
    def enlist_again(self, template):
        """The same plan, or another one, which is taken only where nothing was tried."""
        self.runs += 1
        plan = enlistment(run=f"run{self.runs}", messages=12, recipients="aa", template=template)
        before = self.sqlite.enlistment(CAMPAIGN)
        self.both(lambda journal: journal.enlist(plan, self.shards()))
        known = self.both(lambda journal: journal.enlistment(CAMPAIGN))
        assert known == before or not self.states

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
            for each in sorted(GROUP)
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
        self.attempts += self.permitted(grant, rows, budget)

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), rows=st.lists(ROWS, max_size=5), budget=BUDGETS)
    def begin_and_hear_no_answer(self, data, rows, budget):
        """The commit is done, and whoever asked is dead or was told of an error: no POST."""
        self.permitted(data.draw(st.sampled_from(self.grants[-3:])), rows, budget)

    def permitted(self, grant, rows, budget):
        """Begin; return (attempt, owner) of each permit."""
        before = dict(self.states)
        answers = self.both(lambda journal: self.begin_on(journal, grant, rows, budget))
        permits = [answer for answer in answers if isinstance(answer, Permit)] if isinstance(
            answers, list
        ) else []  # fmt: skip
        for permit in permits:
            row = permit.attempt.row
            assert before.get(row, MessageState.READY) == MessageState.READY, "a second open permit"
            before[row] = MessageState.SENDING
            ahead = permit.start_at - self.now
            assert timedelta() <= ahead <= timedelta(seconds=MAX_LEAD_SECONDS)

        starts = [permit.start_at for permit in permits]
        for permit, start, following in zip(permits, starts, starts[1:], strict=False):
            seconds = (1 + permit.attempt.row % 3) / PACE.rate_segments_per_second
            assert following - start >= timedelta(seconds=seconds)

        return [(permit.attempt, grant.owner) for permit in permits]

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
        if isinstance(outcome, NotSent | Halted) and not stranger:
            self.may_be_ready |= together([attempt.row])

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
        code = (4720, 4405, 4701, 5106)[attempt.row % 4]
        receipt = Receipt(
            kind=kind,
            message_id=f"id-{attempt.row}-{attempt.number}",
            to=f"+1919555010{(attempt.row + other) % 5}",
            time=NOW + timedelta(seconds=seconds),
            tag=attempt.tag if tagged else None,
            error_code=code if kind is ReceiptKind.FAILED else None,
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
        self.may_be_ready |= together(rows)
        self.both(
            lambda journal: journal.release(CAMPAIGN, rows, by="ana", because="b", now=self.now)
        )

    @rule(rows=st.lists(ROWS, max_size=2))
    def write_off(self, rows):
        self.both(
            lambda journal: journal.write_off(CAMPAIGN, rows, by="ana", because="b", now=self.now)
        )

    @rule(rows=st.lists(ROWS, min_size=3, max_size=12))
    def retry(self, rows):
        self.retried = {
            row for row in rows if self.states.get(row) == MessageState.FAILED
        }  # fmt: skip
        self.both(
            lambda journal: journal.retry(CAMPAIGN, rows, by="ana", because="b", now=self.now)
        )

    @rule(word=st.sampled_from(["pause", "resume"]))
    def pause(self, word):
        self.both(
            lambda journal: getattr(journal, word)(CAMPAIGN, by="ana", because="b", now=self.now)
        )

    @rule(
        row=ROWS,
        number=st.integers(1, 3),
        whose=ROWS,
        kind=st.sampled_from(ReceiptKind),
        seconds=st.integers(0, 3),
    )
    def settle_and_learn(self, row, number, whose, kind, seconds):
        receipt = Receipt(
            kind=kind,
            message_id=f"id-{whose}-{number}",
            to=f"+1919555010{whose % 5}",
            time=NOW + timedelta(seconds=seconds),
            carrier="Verizon",
        )
        told = ((receipt, b"{}"),)
        proof = Proof(
            campaign=CAMPAIGN,
            row=row,
            attempts=number,
            message_id=receipt.message_id,
            receipts=told,
        )
        evidence = Evidence(row, self.now, (Candidate(receipt.message_id, self.now),), number)
        self.both(lambda journal: journal.note(CAMPAIGN, [evidence]))
        self.both(lambda journal: journal.settle([proof], now=self.now))
        self.both(lambda journal: journal.learn(told, now=self.now))

    @rule(row=ROWS, number=st.integers(1, 3))
    def set_apart(self, row, number):
        self.both(lambda journal: journal.set_apart(f"id-{row}-{number}"))

    @rule(digit=st.integers(0, 4))
    def suppress(self, digit):
        number = f"+1919555010{digit}"
        self.both(lambda journal: journal.suppress([number], source="s", because="b", now=self.now))

    @rule(digit=st.integers(0, 4))
    def lift(self, digit):
        number = f"+1919555010{digit}"
        self.both(lambda journal: journal.lift([number], by="ana", because="b", now=self.now))

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

    @rule(lost=st.booleans(), rows=st.lists(ROWS, min_size=1, max_size=3))
    def crash(self, lost, rows):
        """SIGKILL, perhaps in a transaction: the next one has what lies in the files."""
        folder = Path(tempfile.mkdtemp(dir=self.directory))
        with suppress(Undo), self.sqlite.transaction():
            if lost and self.grants:
                with suppress(BandcastError):
                    self.begin_on(self.sqlite, self.grants[-1], rows, Budget())

            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(self.sqlite._file.path.with_name(name), folder)

            raise Undo

        self.sqlite.close()
        self.memory.close()
        self.url = f"sqlite:///{folder}/journal.db"
        self.sqlite = open_journal(self.url)
        self.both(lambda journal: journal.hold(CAMPAIGN))

    @invariant()
    def ready_only_by_proof_and_what_is_taken_stays_taken(self):
        states = {
            record.row: record.state
            for page in self.sqlite.rows(CAMPAIGN)
            for record in page
        }  # fmt: skip
        for row, before in self.states.items():
            if states[row] != before:
                assert states[row] != MessageState.READY or row in self.may_be_ready | self.retried
                assert before not in TAKEN or states[row] in TAKEN or row in self.retried

        self.states, self.may_be_ready, self.retried = states, set(), set()

    @invariant()
    def the_same_in_both(self):
        tally, _ = self.both(
            lambda journal: (journal.tally(CAMPAIGN), list(journal.rows(CAMPAIGN)))
        )
        assert sum(tally.states.values()) == tally.messages == 12
        self.both(lambda journal: list(journal.suppressions()))
        self.both(lambda journal: (journal.decisions(CAMPAIGN), journal.paused(CAMPAIGN)))
        self.both(lambda journal: sorted(journal.retryable(CAMPAIGN)))
        self.both(lambda journal: (journal.doubts(), journal.evidence(CAMPAIGN)))
        self.both(lambda journal: journal.last_attempt(CAMPAIGN))
        self.both(lambda journal: journal.silent(CAMPAIGN, since=NOW + timedelta(seconds=2)))
        ids = [f"id-{row}-{number}" for row in range(1, 13) for number in (1, 2)]
        self.both(lambda journal: journal.explained(ids))
        account, now = PACE.account, self.now
        spending = self.both(lambda journal: journal.spending(CAMPAIGN, account=account, now=now))
        assert min(*spending.campaign, *spending.day) >= 0


class DeepStores(Stores):
    """The same, much longer."""


Stores.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
DeepStores.TestCase.settings = settings(max_examples=3_000, stateful_step_count=120)
test_random_lives_are_the_same_in_every_store = Stores.TestCase
test_many_long_lives_are_the_same_in_every_store = pytest.mark.long(DeepStores.TestCase)


def test_the_lives_can_fail_where_a_lost_answer_makes_a_message_ready(monkeypatch):
    monkeypatch.setitem(TRANSITIONS[MessageState.SENDING], Event.LOSE, MessageState.READY)
    quick = settings(
        Stores.TestCase.settings,
        max_examples=1_000,  # it stops at the first that fails
        phases=[Phase.generate],
        database=None,
        report_multiple_bugs=False,
    )

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Stores, settings=quick)
