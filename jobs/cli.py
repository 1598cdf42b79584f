"""The command line: one command a file, errors as sentences, exit codes as promised.

0 done   1 unexpected   2 bad usage or input   3 some rejected or failed   4 credentials
5 stopped before the end: run it again   6 rows in doubt   7 another run holds the campaign
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import click
import typer

from jobs import console
from pipeline.errors import BandcastError

#: Every command is the function `run` of the module of its name.
COMMANDS = ("estimate", "send", "status", "results", "simulate", "segments")

_INTERRUPTED = 5


def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Send SMS and MMS through Bandwidth: never twice, never lost, priced before the first."""
    if show_version:
        console.paper.print(f"bandcast {version('bandcast')}")
        raise typer.Exit


def make_app(commands: tuple[str, ...] = COMMANDS) -> typer.Typer:
    """Build the command line with these commands; only their modules are imported."""
    app = typer.Typer(
        name="bandcast",
        callback=_root,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in commands:
        app.command(name)(import_module(f"jobs.{name}").run)

    return app


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code."""
    wanted = tuple(word for word in sys.argv[1:2] if word in COMMANDS)
    console.set_up_logging(quiet="--quiet" in sys.argv)
    sys.exit(_run(make_app(wanted or COMMANDS)))


def _run(app: typer.Typer) -> int:
    try:
        code = app(standalone_mode=False)
    except BandcastError as error:
        console.print_error(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.margin.print("interrupted")
        return _INTERRUPTED
    except Exception as error:  # the last fence: a sentence, never a traceback
        console.print_unexpected(error)
        return 1

    return code or 0
