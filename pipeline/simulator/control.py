"""What a test asks of the simulator beside Bandwidth's own API; nothing here needs credentials.

GET   /_ledger            what the handsets received, as counted here: `ledger.Summary`, with
                          "callbacks": pending, posts, posted, given_up
      ?messages=1         also "texts": every `ledger.Text` that was taken
      ?to=+19195550123    also "received": those that this handset received
POST  /_ledger/reset      forget every message and media file, as if newly started
POST  /_inbound           {"from", "to", "text"}: a handset texts us; message-received follows
POST  /_clock             {"seconds"}: let time pass, where the clock is stopped
POST  /_tokens/revoke     make every caller renew its token
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.simulator import answers
from pipeline.simulator.access import Gate
from pipeline.simulator.account import Account
from pipeline.simulator.clock import StoppedClock
from pipeline.simulator.door import JSON
from pipeline.simulator.inbound import InboundRequest
from pipeline.simulator.media import MediaStore

_MOST_SECONDS = 10 * 366 * 86_400


class _Passing(msgspec.Struct):
    seconds: Annotated[float, msgspec.Meta(ge=0, le=_MOST_SECONDS)]


def control_routes(account: Account, gate: Gate, store: MediaStore) -> list[Route]:
    """Return the routes of the module's table, over this account and its files."""
    control = _Control(account, gate, store)
    return [
        Route("/_ledger", control.ledger, methods=["GET"]),
        Route("/_ledger/reset", control.reset, methods=["POST"]),
        Route("/_inbound", control.inbound, methods=["POST"]),
        Route("/_clock", control.pass_time, methods=["POST"]),
        Route("/_tokens/revoke", control.revoke, methods=["POST"]),
    ]


class _Control:
    def __init__(self, account: Account, gate: Gate, store: MediaStore) -> None:
        self._account, self._gate, self._store = account, gate, store

    async def ledger(self, request: Request) -> Response:
        account, query = self._account, request.query_params
        account.queue.settle(account.clock.seconds())
        ledger, callbacks = account.ledger, account.callbacks
        report = msgspec.to_builtins(ledger.summary())
        if callbacks.is_wanted:
            report["callbacks"] = {
                "pending": callbacks.pending,
                "posts": callbacks.posts,
                "posted": callbacks.posted,
                "given_up": callbacks.given_up,
            }

        if query.get("messages") == "1":
            report["texts"] = ledger.texts

        if "to" in query:
            report["received"] = ledger.handsets().get(query["to"], [])

        return Response(msgspec.json.encode(report), media_type=JSON)

    async def reset(self, _request: Request) -> Response:
        self._account.reset()
        self._store.reset()
        return Response(status_code=204)

    async def inbound(self, request: Request) -> Response:
        try:
            inbound = msgspec.json.decode(await request.body(), type=InboundRequest)
        except msgspec.DecodeError as error:
            return answers.refused(400, "request-validation", f"this is no text: {error}")

        message_id = self._account.receive(inbound, arrival=self._account.clock.moment())
        return answers.accepted(msgspec.json.encode({"id": message_id}))

    async def pass_time(self, request: Request) -> Response:
        clock = self._account.clock
        if not isinstance(clock, StoppedClock):
            return answers.refused(409, "clock-runs", "the clock of this simulator runs by itself")

        try:
            asked = msgspec.json.decode(await request.body(), type=_Passing)
        except msgspec.DecodeError as error:
            return answers.refused(400, "request-validation", f"this is no time: {error}")

        await self._account.callbacks.pass_time(clock, asked.seconds)
        return Response(msgspec.json.encode({"now": clock.moment().at}), media_type=JSON)

    async def revoke(self, _request: Request) -> Response:
        self._gate.revoke()
        return Response(status_code=204)
