"""The simulator behind a door that hears every request, and refuses some where a test says so."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import anyio
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse

from pipeline.account import Account
from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.media import MediaFile
from tests.bandwidth.provider import BASIC, OAUTH, in_process

ACCOUNT = "9900000"
MEDIA = f"/api/v2/users/{ACCOUNT}/media"
TOKEN = "/api/v1/oauth2/token"
#: By any clock of a simulator that began at 0 or later: nothing is over its time.
_LONG_AGO = -1e12


class Door:
    """Lets requests in to the simulator; an ASGI app. Options are those of `make_app`."""

    def __init__(self, behaviour=None, **options):
        self.simulator = make_app(behaviour or Behaviour(), **options)
        #: (method, raw path, headers) of every request to the API.
        self.heard = []
        #: (status, headers) in place of the next answers of the API.
        self.refusals = []
        #: What was POSTed and taken.
        self.sent = []
        #: Every answer's status.
        self.statuses = []
        self.app = self

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith("/api/v2"):
            await self.simulator(scope, receive, send)
            return

        request, statuses = Request(scope, receive), []
        body = await request.body()
        path = scope["raw_path"].split(b"?")[0].decode()
        self.heard.append((scope["method"], path, dict(request.headers)))

        async def listened(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

            await send(message)

        async def told():
            return {"type": "http.request", "body": body, "more_body": False}

        answer = self._refusal(scope["method"], request, body) or self.simulator
        await answer(scope, told, listened)
        self.statuses += statuses
        if scope["method"] == "POST" and statuses == [202]:
            self.sent.append(json.loads(body))

    def _refusal(self, method, request, body):
        """What the test says, or a 400 to a message whose own picture is not there."""
        if self.refusals:
            status, headers = self.refusals.pop(0)
            error = {"type": "some-trouble", "description": "x"}
            return JSONResponse(error, status_code=status, headers=headers)

        own = f"{str(request.base_url).rstrip('/')}{MEDIA}/"
        pictures = json.loads(body).get("media", []) if method == "POST" else []
        named = {each.removeprefix(own) for each in pictures if each.startswith(own)}
        if named - set(self.files):
            return JSONResponse({"type": "no-media", "description": "x"}, status_code=400)

        return None

    # --- The shelf ---------------------------------------------------------------------------

    @property
    def files(self):
        """Name -> (content type, content) of the account's files."""
        kept = {name: self.file(name) for name in self._names()}
        return {name: (each.content_type, each.content) for name, each in kept.items()}

    def file(self, name):
        return self.simulator.state.media.get(ACCOUNT, name, now=_LONG_AGO)

    def put(self, name, content=b"x", content_type="image/png"):
        file = MediaFile(
            content=content,
            content_type=content_type,
            cache_control=None,
            uploaded_at=time.monotonic(),
        )
        self.simulator.state.media.put(ACCOUNT, name, file)

    def clear(self):
        """Forget the files, and what was heard."""
        self.simulator.state.media.reset()
        self.heard = []

    def _names(self):
        store, token = self.simulator.state.media, None
        while True:
            page = store.page(ACCOUNT, token, now=_LONG_AGO)
            yield from (name for name, _ in page.files)
            token = page.token
            if token is None:
                return


def talk(carrier, door, talking, credentials=OAUTH):
    """Run `talking(client)` against the simulator."""

    async def run():
        async with carrier(door.app) as (address, transport):
            account = Account(
                account_id=ACCOUNT,
                application_id="app",
                credentials=credentials,
                messaging_url=f"{address}/api/v2",
                token_url=f"{address}{TOKEN}",
            )
            async with BandwidthClient(account, transport, auth_for(account, transport)) as client:
                return await talking(client)

    return anyio.run(run)


def talk_in_process(door, talking):
    """Run `talking(client)` against the simulator in this process, with Basic credentials."""
    return talk(in_process, door, talking, BASIC)


@contextmanager
def served(app):
    """Serve an application from a thread; yields its address."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)

        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def environment_of(address, **secrets):
    """The environment of the account at an address, without a journal."""
    return {
        "BW_ACCOUNT_ID": ACCOUNT,
        "BW_APPLICATION_ID": "app",
        "BW_MESSAGING_URL": f"{address}/api/v2",
        "BW_TOKEN_URL": f"{address}{TOKEN}",
        **secrets,
    }
