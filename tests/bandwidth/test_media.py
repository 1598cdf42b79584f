"""Files go to the account's shelf and come back, as documented, or a sentence says why not."""

from __future__ import annotations

import hashlib
import time

import anyio
import pytest

from pipeline.bandwidth.connection import RequestFailed
from pipeline.bandwidth.media_types import DOCUMENTED_TYPES, content_type_of
from pipeline.errors import CredentialsError, UsageError
from pipeline.simulator.access import Credentials
from pipeline.simulator.clock import StoppedClock
from pipeline.simulator.media import CONTENT_TYPES, PAGE_FILES, MediaLimits
from tests.bandwidth.door import MEDIA, Door, talk, talk_in_process
from tests.bandwidth.faults import FaultServer, answer, closes, resets, says
from tests.bandwidth.sending import client_of
from tests.simulator.stage import NOON

BIG = bytes(range(256)) * 8_000  # two megabytes: many pieces


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "logo.png"
    path.write_bytes(BIG)
    return path


async def upload(client, name="a.png", content=b"x", content_type="image/png"):
    await client.media.upload(name, content, content_type=content_type)


async def names(client):
    return [item.media_name async for item in client.media.items()]


async def delete(client):
    await client.media.delete("a.png")


@pytest.fixture
def get(tmp_path):
    async def get(client):
        return await client.media.get("a.png", tmp_path / "a.png")

    return get


@pytest.fixture(params=["upload", "list", "get", "delete"])
def operation(request, get):
    return {"upload": upload, "list": names, "get": get, "delete": delete}[request.param]


# --- up, down, listed, gone -----------------------------------------------------------------------


def test_an_upload_is_written_as_documented(carrier, door, picture):
    seen = []

    async def upload(client):
        await client.media.upload(
            "spring/lo go.png",
            picture,
            content_type="image/png",
            cache_control="no-cache",
            watch=seen.append,
        )

    talk(carrier, door, upload)

    [(method, path, headers)] = door.heard
    assert (method, path) == ("PUT", f"{MEDIA}/spring/lo%20go.png")
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(BIG))
    assert headers["authorization"].startswith("Bearer ")
    assert "transfer-encoding" not in headers
    assert door.files == {"spring/lo go.png": ("image/png", BIG)}
    assert door.file("spring/lo go.png").cache_control == "no-cache"
    assert seen == sorted(seen)
    assert seen[-1] == len(BIG)
    assert len(seen) > 10


def test_every_documented_type_is_taken_and_any_other_is_a_refusal(door):
    async def upload_all(client):
        for number, content_type in enumerate(sorted(DOCUMENTED_TYPES)):
            await upload(client, f"{number}", content_type=content_type)

        with pytest.raises(RequestFailed, match="HTTP 415 unsupported-content-type"):
            await upload(client, content_type="application/x-msdownload")

        await upload(client, content_type="application/octet-stream")  # as older documents say

    talk_in_process(door, upload_all)
    assert {content_type for content_type, _ in door.files.values()} == CONTENT_TYPES


@pytest.mark.parametrize("megabytes", [3.5, 3.75], ids=["today", "older documents"])
def test_what_is_too_large_for_the_provider_is_a_refusal(megabytes):
    door, most = Door(media=MediaLimits(file_bytes=int(megabytes * 1e6))), int(megabytes * 1e6)

    async def upload_both(client):
        await upload(client, content=bytes(most))
        with pytest.raises(RequestFailed, match=r"'b\.png' cannot be uploaded: HTTP 400"):
            await upload(client, "b.png", bytes(most + 1))

    talk_in_process(door, upload_both)
    assert list(door.files) == ["a.png"]


def test_the_same_name_is_written_over(door):
    async def upload_twice(client):
        await upload(client, content=b"old")
        await upload(client, content=b"new", content_type="image/gif")

    talk_in_process(door, upload_twice)
    assert door.files == {"a.png": ("image/gif", b"new")}


@pytest.mark.parametrize("name", ["1476/0/bw.png", "ü/50%.png", "a+b &?#c.png"])
def test_a_file_comes_back_as_it_was_whatever_its_name(carrier, door, tmp_path, name):
    door.put(name, BIG)
    target, seen = tmp_path / "bw.png", []

    async def get(client):
        return await client.media.get(name, target, watch=seen.append)

    assert talk(carrier, door, get) == len(BIG) == seen[-1]
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(BIG).digest()


def test_the_list_is_followed_page_by_page(carrier, door):
    expected = [f"{number:05}.png" for number in range(2 * PAGE_FILES + 5)]
    for name in expected:
        door.put(name)

    assert talk(carrier, door, names) == expected
    tokens = [headers.get("continuation-token") for _, _, headers in door.heard]
    assert len(tokens) == len(set(tokens)) == 3
    assert tokens[0] is None


def test_a_page_that_is_exactly_full_has_no_other_behind_it(door):
    for number in range(PAGE_FILES):
        door.put(f"{number:05}.png")

    assert len(talk_in_process(door, names)) == PAGE_FILES
    assert len(door.heard) == 1


def test_a_listed_file_has_name_length_and_an_address_that_messages_may_name(door):
    door.put("spring/logo.png", b"four")

    async def listed(client):
        [item] = [item async for item in client.media.items()]
        assert item.content == client.media.address(item.media_name)
        return item.media_name, item.content_length

    assert talk_in_process(door, listed) == ("spring/logo.png", 4)


def test_an_empty_shelf_is_an_empty_list(door, carrier):
    assert talk(carrier, door, names) == []


def test_a_deleted_file_is_gone(carrier, door):
    door.put("a/b.png")

    async def delete(client):
        await client.media.delete("a/b.png")

    talk(carrier, door, delete)
    assert door.files == {}
    assert door.heard[0][:2] == ("DELETE", f"{MEDIA}/a/b.png")


def test_a_file_that_is_not_there_is_named(carrier, door, get):
    for talking in (get, delete):
        with pytest.raises(RequestFailed, match=r"there is no media file 'a\.png'"):
            talk(carrier, door, talking)


def test_after_48_hours_a_file_is_not_there(get):
    clock = StoppedClock(NOON)
    door = Door(clock=clock)

    async def in_time_and_too_late(client):
        await upload(client)
        clock.advance_to(48 * 3_600 - 1)
        assert await get(client) == 1
        clock.advance_to(48 * 3_600)
        with pytest.raises(RequestFailed, match=r"there is no media file 'a\.png'"):
            await get(client)

    talk_in_process(door, in_time_and_too_late)


# --- what is refused ------------------------------------------------------------------------------


def test_a_revoked_token_is_renewed_once(carrier, door, picture):
    async def upload(client):
        await client.media.upload("a.png", b"old", content_type="image/png")
        door.simulator.state.gate.revoke()
        await client.media.upload("a.png", picture, content_type="image/png")

    talk(carrier, door, upload)
    assert door.files["a.png"][1] == BIG
    assert door.statuses == [204, 401, 204]


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        (Credentials(basic=("somebody", "else")), 401),
        (Credentials(forbidden=True), 403),
        (Credentials(account_id="another"), 403),
    ],
)
def test_without_permission_it_is_a_matter_of_credentials(operation, credentials, status):
    door = Door(credentials=credentials)

    with pytest.raises(CredentialsError, match=f"HTTP {status}"):
        talk_in_process(door, operation)

    assert door.statuses == [status]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again_and_a_wait_is_obeyed(door, operation, status):
    door.put("a.png")
    door.refusals = [(status, {"Retry-After": "1"})]

    began = time.monotonic()
    talk_in_process(door, operation)

    assert time.monotonic() - began >= 1
    assert len(door.heard) == 2


def test_an_upload_that_was_refused_is_sent_whole_again(carrier, door, picture):
    door.refusals = [(500, {})]

    async def upload(client):
        await client.media.upload("a.png", picture, content_type="image/png")

    talk(carrier, door, upload)
    assert door.files["a.png"][1] == BIG


@pytest.mark.parametrize("status", [400, 404, 405, 406, 413, 415])
def test_what_will_not_pass_is_asked_once_and_said(door, operation, status):
    door.put("a.png")
    door.refusals = [(status, {})]

    with pytest.raises(RequestFailed, match=rf"media|HTTP {status} some-trouble") as caught:
        talk_in_process(door, operation)

    assert caught.value.http_status == status
    assert len(door.heard) == 1


def test_a_wait_of_hours_is_not_waited_for(carrier, door):
    door.refusals = [(429, {"Retry-After": "7200"})]

    with pytest.raises(RequestFailed, match="HTTP 429") as caught:
        talk(carrier, door, delete)

    assert caught.value.retry_after_seconds == 7200


@pytest.mark.parametrize("name", ["", "/a", "a//b", "../a", "a/./b", "a/", "a\nb"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(door, name, carrier):
    async def delete(client):
        await client.media.delete(name)

    with pytest.raises(UsageError, match="no name"):
        talk(carrier, door, delete)

    assert door.heard == []


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
