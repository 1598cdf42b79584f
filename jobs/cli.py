"""The command line: one command a file, errors as sentences, exit codes as promised.

0 done   1 unexpected   2 bad usage or input   3 some rejected or failed   4 credentials
5 stopped before the end: run it again   6 rows in doubt   7 another run holds the campaign
"""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from jobs import console, entry
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

_UNEXPECTED, _USAGE = 1, 2


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
    options = entry.options()
    console.accept_any_letter()
    console.set_up_logging(quiet="--quiet" in options)
    console.expect_json(wanted="--json" in options)
    wanted = tuple(word for word in sys.argv[1:2] if word in COMMANDS)
    sys.exit(_run(lambda: make_app(wanted or COMMANDS)))


def _run(make: Callable[[], typer.Typer]) -> int:
    try:
        command = typer.main.get_command(make())
        _put_handlers_back()
        with command.make_context("bandcast", sys.argv[1:]) as context:
            return command.invoke(context) or 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich's: who read the help has gone
            return 0

        raise
    except BaseException as error:
        before = signal.signal(signal.SIGINT, entry.do_nothing) or signal.SIG_DFL  # one is enough
        try:
            return _explained(_first(error))
        finally:
            signal.signal(signal.SIGINT, before)


def _put_handlers_back() -> None:
    """Put Python's handlers over `entry`'s, and over polars's: in a call of it, that is a panic."""
    for number, default in entry.DEFAULTS.items():
        handler = signal.getsignal(number) or signal.SIG_DFL
        signal.signal(number, default if handler is entry.end_at_once else handler)


def _first(error: BaseException) -> BaseException:
    """Return what went wrong first of all that tasks side by side reported together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]

    return error


def _explained(error: BaseException) -> int:
    """Say it in a sentence, never in a traceback; return the exit code."""
    code, sentences, label = _USAGE, str(error), "error"
    match error:
        case typer.Exit(exit_code=code):
            return code
        case typer.Abort():
            code, sentences, label = entry.STOPPED, "nothing was sent", ""
        case KeyboardInterrupt():
            code, sentences, label = entry.STOPPED, entry.INTERRUPTED, ""
        case typer.TyperException():
            path = getattr(getattr(error, "ctx", None), "command_path", "bandcast")
            said = error.format_message().replace("Value error, ", "")
            sentence = " ".join(said.split()).rstrip(".")
            sentences = f"{sentence}; '{path} --help' tells what there is"
        case BandcastError():
            code = error.exit_code
        case BrokenPipeError():
            console.stop_printing()
            return _UNEXPECTED
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO):
            console.stop_printing()
            code = _UNEXPECTED
            sentences = (
                f"the output cannot be written ({error.strerror}): make room and run the same "
                "command again; what was sent is in the journal"
            )
        case _:
            code, label = _UNEXPECTED, "unexpected error"
            sentences = console.where_unexpected(error)

    console.print_failure(sentences, code, label=label)
    return code
