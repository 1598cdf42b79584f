"""The Bandwidth Messaging API as an ASGI app: what is asked, checked and answered at each address.

POST, GET  /api/v2/users/{accountId}/messages    create a message; list messages
POST       /api/v1/oauth2/token                  client credentials for a token
           /_...                                 not Bandwidth's: see `control`
"""

from __future__ import annotations

import math
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs

import anyio
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.bandwidth.wire import MessageRequest, TokenBody, Unreadable, decode_request, encode
from pipeline.simulator import answers
from pipeline.simulator.access import Credentials, Gate
from pipeline.simulator.account import Account
from pipeline.simulator.account_queue import QUEUE_SECONDS, AccountQueue, ListingLimit
from pipeline.simulator.behaviour import NOT_TAKEN, Behaviour, Dice, Fault
from pipeline.simulator.book import Entry
from pipeline.simulator.callbacks import Callbacks
from pipeline.simulator.clock import Clock, Moment, RunningClock
from pipeline.simulator.control import control_routes
from pipeline.simulator.filters import BadQuery
from pipeline.simulator.listing import read_page
from pipeline.simulator.validation import problems

_JSON = "application/json"


def make_app(
    behaviour: Behaviour,
    *,
    seed: int = 1,
    rate: float | None = None,
    queue_seconds: float = QUEUE_SECONDS,
    callback_url: str | None = None,
    callback_auth: tuple[str, str] | None = None,
    credentials: Credentials | None = None,
    clock: Clock | None = None,
) -> Starlette:
    """Build the provider.

    Args:
        behaviour: its faults.
        seed: the same seed gives the same faults to the same requests.
        rate: segments per second (clock) that leave the account's queue; None: no limit.
        queue_seconds: how much the queue holds, in seconds at that rate.
        callback_url: where status callbacks go while the app's lifespan runs; None: nowhere.
        callback_auth: user name and password for that address.
        credentials: what callers must show; None: anything.
        clock: how time passes; None: as everywhere. With a `StoppedClock` and the same requests in
            the same order, answers, callbacks and listing are the same byte for byte.

    Returns:
        The app; ``app.state.ledger`` is the `Ledger`, ``app.state.gate`` the `Gate`.
    """
    dice, clock = Dice(seed), clock or RunningClock()
    queue = AccountQueue(rate, depth_seconds=queue_seconds)
    callbacks = Callbacks(
        callback_url,
        auth=callback_auth,
        behaviour=behaviour,
        dice=dice,
        clock=clock,
        settle_queue=queue.settle,
    )
    account = Account(behaviour=behaviour, dice=dice, clock=clock, queue=queue, callbacks=callbacks)
    return _Api(account, Gate(credentials or Credentials())).app()


class _Api:
    """The handlers, over one account."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self._account = account
        self._gate = gate
        self._listings = ListingLimit()

    def app(self) -> Starlette:
        messages = "/api/v2/users/{account_id}/messages"
        app = Starlette(
            routes=[
                Route(messages, self.messages, methods=["GET", "POST"]),
                Route("/api/v1/oauth2/token", self.token, methods=["POST"]),
                *control_routes(self._account, self._gate),
            ],
            exception_handlers={404: _not_found, 405: _method_not_allowed},
            lifespan=self.lifespan,
        )
        app.state.ledger, app.state.gate = self._account.ledger, self._gate
        return app

    def lifespan(self, _app: Starlette) -> AbstractAsyncContextManager[None]:
        return self._account.callbacks.running()

    async def messages(self, request: Request) -> Response:
        arrival = self._account.clock.moment()
        if not self._gate.knows(request.headers.get("authorization"), now=arrival.seconds):
            return answers.unauthorized()

        if not self._gate.allows(request.path_params["account_id"]):
            return answers.forbidden()

        if not _wants_json(request):
            return answers.not_acceptable()

        if request.method == "POST":
            return await self._create(request, arrival)

        return self._list(request, arrival)

    async def _create(self, request: Request, arrival: Moment) -> Response:
        self._account.ledger.requests += 1
        content_type = request.headers.get("content-type", "")
        if _media_type(content_type) != _JSON:
            return answers.unsupported(content_type)

        try:
            asked = decode_request(await request.body())
        except Unreadable:
            return answers.invalid()

        if found := problems(asked, now=arrival.at):
            return answers.invalid(found)

        return await self._decide(asked, request.path_params["account_id"], arrival)

    async def _decide(self, asked: MessageRequest, account_id: str, arrival: Moment) -> Response:
        account, behaviour = self._account, self._account.behaviour
        occasion = account.dice.occasion(asked.recipients[0])
        fault = behaviour.fault(account.dice.roll("answer", occasion))
        body = b""
        if self._takes(fault, occasion):
            message = account.take(asked, account_id=account_id, occasion=occasion, arrival=arrival)
            if message is None:
                return answers.queue_full(account.queue.full_text())

            body = encode(message)

        if fault is not None:
            account.ledger.faults[fault] += 1

        delay_ms = behaviour.latency_ms + (behaviour.slow_ms if fault is Fault.SLOW else 0)
        if delay_ms:
            await anyio.sleep(delay_ms / 1000)

        if fault is None:
            return answers.accepted(body)

        return answers.faulty(fault, body, full_text=account.queue.full_text())

    def _takes(self, fault: Fault | None, occasion: str) -> bool:
        if fault is Fault.GATEWAY:
            roll = self._account.dice.roll("gateway", occasion)
            return roll < self._account.behaviour.gateway_taken

        return fault not in NOT_TAKEN

    def _list(self, request: Request, arrival: Moment) -> Response:
        now = arrival.seconds
        address = request.client.host if request.client else ""
        retry_after = self._listings.retry_after(address, now=now)
        if retry_after is not None:
            wait = math.ceil(self._account.clock.callers_seconds(retry_after))
            return answers.listed_too_often(wait)

        account_id = request.path_params["account_id"]
        visible_until = now - self._account.behaviour.visible_ms / 1000

        def is_visible(entry: Entry) -> bool:
            return (
                entry.account_id in {account_id, None}
                and entry.text.arrival_seconds <= visible_until
                and entry.is_listed
            )

        self._account.queue.settle(now)
        try:
            page = read_page(self._account.book, request.url, is_visible=is_visible, now=now)
        except BadQuery as error:
            return answers.refused(400, "request-validation", str(error))

        return Response(encode(page), media_type=_JSON)

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth_error(400, "unsupported_grant_type")

        token = self._gate.issue(
            request.headers.get("authorization"), now=self._account.clock.seconds()
        )
        if token is None:
            return _oauth_error(401, "invalid_client")

        expires_in = int(self._account.clock.callers_seconds(self._gate.token_seconds))
        body = TokenBody(access_token=token, expires_in=expires_in)
        return Response(encode(body), media_type=_JSON, headers={"cache-control": "no-store"})


def _wants_json(request: Request) -> bool:
    wanted = request.headers.get("accept", "*/*").split(",")
    return any(_media_type(kind) in {_JSON, "application/*", "*/*"} for kind in wanted)


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


async def _not_found(request: Request, _error: Exception) -> Response:
    return answers.not_found(request.url.path)


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    allowed = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    return answers.method_not_allowed(request.method, allowed)


def _oauth_error(status: int, code: str) -> Response:
    headers = {"www-authenticate": "Basic"} if status == 401 else None
    body = msgspec.json.encode({"error": code})
    return Response(body, status, media_type=_JSON, headers=headers)
