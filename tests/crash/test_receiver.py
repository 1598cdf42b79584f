"""The receiver under attack: killed between event and answer, and fed with what is no event.

Real processes. The poster repeats what was not answered with a 2xx, as the provider does for 24
hours; afterwards every event is in the journal exactly once.
"""

import asyncio
import base64
import json
import random
import signal
import threading
import time
from urllib.parse import urlsplit

from tests.jobs.receiving import (
    anonymous_kib,
    event,
    free_port,
    kept,
    post,
    said,
    start_receiver,
)
from tests.jobs.shell import start

# --- Killed --------------------------------------------------------------------------------------

EVENTS, POSTERS, KILLS = 3_000, 16, 6


class Provider:
    """Posts every event until it is answered."""

    def __init__(self, url):
        self.url, self.cut = url, 0
        self.waiting = list(range(EVENTS))
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(POSTERS)]

    def work(self):
        while True:
            with self.lock:
                if not self.waiting:
                    return

                number = self.waiting.pop()

            self.deliver(number, said(number, "hi") if number % 3 == 0 else event(number))

    def deliver(self, number, body):
        while True:
            try:
                if post(self.url, body) == 204:
                    return
            except ConnectionRefusedError:
                time.sleep(0.05)
            except OSError:  # it had the request, or a part of it
                self.cut += 1


def test_no_event_is_lost_or_kept_twice_when_the_receiver_is_killed(tmp_path):
    port, dice = free_port(), random.Random(5)
    env = {"BANDCAST_JOURNAL": "sqlite:///journal.db"}
    command = ("receive", "--port", port, "--quiet")
    provider = Provider(f"http://127.0.0.1:{port}/")
    for thread in provider.threads:
        thread.start()

    kills = 0
    receiver = start(tmp_path, *command, env=env)
    try:
        while kills < KILLS and provider.waiting:
            before = len(provider.waiting)
            while len(provider.waiting) == before:
                time.sleep(0.005)

            time.sleep(dice.uniform(0, 0.1))
            receiver.send_signal(signal.SIGKILL)
            receiver.communicate()
            kills += 1
            receiver = start(tmp_path, *command, env=env)

        for thread in provider.threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "an event was never answered"
    finally:
        receiver.kill()
        receiver.communicate()

    assert kills == KILLS
    assert provider.cut > 0, "no kill came between an event and its answer"
    receipts, inbound = kept(tmp_path)
    assert sorted(receipts) == sorted(f"id-{n}" for n in range(EVENTS) if n % 3)
    assert sorted(inbound) == sorted(f"id-{n}" for n in range(EVENTS) if n % 3 == 0)


# --- Hostile bodies ------------------------------------------------------------------------------

BODIES, CONNECTIONS = 10_000, 8
#: What the allocator may keep for itself once every kind of body has been seen.
GROWTH_KIB = 8 * 1024
CREDENTIALS = {"BW_CALLBACK_USERNAME": "bandwidth", "BW_CALLBACK_PASSWORD": "secret"}
RIGHT = b"Basic " + base64.b64encode(b"bandwidth:secret")
HUGE = 10**40
#: Field of an event, or of its message -> values that nobody may take for one.
WRONG = {
    "time": (None, [], {}, "", "yesterday", "2026-13-01T00:00:00Z", HUGE),
    "type": (None, 3, [], {}),
    "to": (None, 3, [], {}),
    "message": (None, 3, "", [], {}),
    "errorCode": (HUGE, -1, 1.5, "x", [], {}),
    "description": (None, 3, []),
    "message.id": (None, 3, [], {}),
    "message.segmentCount": (HUGE, -1, 1.5, "x", []),
    "message.tag": (3, [], {}),
    "message.to": (None, 3, {}, [3]),
}
KINDS = ("message-delivered", "message-failed", "message-sent", "message-received")


def wrong_type(dice):
    (document,) = json.loads(event(dice.randrange(10**6), dice.choice(KINDS)))
    field = dice.choice(list(WRONG))
    value, (*inside, name) = dice.choice(WRONG[field]), field.split(".")
    (document["message"] if inside else document)[name] = value
    return json.dumps(document if dice.random() < 0.5 else [document]).encode()


HOSTILE = {
    "wrong types": (300, wrong_type),
    "deep arrays": (20, lambda dice: b"[" * dice.randrange(1_000, 200_000)),
    "deep objects": (20, lambda dice: b'{"type":' * dice.randrange(1_000, 50_000)),
    "huge": (5, lambda dice: b'[{"type": "' + b"x" * (1_048_576 + dice.randrange(99_999)) + b'"}]'),
    "huge and of zeros": (5, lambda _: b"[" + b"0," * 500_000 + b"0]"),
    "noise": (200, lambda dice: b"\xff" + dice.randbytes(dice.randrange(0, 4_000))),
    "UTF-16": (50, lambda _: event(1).decode().encode("utf-16")),
    "broken UTF-8": (100, lambda _: event(1).replace(b"+1919", b"\xc3\x28\xed\xa0\x80")),
    "half a surrogate": (50, lambda _: event(1).replace(b'"ok"', b'"\\ud800"')),
    "cut": (100, lambda dice: event(1)[: dice.randrange(0, 150)]),
    "not JSON": (50, lambda dice: b"a=1&b=" + b"%00" * dice.randrange(500)),
    "wrong credentials": (100, lambda dice: event(dice.randrange(10**6))),
}


def hostile(count, dice):
    """Yield bodies with the credentials they come with."""
    weights = [weight for weight, _ in HOSTILE.values()]
    for name in dice.choices(list(HOSTILE), weights, k=count):
        stranger = name == "wrong credentials"
        yield HOSTILE[name][1](dice), dice.choice(STRANGERS) if stranger else RIGHT, name


STRANGERS = (b"", b"Basic", b"Basic " + b"A" * 5_000, b"Bearer x", b"Basic \xff", RIGHT[:-1])


async def attack(url, bodies):
    """Post everything over a few connections; returns kind -> statuses."""
    seen = {}

    async def work():
        where = urlsplit(url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for body, credentials, name in bodies:
            head = b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % (credentials, len(body)) + body)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
            seen.setdefault(name, set()).add(int(answer.split()[1]))
            length = int(answer.lower().partition(b"content-length: ")[2].split(b"\r")[0] or 0)
            await reader.readexactly(length)

        writer.close()
        await writer.wait_closed()

    async with asyncio.timeout(300), asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(work())

    return seen


def test_ten_thousand_hostile_bodies_are_refused_and_leave_no_memory_behind(tmp_path):
    process, url = start_receiver(tmp_path, env=CREDENTIALS)
    try:
        warmed = asyncio.run(attack(url, hostile(BODIES // 5, random.Random(1))))
        before = anonymous_kib(process.pid)
        seen = asyncio.run(attack(url, hostile(BODIES, random.Random(2))))
        after = anonymous_kib(process.pid)
        assert post(url, event(7), {"Authorization": RIGHT.decode()}) == 204
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    print(f"RssAnon {before:,} KiB before, {after:,} KiB after")
    assert warmed.keys() == seen.keys() == HOSTILE.keys()
    statuses = {name: answers for name, answers in seen.items() if answers != {400}}
    assert statuses == {"huge": {413}, "wrong credentials": {401}}
    assert after - before < GROWTH_KIB
    assert kept(tmp_path) == [["id-7"], []]
