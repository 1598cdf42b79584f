"""bandcast receive: delivery receipts and replies by webhook, on a port, into the journal.

Runs beside `send` on the same journal, and for four days after it: a receipt may come 73 hours
after its message, and is repeated for 24 more.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from anyio.abc import TaskStatus

from jobs import accounts, console, options
from jobs.signals import hearing, interrupting
from pipeline.account import (
    CALLBACK_PASSWORD,
    CALLBACK_USERNAME,
    Account,
    is_loopback,
    load_callback_credentials,
)
from pipeline.bandwidth.client import client_of
from pipeline.errors import CredentialsError, SettingsError, UsageError
from pipeline.journal import Journal, Pace, open_journal
from pipeline.journal.batches import COMMIT_TIME
from pipeline.journal.committer import Committer
from pipeline.journal.opening import find_path
from pipeline.model import Inbound
from pipeline.prepare.segments import count_segments
from pipeline.settle.callers import Guard
from pipeline.settle.receipts import Events, Receiver, keep_events
from pipeline.settle.replies import HelpDesk
from pipeline.settle.serving import listening
from pipeline.simulator.server import listen

_REPORT_SECONDS = 60.0
#: How long answers to HELP that wait at the end get.
_LAST_ANSWERS_SECONDS = 10.0
_MOST_CHARACTERS = 2_048

#: A provider with few connections waits for each answer: lingering longer would set its pace.
_LINGER_SECONDS = 0.001

#: A receiver begins no attempts: its committer needs a pace and a lease, and uses neither.
_NO_PACE, _NO_LEASE = Pace(account="", rate_segments_per_second=1), 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """How HELP is answered."""

    text: str
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Where to listen, how, and to whom."""

    listener: socket.socket
    guard: Guard | None
    certfile: Path | None
    keyfile: Path | None


@interrupting()
def run(
    campaign: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CAMPAIGN]",
            help="A campaign's file: the journal is the one beside it.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    help_text: Annotated[
        str | None,
        typer.Option(help="Answer HELP with this text, once each; needs an account that sends."),
    ] = None,
    certfile: Annotated[
        Path | None,
        typer.Option(help="TLS certificate (PEM), where no reverse proxy does TLS."),
    ] = None,
    keyfile: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    profile: accounts.Profile = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Take delivery receipts and replies: STOP suppresses, START lifts, HELP may be answered."""
    if campaign is not None and not campaign.is_file():
        raise SettingsError([f"there is no file '{campaign}', so no journal beside it"])

    url, text = options.journal_url(campaign), _checked(help_text)
    help_ = Help(text=text, account=accounts.account_of(profile)) if text else None
    door = _port(host, port, certfile, keyfile)
    with closing(door.listener), closing(open_journal(url)) as journal:
        report = anyio.run(lambda: _receive(journal, door, help_, find_path(url), quiet=quiet))

    if as_json:
        console.print_json(report)

    return 0


def _checked(help_text: str | None) -> str | None:
    if help_text is not None and not 0 < len(help_text.strip()) <= _MOST_CHARACTERS:
        raise UsageError(f"--help-text must have 1 to {_MOST_CHARACTERS:,} characters")

    return help_text


def _port(host: str, port: int, certfile: Path | None, keyfile: Path | None) -> Port:
    """Check everything that can be wrong before the port is taken."""
    credentials = load_callback_credentials(os.environ)
    if credentials is None and not is_loopback(host):
        raise CredentialsError(
            f"listening on {host} without credentials would let anybody write receipts and STOPs: "
            f"set {CALLBACK_USERNAME} and {CALLBACK_PASSWORD} as in the application's settings, or "
            "listen on 127.0.0.1 behind a proxy that checks them"
        )

    _check_certificate(certfile, keyfile)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}") from None

    guard = None if credentials is None else Guard(credentials)
    return Port(listener=listener, guard=guard, certfile=certfile, keyfile=keyfile)


def _check_certificate(certfile: Path | None, keyfile: Path | None) -> None:
    if certfile is None and keyfile is None:
        return

    if certfile is None or keyfile is None:
        raise UsageError("--certfile and --keyfile belong together: give both or none")

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certfile, keyfile)
    except ssl.SSLError:
        raise UsageError("--certfile, --keyfile: this is no PEM certificate with its key") from None
    except OSError as error:
        raise UsageError(f"--certfile, --keyfile: {error.strerror}") from None


async def _receive(
    journal: Journal, door: Port, help_: Help | None, path: Path, *, quiet: bool
) -> dict[str, Any]:
    """Receive until a signal, or until the journal fails; return what came.

    Raises:
        JournalError: the journal can record no more; the provider repeats what was not answered.
    """
    committer = Committer(
        journal,
        pace=_NO_PACE,
        lease_seconds=_NO_LEASE,
        clock=_now,
        linger_seconds=_LINGER_SECONDS,
    )

    async def keep(events: Events) -> list[Inbound]:
        return await committer.call(lambda journal: keep_events(journal, events, now=_now()))

    began = time.monotonic()
    async with committer, _help_desk(help_, committer) as desk:
        receiver = Receiver(keep, guard=door.guard, told=desk.ask if desk else None)
        serving = listening(
            receiver.app, door.listener, certfile=door.certfile, keyfile=door.keyfile
        )
        async with serving as address, anyio.create_task_group() as attendants:
            await attendants.start(_end_on_signal, attendants.cancel_scope)
            if not quiet:
                said = f"receiving at {address} into {path}; stop with Ctrl-C"
                console.margin.print(said, markup=False)
                attendants.start_soon(_report_counts, receiver)

            await receiver.failed.wait()
            attendants.cancel_scope.cancel()

    return _document(receiver, desk, time.monotonic() - began)


@asynccontextmanager
async def _help_desk(help_: Help | None, committer: Committer) -> AsyncIterator[HelpDesk | None]:
    """Yield who answers HELP, None where nobody does; what waits at the end is answered."""
    if help_ is None:
        yield None
        return

    account, segments = help_.account, count_segments(help_.text).segments

    async def slot(segments: int) -> None:
        at = await committer.call(
            lambda journal: journal.reserve(
                account.account_id, segments=segments, now=_now() + COMMIT_TIME
            )
        )
        await anyio.sleep((at - _now()).total_seconds())

    async def taken(message_id: str) -> None:
        await committer.call(lambda journal: journal.set_apart(message_id))

    async with client_of(account, lanes=1) as client, anyio.create_task_group() as tasks:
        desk = HelpDesk(client, slot=slot, taken=taken, text=help_.text, segments=segments)
        tasks.start_soon(desk.run)
        yield desk
        desk.close()
        tasks.cancel_scope.deadline = anyio.current_time() + _LAST_ANSWERS_SECONDS


async def _end_on_signal(
    run: anyio.CancelScope, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with hearing() as next_signal:
        task_status.started()
        await next_signal()
        run.cancel()


async def _report_counts(receiver: Receiver) -> None:
    """Say once a minute how many of what came, where anything did."""
    before = _counts(receiver)
    while True:
        await anyio.sleep(_REPORT_SECONDS)
        now = _counts(receiver)
        if news := now - before:
            said = ", ".join(f"{count:,} {name}" for name, count in sorted(news.items()))
            console.margin.print(f"{datetime.now().astimezone():%H:%M} {said}", markup=False)

        before = now


def _counts(receiver: Receiver) -> Counter[str]:
    refused = {f"refused with {status}": count for status, count in receiver.refused.items()}
    return Counter({**receiver.events, **refused})


def _document(receiver: Receiver, desk: HelpDesk | None, seconds: float) -> dict[str, Any]:
    return {
        "events": dict(sorted(receiver.events.items())),
        "refused": {str(status): count for status, count in sorted(receiver.refused.items())},
        "help_answers": dict(sorted(desk.answers.items())) if desk else {},
        "duration_seconds": round(seconds, 3),
    }


def _now() -> datetime:
    return datetime.now(UTC)
