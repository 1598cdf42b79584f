"""bandcast simulate: the Bandwidth Messaging API on a port, without a provider."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Annotated

import typer

from jobs import console
from pipeline.errors import SettingsError, UsageError
from pipeline.simulator.access import Credentials
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.media import MEGABYTE, MediaLimits
from pipeline.simulator.segments import Counting
from pipeline.simulator.server import listen, serve
from pipeline.simulator.validation import MOST_RECIPIENTS, USUAL_RECIPIENTS


def run(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    faults: Annotated[
        str,
        typer.Option(
            help="Shares of trouble, for example lost=0.01,busy=0.05,latency=80. Also how segments "
            f"are counted: count= one of {', '.join(Counting)}."
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="The same seed makes the same trouble.")] = 1,
    rate: Annotated[
        float | None, typer.Option(help="Segments per second of the account; none: unlimited.")
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where delivery receipts are POSTed.")
    ] = None,
    max_recipients: Annotated[
        int,
        typer.Option(min=1, max=MOST_RECIPIENTS, help="Most recipients of one (group) message."),
    ] = USUAL_RECIPIENTS,
    media_mb: Annotated[
        float, typer.Option(help="Most megabytes of one media file; older documents say 3.75.")
    ] = 3.5,
    media_hours: Annotated[
        float, typer.Option(help="How long a media file is kept after its upload.")
    ] = 48.0,
    account_id: Annotated[
        str | None, typer.Option(help="The only account there is: others get a 403. None: any.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="With --client-secret: who gets a token. None: anyone.")
    ] = None,
    client_secret: Annotated[
        str | None, typer.Option(help="With --client-id. Anything but a real secret.")
    ] = None,
) -> None:
    """Run the simulator until it is interrupted."""
    try:
        behaviour = Behaviour.parse(faults)
    except ValueError as error:
        raise SettingsError([f"--faults: {error}"]) from None

    if rate is not None and not 0 < rate < math.inf:
        raise SettingsError([f"--rate must be a number of segments per second above 0, not {rate}"])

    media = _media(media_mb, media_hours)
    credentials = _credentials(account_id, client_id, client_secret)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}") from None

    origin = f"http://{host}:{listener.getsockname()[1]}"
    console.margin.print(
        f"simulating the Bandwidth Messaging API at {origin}/api/v2 "
        f"(ledger: {origin}/_ledger); stop with Ctrl-C"
    )
    app = make_app(
        behaviour,
        seed=seed,
        rate=rate,
        callback_url=callback_url,
        credentials=credentials,
        max_recipients=max_recipients,
        media=media,
    )
    with suppress(KeyboardInterrupt):
        serve(app, listener)


def _media(megabytes: float, hours: float) -> MediaLimits:
    for option, value in (("--media-mb", megabytes), ("--media-hours", hours)):
        if not 0 < value < math.inf:
            raise SettingsError([f"{option} must be a number above 0, not {value}"])

    return MediaLimits(file_bytes=round(megabytes * MEGABYTE), retention_seconds=hours * 3_600)


def _credentials(account_id: str | None, name: str | None, secret: str | None) -> Credentials:
    if (name is None) != (secret is None):
        raise SettingsError(["--client-id and --client-secret belong together: give both or none"])

    client = (name, secret) if name is not None and secret is not None else None
    return Credentials(account_id=account_id, client=client)
