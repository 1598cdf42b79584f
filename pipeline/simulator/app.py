"""The Bandwidth Messaging API as an ASGI app: what is asked, checked and answered at each address.

POST, GET         /api/v2/users/{accountId}/messages         create a message; list messages
GET               /api/v2/users/{accountId}/media            list media
PUT, GET, DELETE  /api/v2/users/{accountId}/media/{mediaId}  upload, download, delete a file
POST              /api/v1/oauth2/token                       client credentials for a token
                  /_...                                      not Bandwidth's: see `control`
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.bandwidth.wire import TokenBody, encode
from pipeline.simulator import answers
from pipeline.simulator.access import Credentials, Gate
from pipeline.simulator.account import Account
from pipeline.simulator.account_queue import QUEUE_SECONDS, AccountQueue
from pipeline.simulator.behaviour import Behaviour, Dice
from pipeline.simulator.callbacks import Callbacks
from pipeline.simulator.clock import Clock, RunningClock
from pipeline.simulator.control import control_routes
from pipeline.simulator.door import JSON
from pipeline.simulator.listing import PageSizes
from pipeline.simulator.media import MediaLimits, MediaStore
from pipeline.simulator.media_api import MediaApi
from pipeline.simulator.messages_api import MessagesApi
from pipeline.simulator.validation import MOST_RECIPIENTS, USUAL_RECIPIENTS

_USER = "/api/v2/users/{account_id}"


def make_app(
    behaviour: Behaviour,
    *,
    seed: int = 1,
    rate: float | None = None,
    queue_seconds: float = QUEUE_SECONDS,
    callback_url: str | None = None,
    callback_auth: tuple[str, str] | None = None,
    credentials: Credentials | None = None,
    max_recipients: int = USUAL_RECIPIENTS,
    text_required: bool = False,
    pages: PageSizes | None = None,
    media: MediaLimits | None = None,
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
        max_recipients: of one message; the provider takes 10, older documents say 50.
        text_required: whether a message with pictures needs a text too, as older documents say.
        pages: how many items a page of the listing has; None: as documented.
        media: how large a media file may be and how long it is kept; None: as documented.
        clock: how time passes; None: as everywhere. With a `StoppedClock` and the same requests in
            the same order, answers, callbacks and listing are the same byte for byte.

    Returns:
        The app; ``app.state.ledger`` is the `Ledger`, ``app.state.gate`` the `Gate`,
        ``app.state.media`` the `MediaStore`.

    Raises:
        ValueError: `max_recipients` is not between 1 and 50.
    """
    if not 1 <= max_recipients <= MOST_RECIPIENTS:
        raise ValueError(f"'max_recipients' must be between 1 and {MOST_RECIPIENTS}")

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
    store = MediaStore(media or MediaLimits())
    account = Account(
        behaviour=behaviour, dice=dice, clock=clock, queue=queue, callbacks=callbacks, store=store
    )
    gate = Gate(credentials or Credentials(), seed=seed)
    messages = MessagesApi(
        account,
        gate,
        max_recipients=max_recipients,
        text_required=text_required,
        pages=pages or PageSizes(),
    )
    files = MediaApi(store, account, gate)
    return _Service(account, gate, store).app(
        [
            Route(f"{_USER}/messages", messages.messages, methods=["GET", "POST"]),
            Route(f"{_USER}/media", files.list, methods=["GET"]),
            Route(
                f"{_USER}/media/{{media_id:media_name}}",
                files.file,
                methods=["GET", "PUT", "DELETE"],
            ),
        ]
    )


class _Service:
    """What the API stands on: tokens, the tests' own routes, the answers to what is no address."""

    def __init__(self, account: Account, gate: Gate, store: MediaStore) -> None:
        self._account, self._gate, self._store = account, gate, store

    def app(self, resources: list[Route]) -> Starlette:
        app = Starlette(
            routes=[
                *resources,
                Route("/api/v1/oauth2/token", self.token, methods=["POST"]),
                *control_routes(self._account, self._gate, self._store),
            ],
            exception_handlers={404: self.not_found, 405: _method_not_allowed},
            lifespan=self.lifespan,
        )
        state = app.state
        state.ledger, state.gate, state.media = self._account.ledger, self._gate, self._store
        return app

    def lifespan(self, _app: Starlette) -> AbstractAsyncContextManager[None]:
        return self._account.callbacks.running()

    async def not_found(self, request: Request, _error: Exception) -> Response:
        return answers.not_found(request.url.path, self._account.clock.moment().at)

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
        return Response(encode(body), media_type=JSON, headers={"cache-control": "no-store"})


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    allowed = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    return answers.method_not_allowed(request.method, allowed)


def _oauth_error(status: int, code: str) -> Response:
    headers = {"www-authenticate": "Basic"} if status == 401 else None
    body = msgspec.json.encode({"error": code})
    return Response(body, status, media_type=JSON, headers=headers)
