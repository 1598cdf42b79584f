"""One message to a server that misbehaves: its outcome, and what the transport raised."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx
from pydantic import SecretStr

from pipeline.account import Account, BasicCredentials
from pipeline.bandwidth.auth import BasicAuth
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.model import Accepted, Message

TIMEOUT = httpx.Timeout(0.3, connect=0.3, write=0.0)
SECRET = "s3cret-of-the-account"
MESSAGE = Message(
    row=1, key="k", to=("+19195550141",), sender="+19195550123", text="Hi", segments=1
)


class Watched(httpx.AsyncBaseTransport):
    """Lets everything through, and remembers what was raised."""

    def __init__(self, inner):
        self.inner, self.raised = inner, None

    async def handle_async_request(self, request):
        try:
            return await self.inner.handle_async_request(request)
        except BaseException as error:
            self.raised = error
            raise

    async def aclose(self):
        await self.inner.aclose()


@asynccontextmanager
async def client_of(address, **options):
    credentials = BasicCredentials(username="user", password=SecretStr(SECRET))
    account = Account(
        account_id="9900902", application_id="app", credentials=credentials, messaging_url=address
    )
    transport = Watched(AiohttpTransport(timeout=TIMEOUT, **options))
    async with BandwidthClient(account, transport, BasicAuth(credentials)) as client:
        yield client, transport


async def send_to(server, good=0):
    async with server.running(), client_of(server.address) as (client, transport):
        for _ in range(good):
            assert isinstance(await client.send(MESSAGE, tag="r.1.1"), Accepted)

        outcome = await client.send(MESSAGE, tag="r.1.1")

    return outcome, transport.raised
