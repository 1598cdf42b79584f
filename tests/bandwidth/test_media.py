"""Files go to the account's shelf and come back, as documented, or a sentence says why not."""

from __future__ import annotations

import hashlib
import time

import anyio
import pytest

from pipeline.bandwidth.connection import RequestFailed
from pipeline.bandwidth.media_types import DOCUMENTED_TYPES, content_type_of
from pipeline.errors import CredentialsError, UsageError
from tests.bandwidth.faults import FaultServer, answer, closes, resets, says
from tests.bandwidth.provider import talk
from tests.bandwidth.sending import client_of
from tests.bandwidth.shelf import Shelf

BIG = bytes(range(256)) * 8_000  # two megabytes: many pieces


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "logo.png"
    path.write_bytes(BIG)
    return path


def test_an_upload_is_written_as_documented(carrier, shelf, picture):
    seen = []

    async def upload(client):
        await client.media.upload(
            "spring/lo go.png",
            picture,
            content_type="image/png",
            cache_control="no-cache",
            watch=seen.append,
        )

    talk(carrier, shelf, upload)

    [(method, path, headers)] = shelf.heard
    assert (method, path) == ("PUT", "/api/v2/users/99%2F00902/media/spring/lo%20go.png")
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(BIG))
    assert headers["cache-control"] == "no-cache"
    assert headers["authorization"] == "Bearer token-1"
    assert "transfer-encoding" not in headers
    assert shelf.files["spring/lo%20go.png"] == ("image/png", BIG)
    assert seen == sorted(seen)
    assert seen[-1] == len(BIG)
    assert len(seen) > 10


def test_a_file_comes_back_as_it_was(carrier, shelf, tmp_path):
    shelf.files["1476/0/bw.png"] = ("image/png", BIG)
    target, seen = tmp_path / "bw.png", []

    async def get(client):
        return await client.media.get("1476/0/bw.png", target, watch=seen.append)

    assert talk(carrier, shelf, get) == len(BIG) == seen[-1]
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(BIG).digest()


def test_the_list_is_followed_page_by_page(carrier, shelf):
    shelf.files = {f"{n}.png": ("image/png", b"x" * n) for n in range(5)}

    async def names(client):
        return [(item.media_name, item.content_length) async for item in client.media.items()]

    assert talk(carrier, shelf, names) == [(f"{n}.png", n) for n in range(5)]
    tokens = [headers.get("continuation-token") for _, _, headers in shelf.heard]
    assert tokens == [None, "2", "4"]


def test_an_empty_shelf_is_an_empty_list(shelf, carrier):
    async def names(client):
        return [item async for item in client.media.items()]

    assert talk(carrier, shelf, names) == []


def test_a_deleted_file_is_gone(carrier, shelf):
    shelf.files["a/b.png"] = ("image/png", b"x")

    async def delete(client):
        await client.media.delete("a/b.png")

    talk(carrier, shelf, delete)
    assert shelf.files == {}
    assert shelf.heard[0][:2] == ("DELETE", "/api/v2/users/99%2F00902/media/a/b.png")


async def delete_it(client):
    await client.media.delete("a.png")


def test_a_file_that_is_not_there_is_named(carrier, shelf, tmp_path):
    async def get(client):
        await client.media.get("a.png", tmp_path / "a.png")

    for talking in (get, delete_it):
        with pytest.raises(RequestFailed, match=r"there is no media file 'a\.png'"):
            talk(carrier, shelf, talking)


def test_a_401_renews_the_token_once(carrier, shelf, picture):
    shelf.refusals = [(401, {})]

    async def upload(client):
        await client.media.upload("a.png", picture, content_type="image/png")

    talk(carrier, shelf, upload)
    assert shelf.files["a.png"][1] == BIG
    assert [heard[2]["authorization"] for heard in shelf.heard] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


@pytest.mark.parametrize("refusals", [[(401, {})] * 2, [(403, {})]], ids=["401", "403"])
def test_without_permission_it_is_a_matter_of_credentials(shelf, refusals, carrier):
    shelf.refusals = list(refusals)

    with pytest.raises(CredentialsError, match=r"'a\.png' cannot be deleted.*HTTP 40"):
        talk(carrier, shelf, delete_it)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again_and_a_wait_is_obeyed(carrier, shelf, picture, status):
    shelf.refusals = [(status, {"Retry-After": "1"})]

    async def upload(client):
        began = time.monotonic()
        await client.media.upload("a.png", picture, content_type="image/png")
        return time.monotonic() - began

    assert talk(carrier, shelf, upload) >= 1
    assert len(shelf.heard) == 2
    assert shelf.files["a.png"][1] == BIG


def test_what_will_not_pass_is_asked_once(carrier, shelf):
    shelf.refusals = [(415, {})]

    with pytest.raises(RequestFailed, match="HTTP 415 some-trouble"):
        talk(carrier, shelf, delete_it)

    assert len(shelf.heard) == 1


def test_a_wait_of_hours_is_not_waited_for(carrier, shelf):
    shelf.refusals = [(429, {"Retry-After": "7200"})]

    with pytest.raises(RequestFailed, match="HTTP 429") as caught:
        talk(carrier, shelf, delete_it)

    assert caught.value.retry_after_seconds == 7200


@pytest.mark.parametrize("name", ["", "/a", "a//b", "../a", "a/./b", "a/", "a\nb"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(shelf, name, carrier):
    async def delete(client):
        await client.media.delete(name)

    with pytest.raises(UsageError, match="no name"):
        talk(carrier, shelf, delete)

    assert shelf.heard == []


# --- a wire that breaks ---------------------------------------------------------------------------


def first(fault, then):
    """Show the fault to the first request, then behave."""
    times = iter([fault])

    async def behave(reader, writer):
        await next(times, then)(reader, writer)

    return behave


def over_the_wire(server, talking):
    async def run():
        async with server.running(), client_of(server.address) as (client, _):
            return await talking(client)

    return anyio.run(run)


def test_a_download_that_breaks_off_begins_anew(tmp_path):
    head, target = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", tmp_path / "a.png"
    server = FaultServer(first(says(head + b"a pic", then=closes), says(head + b"a picture")), -1)

    async def get(client):
        return await client.media.get("a.png", target)

    assert over_the_wire(server, get) == 9
    assert target.read_bytes() == b"a picture"
    assert server.received == ["GET", "GET"]


def test_a_download_that_never_comes_whole_is_said_to_have_broken_off(tmp_path):
    cut = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na pic", then=closes)

    async def get(client):
        await client.media.get("a.png", tmp_path / "a.png")

    with pytest.raises(RequestFailed, match="broke off"):
        over_the_wire(FaultServer(cut, -1), get)


@pytest.mark.parametrize("fault", [closes, resets], ids=["closed", "reset"])
@pytest.mark.parametrize("before", [0, 1], ids=["fresh", "reused"])
def test_an_upload_whose_connection_breaks_is_sent_whole_again(picture, fault, before):
    """The server reads as many bytes as were announced: a body cut short would never end."""
    server = FaultServer(first(fault, answer(b"", status="204 No Content")), before - 1)

    async def upload(client):
        for _ in range(before + 1):
            await client.media.upload("a.png", picture, content_type="image/png")

    over_the_wire(server, upload)
    assert server.received == ["PUT"] * (before + 2)


def test_a_file_type_is_told_by_the_name():
    assert content_type_of("A/B/LOGO.PNG") == "image/png"
    assert content_type_of("logo.exe") is None
    assert content_type_of("logo") is None


def test_every_documented_type_is_known():
    """The 48 types of uploadMedia in the API reference."""
    kinds = {kind: sum(t.startswith(kind + "/") for t in DOCUMENTED_TYPES)
             for kind in ("application", "audio", "image", "text", "video")}  # fmt: skip
    assert kinds == {"application": 12, "audio": 8, "image": 11, "text": 9, "video": 8}
