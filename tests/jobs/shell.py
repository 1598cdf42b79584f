"""What a user has: a folder with a campaign in it, and a shell that runs `bandcast` there."""

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

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


def environment(**changes):
    """The environment of this process, without what it says about accounts and journals."""
    ours = ("BW_", "BANDCAST_")
    return {
        name: value for name, value in os.environ.items() if not name.startswith(ours)
    } | changes


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


def run(folder, *arguments, env=None, timeout=60, **options):
    """Run `bandcast` in a folder to its end."""
    with start(folder, *arguments, env=env, **options) as process:
        try:
            return finish(process, timeout=timeout)
        finally:
            process.kill()


def listing(folder):
    """Every file below a folder with a digest of what is in it, and every directory."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "not a file"
        for path in folder.rglob("*")
    }


@contextmanager
def simulating(*options):
    """`bandcast simulate` in a process of its own; yields its address."""
    command = [BANDCAST, "simulate", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline()
            yield line.split(" at ")[1].split("/api/v2")[0]
        finally:
            process.terminate()


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
