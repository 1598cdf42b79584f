"""A campaign, its journal and a simulator whose clock stands still; answers are lost at will."""

from __future__ import annotations

import anyio
import httpx

from pipeline.account import Account
from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.journal import Finish, Permit
from pipeline.model import Accepted, InDoubt, Message
from pipeline.settle.reconcile import WAITING, Reconciler, reconcile_all
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.clock import StoppedClock
from tests.bandwidth.provider import BASIC
from tests.journal.builders import CAMPAIGN, FAST, NOW, RUN, enlistment, intent, shard

OURS = "+19195550100"


class Scene:
    """Acts one after the other; each is a transaction of the journal, or a request."""

    def __init__(self, journal, *people, behaviour=None, campaign=CAMPAIGN, run=RUN, beside=None):
        self.journal, self.campaign = journal, campaign
        self.clock = beside.clock if beside else StoppedClock(NOW)
        self.app = beside.app if beside else make_app(
            behaviour or Behaviour(delivery_ms=0), clock=self.clock
        )  # fmt: skip
        self.messages = {
            row: Message(row=row, key=f"key-{row}", to=(to,), sender=OURS, text=text, segments=1)
            for row, (to, text) in enumerate(people, 1)
        }
        journal.enlist(
            enlistment(campaign=campaign, run=run, messages=len(people)), [shard(rows=len(people))]
        )
        self.owner = f"owner of {campaign}"
        self.grant = journal.take(campaign, owner=self.owner, lease_seconds=60, now=self.now())
        #: What asks the listing instead of the simulator.
        self.listing = None

    def now(self):
        return self.clock.moment().at

    def pass_time(self, seconds):
        self.clock.advance_to(self.clock.seconds() + seconds)

    def begin(self, row):
        message = self.messages[row]
        (permit,) = self.journal.begin(
            self.grant,
            [intent(row, key=message.key, to=message.to)],
            pace=FAST,
            lease_seconds=60,
            now=self.now(),
        )
        assert isinstance(permit, Permit)
        return permit.attempt

    def post(self, row, attempt):
        """POST it; returns the outcome, which nobody but the test has heard."""

        async def send(client):
            return await client.send(self.messages[row], tag=attempt.tag)

        outcome = self.talk(self.app, send)
        assert isinstance(outcome, Accepted)
        return outcome

    def finish(self, attempt, outcome=None):
        outcome = outcome or InDoubt(reason="no answer in time")
        finish = Finish(attempt=attempt, owner=self.owner, outcome=outcome, at=self.now())
        self.journal.finish([finish])

    def lose(self, row):
        """A text that was taken, and whose answer was lost; returns its id."""
        attempt = self.begin(row)
        outcome = self.post(row, attempt)
        self.finish(attempt)
        return outcome.message_id

    def lose_before_it_left(self, row):
        self.finish(self.begin(row))

    def send(self, row):
        attempt = self.begin(row)
        outcome = self.post(row, attempt)
        self.finish(attempt, outcome)
        return outcome.message_id

    def look(self, *, call=None, states=WAITING):
        async def look(client):
            return await self.reconciler(client, call=call, states=states).look(self.campaign)

        return self.talk(self.listing or self.app, look)

    def learn(self):
        """Reconcile the whole campaign; returns how it went on."""

        async def learn(client):
            last = self.journal.last_attempt(self.campaign)
            told = reconcile_all(self.reconciler(client), senders=[OURS], start=NOW, end=last)
            return [each async for each in told]

        return self.talk(self.listing or self.app, learn)

    def reconciler(self, client, *, call=None, states=WAITING):
        async def directly(operation):
            return operation(self.journal)

        return Reconciler(
            client=client,
            call=call or directly,
            read_shard=self.read_shard,
            clock=self.now,
            states=states,
        )

    def read_shard(self, _payload, rows):
        return [self.messages[row] for row in rows]

    @staticmethod
    def talk(app, talking):
        async def run():
            transport = httpx.ASGITransport(app)
            account = Account(
                account_id="9900902",
                application_id="app",
                credentials=BASIC,
                messaging_url="http://127.0.0.1/api/v2",
                token_url="http://127.0.0.1/token",
            )
            async with BandwidthClient(account, transport, auth_for(account, transport)) as client:
                return await talking(client)

        return anyio.run(run)
