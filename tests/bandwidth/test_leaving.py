"""Whether a message may still leave is asked last of all, when nothing is left to wait for."""

from __future__ import annotations

import anyio

from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.model import Accepted, NotSent
from tests.bandwidth.faults import FaultServer, answer, waits
from tests.bandwidth.provider import BASIC, OAUTH, Provider, account_at, on_a_port, send

WITHHELD = NotSent(reason="stopped before it left")


def client_at(address, transport, credentials, may_leave):
    account = account_at(address, credentials)
    return BandwidthClient(account, transport, auth_for(account, transport), may_leave=may_leave)


def test_a_message_whose_time_ran_out_while_the_token_was_renewed_is_not_posted():
    provider = Provider()

    async def story():
        async with on_a_port(provider.app) as (address, transport):

            def may_leave():
                return not provider.tokens

            async with client_at(address, transport, OAUTH, may_leave) as client:
                return await send(client)

    assert (anyio.run(story), provider.tokens, provider.posts) == (WITHHELD, 1, [])


def test_a_message_whose_time_ran_out_while_it_waited_for_a_connection_is_not_posted():
    """And the connection that it got is there for what comes after it."""
    server, outcomes = FaultServer(waits(0.1, answer())), []
    is_open = True

    async def story():
        nonlocal is_open
        transport = AiohttpTransport(lanes=1)

        def may_leave():
            return is_open or not server.received

        async def one(client):
            outcomes.append(await send(client))

        async with server.running(), client_at(server.address, transport, BASIC, may_leave) as it:
            is_open = False
            async with anyio.create_task_group() as lanes:
                lanes.start_soon(one, it)
                lanes.start_soon(one, it)

            is_open = True
            await one(it)

    anyio.run(story)
    first, second, third = outcomes
    assert (type(first), second, type(third)) == (Accepted, WITHHELD, Accepted)
    assert (len(server.received), server.connections) == (2, 1)
