"""What a user has: a folder with a campaign in it, and a shell that runs `bandcast` there."""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash import launch
from tests.crash.launch import environment

BANDCAST = str(Path(sys.executable).with_name("bandcast"))

CAMPAIGN = """
[campaign]
name = "spring"
recipients = "people.csv"
from = ["+19195550199"]
template = "Hi {name}, see you on Sunday."
[sending]
rate = 2000
[rates]
card = "card.toml"
"""

CARD = """
name = "test card"
currency = "USD"
[[price]]
channel = "sms"
sender = "default"
prefix = "1"
base = "0.004"
"""

AREAS = (212, 213, 312, 404, 415, 503, 512, 602, 617, 702)

#: What a command says that a signal ends.
SENTENCE = "interrupted: run the same command again to go on"

#: Recognisable, so that a test can look for them where they must not be.
SECRETS = {"BW_CLIENT_ID": "id-Quagga", "BW_CLIENT_SECRET": "secret-Okapi"}


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one document on stdout: anything before or behind it is an error."""
        return json.loads(self.out)

    def sentences(self):
        """What stderr says, without the log lines of a run that nobody watches."""
        return [line for line in self.err.splitlines() if line and not line[:4].isdigit()]


def number(person):
    return f"+1{AREAS[person % len(AREAS)]}55501{person // len(AREAS):02}"


def write_campaign(folder, *, people=20, text=CAMPAIGN):
    """Write a campaign with this many people and two rows more that nobody can be texted at."""
    rows = [f"Person{person},{number(person)}" for person in range(people)]
    rows[1:1] = ["Nobody,call the office", f"Again,{number(0)}"]
    (folder / "people.csv").write_text("name,phone\n" + "\n".join(rows) + "\n")
    (folder / "card.toml").write_text(CARD)
    (folder / "campaign.toml").write_text(text)


def start(folder, *arguments, env=None, **options):
    """Start `bandcast` in a folder, without a terminal."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [BANDCAST, *map(str, arguments)],
        cwd=folder,
        env=environment(**(env or {})),
        text=True,
        **(pipes | options),
    )


def finish(process, *, timeout=60):
    out, err = process.communicate(timeout=timeout)
    assert "Traceback" not in err
    return Finished(process.returncode, out, err)


def run(folder, *arguments, env=None):
    """Run `bandcast` in a folder to its end, in a process that is there at once.

    What is read before a command begins (PYTHON..., COLUMNS, FORCE_COLOR) takes a `start`.
    """
    with TemporaryDirectory() as passing:
        running = launch.start(arguments, env=env or {}, folder=Path(passing), cwd=folder)
        try:
            running.wait(60)
        finally:
            running.kill()

        assert "Traceback" not in running.err
        return Finished(running.code, running.out, running.err)


def wait_until(condition, process=None, *, seconds=30):
    """Wait for something that a running process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def tried(journal, where="1"):
    """How many messages of a journal were tried and meet a condition; 0 while it is being made."""
    if not journal.exists():
        return 0

    with closing(sqlite3.connect(journal)) as connection:
        try:
            (count,) = connection.execute(f"SELECT count(*) FROM message WHERE {where}").fetchone()
        except sqlite3.OperationalError:  # the tables are being made
            return 0

    return count


def listing(folder):
    """Every file below a folder with a digest of what is in it, and every directory."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "not a file"
        for path in folder.rglob("*")
    }


def account(url, **changes):
    """The environment that sends to a provider at this address."""
    return {
        "BW_ACCOUNT_ID": "9900000",
        "BW_APPLICATION_ID": "app",
        "BW_MESSAGING_URL": f"{url}/api/v2",
        "BW_TOKEN_URL": f"{url}/api/v1/oauth2/token",
        "BANDCAST_JOURNAL": "sqlite:///journal.db",
        **SECRETS,
        **changes,
    }


def ledger(url):
    with urllib.request.urlopen(f"{url}/_ledger?messages=1", timeout=30) as answer:
        return json.load(answer)
