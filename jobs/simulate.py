"""bandcast simulate: the Bandwidth Messaging API on a port, without a provider."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from starlette.applications import Starlette

from jobs import console
from pipeline.errors import SettingsError, UsageError
from pipeline.simulator import magic
from pipeline.simulator.access import Credentials
from pipeline.simulator.account_queue import QUEUE_SECONDS
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import TEXT_SHARES, Behaviour, Fault
from pipeline.simulator.clock import Clock, RunningClock, StoppedClock
from pipeline.simulator.listing import PageSizes
from pipeline.simulator.media import MEGABYTE, MediaLimits
from pipeline.simulator.segments import Counting
from pipeline.simulator.server import listen, serve
from pipeline.simulator.validation import MOST_RECIPIENTS, USUAL_RECIPIENTS

#: A clock that is stopped in these years can still be moved.
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def run(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    faults: Annotated[
        str,
        typer.Option(
            help="Shares of trouble, for example lost=0.01,busy=0.05,latency=80. Of answers: "
            f"{', '.join(Fault)}. Of texts: {', '.join(TEXT_SHARES)}. Of callbacks: late, "
            "duplicate, reorder, unreceipted, sent, sending. Also how segments are "
            f"counted: count= one of {', '.join(Counting)}."
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="The same seed makes the same trouble.")] = 1,
    rate: Annotated[
        float | None, typer.Option(help="Segments per second of the account; none: unlimited.")
    ] = None,
    queue_seconds: Annotated[
        float, typer.Option(help="What the account's queue holds, in seconds at that rate.")
    ] = QUEUE_SECONDS,
    time_scale: Annotated[
        float, typer.Option(help="How fast time passes: with 1000 a day takes 86 seconds.")
    ] = 1.0,
    stopped_at: Annotated[
        str | None,
        typer.Option(
            help="Stop the clock at this moment (2026-01-31T12:00:00Z): only POST /_clock lets "
            "time pass, and the same requests get the same answers, byte for byte."
        ),
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where delivery receipts and texts to us are POSTed.")
    ] = None,
    callback_user: Annotated[
        str | None, typer.Option(help="With --callback-password: Basic credentials for that URL.")
    ] = None,
    callback_password: Annotated[
        str | None, typer.Option(help="With --callback-user. Anything but a real secret.")
    ] = None,
    max_recipients: Annotated[
        int,
        typer.Option(min=1, max=MOST_RECIPIENTS, help="Most recipients of one (group) message."),
    ] = USUAL_RECIPIENTS,
    text_required: Annotated[
        bool,
        typer.Option(
            "--text-required", help="Refuse pictures without a text, as older documents say."
        ),
    ] = False,
    page_size: Annotated[
        int, typer.Option(help="Items on a page of the listing; older documents say 50.")
    ] = PageSizes().usual,
    max_page_size: Annotated[
        int, typer.Option(help="Most items that may be asked for; older documents say 1000.")
    ] = PageSizes().most,
    media_mb: Annotated[
        float, typer.Option(help="Most megabytes of one media file; older documents say 3.75.")
    ] = 3.5,
    media_hours: Annotated[
        float, typer.Option(help="How long a media file is kept after its upload.")
    ] = 48.0,
    account_id: Annotated[
        str | None, typer.Option(help="The only account there is: others get a 403. None: any.")
    ] = None,
    username: Annotated[
        str | None, typer.Option(help="With --password: whose Basic is taken. None: anyone's.")
    ] = None,
    password: Annotated[
        str | None, typer.Option(help="With --username. Anything but a real secret.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="With --client-secret: who gets a token. None: anyone.")
    ] = None,
    client_secret: Annotated[
        str | None, typer.Option(help="With --client-id. Anything but a real secret.")
    ] = None,
) -> None:
    """Run the simulator until it is interrupted.

    Beside the API it has GET /_ledger (what each handset received), POST /_inbound (a handset texts
    us), POST /_ledger/reset and POST /_clock.
    """
    app = _app(
        faults=faults,
        seed=seed,
        rate=rate,
        queue_seconds=queue_seconds,
        clock=_clock(time_scale, stopped_at),
        callback_url=callback_url,
        callback_auth=_pair("callback-user", callback_user, "callback-password", callback_password),
        max_recipients=max_recipients,
        text_required=text_required,
        pages=_pages(page_size, max_page_size),
        media=_media(media_mb, media_hours),
        credentials=Credentials(
            account_id=account_id,
            basic=_pair("username", username, "password", password),
            client=_pair("client-id", client_id, "client-secret", client_secret),
        ),
    )
    try:
        listener = listen(host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}") from None

    shown = f"[{host}]" if ":" in host else host
    origin = f"http://{shown}:{listener.getsockname()[1]}"
    console.margin.print(
        f"simulating the Bandwidth Messaging API at {origin}/api/v2 "
        f"(ledger: {origin}/_ledger); stop with Ctrl-C"
    )
    with suppress(KeyboardInterrupt):
        serve(app, listener)


# The help shows the magic numbers as their module does, in the indented lines of its docstring.
_SCHEME = "\n".join(line for line in (magic.__doc__ or "").splitlines() if line.startswith("    "))
run.__doc__ = f"""{run.__doc__}
    Some recipients always end in the same way:

    \b
{_SCHEME}
    """


def _app(
    *,
    faults: str,
    rate: float | None,
    queue_seconds: float,
    callback_url: str | None,
    **options: Any,
) -> Starlette:
    try:
        behaviour = Behaviour.parse(faults)
    except ValueError as error:
        raise SettingsError([f"--faults: {error}"]) from None

    if rate is not None and not 0 < rate < math.inf:
        raise SettingsError([f"--rate must be a number of segments per second above 0, not {rate}"])

    if not 0 < queue_seconds < math.inf:
        raise SettingsError([f"--queue-seconds must be a number above 0, not {queue_seconds}"])

    if callback_url is not None and not _is_address(callback_url):
        raise SettingsError(
            ["--callback-url must begin with http:// or https:// and a host (ports: 1 to 65535)"]
        )

    return make_app(
        behaviour, rate=rate, queue_seconds=queue_seconds, callback_url=callback_url, **options
    )


def _is_address(url: str) -> bool:
    try:
        return bool(re.fullmatch(r"https?://[^/\s:]\S*", url) and urlsplit(url).port != 0)
    except ValueError:
        return False


def _clock(time_scale: float, stopped_at: str | None) -> Clock:
    if stopped_at is None:
        try:
            return RunningClock(time_scale)
        except ValueError:
            raise SettingsError([f"--time-scale must be above 0, not {time_scale}"]) from None

    if time_scale != 1.0:
        raise SettingsError(["--stopped-at and --time-scale exclude each other: give one"])

    start = _moment(stopped_at)
    if start is None or not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        example = "2026-01-31T12:00:00Z"
        raise SettingsError(
            [f"--stopped-at must be a moment such as {example}, not '{stopped_at}'"]
        )

    return StoppedClock(start.astimezone(UTC))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None

    return moment if moment.tzinfo is not None else None


def _pages(usual: int, most: int) -> PageSizes:
    try:
        return PageSizes(usual=usual, most=most)
    except ValueError as error:
        raise SettingsError([f"--page-size, --max-page-size: {error}"]) from None


def _media(megabytes: float, hours: float) -> MediaLimits:
    for option, value in (("--media-mb", megabytes), ("--media-hours", hours)):
        if not 0 < value < math.inf:
            raise SettingsError([f"{option} must be a number above 0, not {value}"])

    return MediaLimits(file_bytes=round(megabytes * MEGABYTE), retention_seconds=hours * 3_600)


def _pair(
    name: str, value: str | None, secret_name: str, secret: str | None
) -> tuple[str, str] | None:
    if (value is None) != (secret is None):
        raise SettingsError([f"--{name} and --{secret_name} belong together: give both or none"])

    return (value, secret) if value is not None and secret is not None else None
