"""`bandcast receive` in a process of its own, and a provider that posts to it by hand."""

import http.client
import json
import os
import signal
import socket
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.jobs.shell import start


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start_receiver(folder, *options, env=None, **more):
    """Start it on `journal.db` in a folder; returns the process and its address once it listens."""
    process = start(
        folder,
        "receive",
        "--port",
        "0",
        *options,
        env={"BANDCAST_JOURNAL": "sqlite:///journal.db", **(env or {})},
        **more,
    )
    line = process.stderr.readline()
    assert "receiving at" in line, line + process.stderr.read()
    return process, line.split(" at ")[1].split(" into ")[0]


@contextmanager
def receiving(folder, *options, env=None):
    """Run it for a block; yields the address."""
    process, url = start_receiver(folder, *options, env=env)
    try:
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def post(url, body, headers=None):
    """POST one body on a connection of its own; returns the status."""
    where = urlsplit(url)
    with closing(http.client.HTTPConnection(where.hostname, where.port, timeout=30)) as connection:
        connection.request("POST", where.path, body, headers or {})
        return connection.getresponse().status


def event(number, kind="message-delivered", *, to="+19195550123", **more):
    """One event as Bandwidth writes it, about the message `id-<number>`."""
    message = {"id": f"id-{number}", "text": "", "tag": "", "segmentCount": 1}
    document = {
        "time": "2026-11-21T09:00:00.000Z",
        "type": kind,
        "to": to,
        "description": "ok",
        "message": message | more.pop("message", {}),
    }
    return json.dumps([document | more]).encode()


def said(number, text, *, sender="+19195550123", time="2026-11-21T09:00:00.000Z"):
    """Somebody's text to our number."""
    message = {"from": sender, "text": text}
    return event(number, "message-received", to="+19195550100", message=message, time=time)


def kept(folder):
    """The message ids of the receipts and of the inbound messages in the journal."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return [
            [row[0] for row in connection.execute(f"SELECT message_id FROM {table}")]
            for table in ("receipt", "inbound")
        ]


def anonymous_kib(process_id):
    """Anonymous memory of a process in KiB."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1])


def pin(process_id, core):
    """Keep a process on one core, where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process_id, {cores[core % len(cores)]})
