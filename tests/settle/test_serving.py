"""Who holds connections and asks nothing does not keep the provider out."""

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipeline.settle import serving
from pipeline.simulator.server import listen

WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


async def answer(request):
    await request.body()
    return Response(status_code=204)


APP = Starlette(routes=[Route("/", answer, methods=["POST"])])


async def ask(port, request):
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(request)
        with anyio.fail_after(5):
            return (await stream.receive())[:12]


@pytest.mark.parametrize(
    "half",
    [b"", b"POST / HT", WHOLE[:-1], WHOLE + WHOLE[:20]],
    ids=["nothing", "half a head", "half a body", "half a second request"],
)
def test_a_connection_that_is_only_held_is_closed_and_makes_room(monkeypatch, half):
    monkeypatch.setattr(serving, "MOST_REQUESTS", 4)
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 0.2)

    async def story():
        listener = listen()
        port = listener.getsockname()[1]
        async with serving.listening(APP, listener):
            held = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(3)]
            for stream in held:
                await stream.send(half) if half else None

            await anyio.sleep(0.05)
            full = await ask(port, WHOLE)
            await anyio.sleep(0.6)
            free = await ask(port, WHOLE)
            for stream in held:
                await stream.aclose()

        listener.close()
        return full, free

    assert anyio.run(story) == (b"HTTP/1.1 503", b"HTTP/1.1 204")


def test_a_request_that_takes_its_time_to_be_answered_is_not_cut_off(monkeypatch):
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 0.05)

    async def slow(request):
        await request.body()
        await anyio.sleep(0.5)
        return Response(status_code=204)

    async def story():
        app, listener = Starlette(routes=[Route("/", slow, methods=["POST"])]), listen()
        async with serving.listening(app, listener):
            found = await ask(listener.getsockname()[1], WHOLE)

        listener.close()
        return found

    assert anyio.run(story) == b"HTTP/1.1 204"
