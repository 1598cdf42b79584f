"""The provider in small, in process or on a port, and a client that talks to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import anyio
import httpx
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.account import Account, BasicCredentials, ClientCredentials
from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.model import Message
from tests.bandwidth.samples import ALICE, APPLICATION, OURS, sample

SECRET = "s3cret-of-the-account"
OAUTH = ClientCredentials(client_id="client", client_secret=SecretStr(SECRET))
BASIC = BasicCredentials(username="user", password=SecretStr(SECRET))
MESSAGE = Message(row=1, key="k", to=(ALICE,), sender=OURS, text="Hey, check this out!", segments=1)


class Provider:
    """Answers with documented payloads, takes the newest token only, and keeps what it heard."""

    def __init__(self):
        self.tokens = 0
        self.revoked = False
        self.posts, self.queries = [], []
        #: Answers in place of the 202 or the page: (status, body, headers).
        self.answers = []
        path = "/api/v2/users/99%2F00902/messages"
        self.app = Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/{path:path}", self._messages, methods=["GET", "POST"]),
            ]
        )
        self.path = path.encode()

    async def _token(self, _):
        self.tokens += 1
        return JSONResponse({"access_token": f"token-{self.tokens}", "expires_in": 3600})

    async def _messages(self, request):
        assert request.scope["raw_path"].split(b"?")[0] == self.path
        body = await request.body()
        if request.method == "POST":
            self.posts.append((dict(request.headers), body))
        else:
            self.queries.append(request.scope["query_string"].decode())

        stale = request.headers["authorization"] == "Bearer token-1" and self.revoked
        if stale:
            return Response(sample("error-401"), status_code=401)

        if self.answers:
            status, body, headers = self.answers.pop(0)
            return Response(body, status_code=status, headers=headers)

        if request.method == "POST":
            return Response(sample("create-sms.response"), status_code=202)

        return Response(sample("listing"))


def account_at(address, credentials=OAUTH):
    return Account(
        account_id="99/00902",
        application_id=APPLICATION,
        credentials=credentials,
        messaging_url=f"{address}/api/v2",
        token_url=f"{address}/token",
    )


@asynccontextmanager
async def in_process(app):
    yield "http://127.0.0.1", httpx.ASGITransport(app)


@asynccontextmanager
async def on_a_port(app):
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this attribute only
            await anyio.sleep(0.01)

        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", AiohttpTransport()
    finally:
        server.should_exit = True
        await serving


def talk(carrier, provider, talking, credentials=OAUTH):
    """Run `talking(client)` against the provider."""

    async def run():
        async with carrier(provider.app) as (address, transport):
            account = account_at(address, credentials)
            auth = auth_for(account, transport)
            async with BandwidthClient(account, transport, auth) as client:
                return await talking(client)

    return anyio.run(run)


async def send(client):
    return await client.send(MESSAGE, tag="test message")


async def list_alice(client):
    return await client.list_messages(destination_tn=ALICE)
