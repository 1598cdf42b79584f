"""The command line: one command a file, errors as sentences, exit codes as promised.

0 done   1 unexpected   2 bad usage or input   3 some rejected or failed   4 credentials
5 stopped before the end: run it again   6 rows in doubt   7 another run holds the campaign
"""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from jobs import console
from pipeline.errors import BandcastError

#: Every command is the function `run` of the module of its name.
COMMANDS = (
    "estimate",
    "send",
    "receive",
    "status",
    "results",
    "reconcile",
    "release",
    "pause",
    "resume",
    "simulate",
    "segments",
    "errors",
    "suppress",
    "media",
    "messages",
)

_UNEXPECTED, _USAGE, _INTERRUPTED = 1, 2, 5


def _root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Send SMS and MMS through Bandwidth: never twice, never lost, priced before the first."""
    if show_version:
        console.paper.print(f"bandcast {version('bandcast')}")
    elif context.invoked_subcommand is None:
        sys.stdout.write(context.get_help())


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
    console.accept_any_letter()
    console.set_up_logging(quiet="--quiet" in sys.argv)
    sys.exit(_run(make_app(wanted or COMMANDS)))


def _run(app: typer.Typer) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("bandcast", sys.argv[1:]) as context:
            return command.invoke(context) or 0
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:
        return _explained(_first(error))


def _first(error: BaseException) -> BaseException:
    """Return what went wrong first of all that tasks side by side reported together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]

    return error


def _explained(error: BaseException) -> int:
    """Say it in a sentence, never in a traceback; return the exit code."""
    match error:
        case typer.Exit():
            return error.exit_code
        case typer.Abort():
            console.margin.print("nothing was sent")
            return _INTERRUPTED
        case KeyboardInterrupt():
            console.margin.print("interrupted: run the same command again to go on")
            return _INTERRUPTED
        case typer.TyperException():
            path = getattr(getattr(error, "ctx", None), "command_path", "bandcast")
            sentence = " ".join(error.format_message().split()).rstrip(".")
            console.print_error(f"{sentence}; '{path} --help' tells what there is")
            return _USAGE
        case BandcastError():
            console.print_error(str(error))
            return error.exit_code
        case BrokenPipeError():
            console.stop_printing()
            return _UNEXPECTED
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO):
            console.print_error(
                f"the output cannot be written ({error.strerror}): make room and run the same "
                "command again; what was sent is in the journal"
            )
            console.stop_printing()
            return _UNEXPECTED
        case _:
            console.print_unexpected(error)
            return _UNEXPECTED
