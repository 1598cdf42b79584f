"""The Bandwidth Messaging API as an ASGI app: what is asked, checked and answered at each address.

POST, GET         /api/v2/users/{accountId}/messages         create a message; list messages
GET               /api/v2/users/{accountId}/media            list media
PUT, GET, DELETE  /api/v2/users/{accountId}/media/{mediaId}  upload, download, delete a file
POST              /api/v1/oauth2/token                       client credentials for a token
GET               /_ledger[?messages=1]                      what the handsets received
POST              /_ledger/reset, /_tokens/revoke            for tests: forget texts and media;
                                                             make callers renew
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, nullcontext
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
from pipeline.simulator.book import Book
from pipeline.simulator.callbacks import Callbacks
from pipeline.simulator.door import JSON
from pipeline.simulator.ledger import Ledger
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
    media: MediaLimits | None = None,
) -> Starlette:
    """Build the provider.

    Args:
        behaviour: its faults.
        seed: the same seed gives the same faults to the same requests.
        rate: segments per second that leave the account's queue; None: no limit.
        queue_seconds: how much the queue holds, in seconds at that rate.
        callback_url: where status callbacks go while the app's lifespan runs; None: nowhere.
        callback_auth: user name and password for that address.
        credentials: what callers must show; None: anything.
        max_recipients: of one message; the provider takes 10, older documents say 50.
        media: how large a media file may be and how long it is kept; None: as documented.

    Returns:
        The app; ``app.state.ledger`` is the `Ledger`, ``app.state.gate`` the `Gate`,
        ``app.state.media`` the `MediaStore`.

    Raises:
        ValueError: `max_recipients` is not between 1 and 50.
    """
    if not 1 <= max_recipients <= MOST_RECIPIENTS:
        raise ValueError(f"'max_recipients' must be between 1 and {MOST_RECIPIENTS}")

    dice = Dice(seed)
    callbacks = (
        Callbacks(callback_url, auth=callback_auth, behaviour=behaviour, dice=dice)
        if callback_url
        else None
    )
    account = Account(
        behaviour=behaviour,
        dice=dice,
        queue=AccountQueue(rate, depth_seconds=queue_seconds),
        ledger=Ledger(),
        book=Book(),
        callbacks=callbacks,
    )
    gate = Gate(credentials or Credentials())
    messages = MessagesApi(account, gate, max_recipients=max_recipients)
    store = MediaStore(media or MediaLimits())
    files = MediaApi(store, gate, behaviour, dice, account.ledger)
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
    """What the API stands on: tokens, the ledger, and the answers to what is no address."""

    def __init__(self, account: Account, gate: Gate, store: MediaStore) -> None:
        self._account, self._gate, self._store = account, gate, store

    def app(self, resources: list[Route]) -> Starlette:
        app = Starlette(
            routes=[
                *resources,
                Route("/api/v1/oauth2/token", self.token, methods=["POST"]),
                Route("/_ledger", self.ledger, methods=["GET"]),
                Route("/_ledger/reset", self.reset, methods=["POST"]),
                Route("/_tokens/revoke", self.revoke, methods=["POST"]),
            ],
            exception_handlers={404: _not_found, 405: _method_not_allowed},
            lifespan=self.lifespan,
        )
        state = app.state
        state.ledger, state.gate, state.media = self._account.ledger, self._gate, self._store
        return app

    def lifespan(self, _app: Starlette) -> AbstractAsyncContextManager[None]:
        callbacks = self._account.callbacks
        return callbacks.running() if callbacks else nullcontext()

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth_error(400, "unsupported_grant_type")

        token = self._gate.issue(request.headers.get("authorization"), now=time.monotonic())
        if token is None:
            return _oauth_error(401, "invalid_client")

        body = TokenBody(access_token=token, expires_in=int(self._gate.token_seconds))
        return Response(encode(body), media_type=JSON, headers={"cache-control": "no-store"})

    async def ledger(self, request: Request) -> Response:
        ledger, callbacks = self._account.ledger, self._account.callbacks
        report = msgspec.to_builtins(ledger.summary())
        if callbacks is not None:
            report["callbacks"] = {
                "pending": callbacks.pending,
                "posted": callbacks.posted,
                "given_up": callbacks.given_up,
            }

        if request.query_params.get("messages") == "1":
            report["texts"] = ledger.texts

        return Response(msgspec.json.encode(report), media_type=JSON)

    async def reset(self, _request: Request) -> Response:
        self._account.ledger.reset()
        self._store.reset()
        return Response(status_code=204)

    async def revoke(self, _request: Request) -> Response:
        self._gate.revoke()
        return Response(status_code=204)


async def _not_found(request: Request, _error: Exception) -> Response:
    return answers.not_found(request.url.path)


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    allowed = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    return answers.method_not_allowed(request.method, allowed)


def _oauth_error(status: int, code: str) -> Response:
    headers = {"www-authenticate": "Basic"} if status == 401 else None
    body = msgspec.json.encode({"error": code})
    return Response(body, status, media_type=JSON, headers=headers)
