"""bandcast simulate: the Bandwidth Messaging API on a port, without a provider."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from jobs import console
from pipeline.errors import SettingsError, UsageError
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.server import listen, serve


def run(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    faults: Annotated[
        str, typer.Option(help="Shares of trouble, for example lost=0.01,busy=0.05,latency=80.")
    ] = "",
    seed: Annotated[int, typer.Option(help="The same seed makes the same trouble.")] = 1,
    rate: Annotated[
        float | None, typer.Option(help="Segments per second of the account; none: unlimited.")
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where delivery receipts are POSTed.")
    ] = None,
) -> None:
    """Run the simulator until it is interrupted."""
    try:
        behaviour = Behaviour.parse(faults)
    except ValueError as error:
        raise SettingsError([f"--faults: {error}"]) from None

    try:
        listener = listen(host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}") from None

    origin = f"http://{host}:{listener.getsockname()[1]}"
    console.margin.print(
        f"simulating the Bandwidth Messaging API at {origin}/api/v2 "
        f"(ledger: {origin}/_ledger); stop with Ctrl-C"
    )
    app = make_app(behaviour, seed=seed, rate=rate, callback_url=callback_url)
    with suppress(KeyboardInterrupt):
        serve(app, listener)
