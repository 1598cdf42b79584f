"""Tokens: asked for once, kept, renewed in time, and never shown."""

from __future__ import annotations

import traceback
from base64 import b64encode

import anyio
import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipeline.account import Account, BasicCredentials, ClientCredentials
from pipeline.bandwidth.auth import (
    BasicAuth,
    ClientCredentialsAuth,
    TokenUnavailable,
    auth_for,
)
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.errors import CredentialsError
from tests.bandwidth.faults import FaultServer, closed_port, closes, is_silent, resets

SECRET = "s3cret-of-the-account"
CREDENTIALS = ClientCredentials(client_id="client", client_secret=SecretStr(SECRET))
BASIC = BasicCredentials(username="user", password=SecretStr(SECRET))
TOKEN_URL = "http://127.0.0.1/oauth2/token"


class TokenEndpoint:
    """A token endpoint that numbers its tokens and takes its time."""

    def __init__(self, *, expires_in=3600, delay_seconds=0.0):
        self.expires_in, self.delay_seconds = expires_in, delay_seconds
        #: What it was asked: (authorization, content type, body).
        self.asked = []
        #: Answers that come before the tokens: (status, body).
        self.answers = []
        routes = [Route("/oauth2/token", self._answer, methods=["POST"])]
        self.transport = httpx.ASGITransport(Starlette(routes=routes))

    async def _answer(self, request):
        headers = request.headers
        body = await request.body()
        self.asked.append((headers["authorization"], headers["content-type"], body))
        await anyio.sleep(self.delay_seconds)
        if self.answers:
            status, body = self.answers.pop(0)
            return Response(body, status_code=status)

        lifetime = f', "expires_in": {self.expires_in}' if self.expires_in is not None else ""
        return Response(f'{{"access_token": "token-{len(self.asked)}"{lifetime}}}')

    def auth(self, clock=lambda: 0.0):
        return ClientCredentialsAuth(CREDENTIALS, TOKEN_URL, self.transport, clock)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def from_lanes(lanes, ask):
    """Ask from many lanes at once; exceptions are answers too."""
    answers = []

    async def lane():
        try:
            answers.append(await ask())
        except Exception as error:
            answers.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(lanes):
            group.start_soon(lane)

    return answers


# --- Basic ----------------------------------------------------------------------------------------


def test_basic_credentials_make_the_header_of_rfc_7617():
    header = anyio.run(BasicAuth(BASIC).header)

    assert header == "Basic " + b64encode(f"user:{SECRET}".encode()).decode()


def test_there_is_no_other_basic_header_after_a_401():
    assert anyio.run(BasicAuth(BASIC).renew, "Basic stale") == "Basic stale"


@pytest.mark.parametrize(
    ("credentials", "kind"), [(CREDENTIALS, ClientCredentialsAuth), (BASIC, BasicAuth)]
)
def test_the_account_decides_the_way(credentials, kind):
    account = Account(account_id="1", application_id="a", credentials=credentials)

    assert type(auth_for(account, TokenEndpoint().transport)) is kind


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_token_is_asked_for_as_documented():
    endpoint = TokenEndpoint()

    header = anyio.run(endpoint.auth().header)

    assert header == "Bearer token-1"
    assert endpoint.asked == [
        (
            "Basic " + b64encode(f"client:{SECRET}".encode()).decode(),
            "application/x-www-form-urlencoded",
            b"grant_type=client_credentials",
        )
    ]


@pytest.mark.parametrize(
    ("expires_in", "seconds_later", "header"),
    [
        (3600, 3539.9, "Bearer token-1"),
        (3600, 3540.0, "Bearer token-2"),
        (None, 3539.9, "Bearer token-1"),
        (None, 3540.0, "Bearer token-2"),
        (80, 39.9, "Bearer token-1"),
        (80, 40.0, "Bearer token-2"),
        (0, 0.0, "Bearer token-2"),
        (-5, 0.0, "Bearer token-2"),
    ],
)
def test_a_token_is_kept_until_a_minute_before_its_end(expires_in, seconds_later, header):
    endpoint, clock = TokenEndpoint(expires_in=expires_in), Clock()

    async def ask_twice():
        auth = endpoint.auth(clock)
        await auth.header()
        clock.now += seconds_later
        return await auth.header()

    assert anyio.run(ask_twice) == header


def test_while_the_old_token_lasts_one_lane_renews_it_and_the_others_do_not_wait():
    """If all lanes waited, they would leave together, on top of the rate."""
    clock, endpoint = Clock(), TokenEndpoint(expires_in=600, delay_seconds=0.1)
    auth = endpoint.auth(clock)

    async def story():
        await auth.header()
        clock.now += 560
        return await from_lanes(20, auth.header)

    answers = anyio.run(story)
    assert sorted(answers) == ["Bearer token-1"] * 19 + ["Bearer token-2"]


def test_all_lanes_share_one_question():
    endpoint = TokenEndpoint(delay_seconds=0.02)

    headers = anyio.run(from_lanes, 200, endpoint.auth().header)

    assert headers == ["Bearer token-1"] * 200
    assert len(endpoint.asked) == 1


def test_a_stale_token_is_replaced_once_for_all_lanes():
    endpoint = TokenEndpoint(delay_seconds=0.02)

    async def refuse():
        auth = endpoint.auth()
        stale = await auth.header()
        headers = await from_lanes(50, lambda: auth.renew(stale))
        return [*headers, await auth.renew(stale), await auth.header()]

    assert set(anyio.run(refuse)) == {"Bearer token-2"}
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_end_the_command_with_one_sentence(status):
    endpoint = TokenEndpoint()
    endpoint.answers = [(status, f'{{"error": "invalid_client {SECRET}"}}')]

    with pytest.raises(CredentialsError) as caught:
        anyio.run(endpoint.auth().header)

    assert str(status) in str(caught.value)
    assert "BW_CLIENT_SECRET" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("status", [404, 405, 410, 415])
def test_an_address_that_gives_out_no_tokens_ends_the_command_at_once(status):
    endpoint = TokenEndpoint()
    endpoint.answers = [(status, "<html>not here</html>")]

    with pytest.raises(CredentialsError, match=f"HTTP {status}.*check BW_TOKEN_URL"):
        anyio.run(endpoint.auth().header)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, ""),
        (503, "{}"),
        (429, ""),
        (408, ""),
        (302, ""),
        (200, "<html>"),
        (200, "{}"),
        (200, '{"access_token": ""}'),
        (200, '{"access_token": "a\\r\\nX-Evil: 1"}'),
        (200, '{"access_token": "schl\\u00fcssel"}'),
    ],
)
def test_a_token_endpoint_in_trouble_is_not_a_refusal(status, body):
    endpoint = TokenEndpoint()
    endpoint.answers = [(status, body)]

    async def ask_twice():
        auth = endpoint.auth()
        with pytest.raises(TokenUnavailable):
            await auth.header()

        return await auth.header()

    assert anyio.run(ask_twice) == "Bearer token-2"


@pytest.mark.parametrize("fault", [closes, resets, is_silent], ids=lambda fault: fault.__name__)
def test_a_token_that_is_lost_on_the_wire_is_unavailable(fault):
    server = FaultServer(fault)

    async def ask():
        timeout = httpx.Timeout(0.1)
        async with server.running(), AiohttpTransport(timeout=timeout) as transport:
            await ClientCredentialsAuth(CREDENTIALS, server.address, transport).header()

    with pytest.raises(TokenUnavailable) as caught:
        anyio.run(ask)

    assert server.received == ["POST"]
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert b64encode(f"client:{SECRET}".encode()).decode() not in shown


def test_an_endpoint_that_nobody_listens_on_is_unavailable():
    async def ask():
        async with AiohttpTransport() as transport:
            url = f"http://127.0.0.1:{closed_port()}"
            await ClientCredentialsAuth(CREDENTIALS, url, transport).header()

    with pytest.raises(TokenUnavailable, match=r"ConnectError.*check BW_TOKEN_URL"):
        anyio.run(ask)


def test_lanes_that_waited_for_a_failure_share_it_and_the_next_one_asks_anew():
    endpoint = TokenEndpoint(delay_seconds=0.02)
    endpoint.answers = [(503, ""), (401, "")]

    async def fail_twice():
        auth = endpoint.auth()
        return [await from_lanes(30, auth.header) for _ in range(2)] + [await auth.header()]

    unavailable, refused, header = anyio.run(fail_twice)

    assert [type(answer) for answer in unavailable] == [TokenUnavailable] * 30
    assert [type(answer) for answer in refused] == [CredentialsError] * 30
    assert header == "Bearer token-3"


def test_a_lane_that_is_cancelled_while_asking_leaves_the_others_their_token():
    endpoint = TokenEndpoint(delay_seconds=0.05)

    async def cancel_the_first():
        auth = endpoint.auth()
        headers = []

        async def lane():
            headers.append(await auth.header())

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.01):
                group.start_soon(lane)
                await auth.header()

        return headers

    assert anyio.run(cancel_the_first) == ["Bearer token-2"]


def test_credentials_and_tokens_do_not_print():
    endpoint = TokenEndpoint()

    async def shown():
        auth = endpoint.auth()
        await auth.header()
        return f"{auth!r} {auth} {CREDENTIALS!r} {BasicAuth(BASIC)!r} {BASIC}"

    text = anyio.run(shown)

    assert SECRET not in text
    assert "token-1" not in text
