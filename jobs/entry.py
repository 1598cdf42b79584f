"""The way in: `bandcast` and `python -m jobs` begin here.

What the commands need takes a moment to be imported. Nothing here does, so that a signal is
answered from the first moment on; while an interrupt is not, Python would print where it was.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

#: What a command says that a signal ends, and its exit code.
INTERRUPTED = "interrupted: run the same command again to go on"
STOPPED = 5

#: The signals that end a command, and what Python does about them where nobody says otherwise.
DEFAULTS: dict[signal.Signals, Callable[[int, FrameType | None], object] | signal.Handlers] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}

#: The same for ``--json``.
_DOCUMENT = f'{{"error": "{INTERRUPTED}", "exit_code": {STOPPED}}}\n'

_STDOUT, _STDERR = 1, 2


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code; a signal is code 5."""
    for number, default in DEFAULTS.items():
        if signal.getsignal(number) is default:  # what is ignored stays so (nohup)
            signal.signal(number, end_at_once)

    from jobs import cli  # noqa: PLC0415 - not before an interrupt can be answered

    try:
        try:
            cli.main()
        finally:  # the command has its result
            signal.signal(signal.SIGINT, do_nothing)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # also when Python puts handlers away
    except KeyboardInterrupt:  # another one, after the first was answered
        os._exit(STOPPED)


def options() -> list[str]:
    """Return the words of the command line that can be options."""
    words = sys.argv[1:]
    return words[: words.index("--")] if "--" in words else words


def end_at_once(*_: object) -> None:
    """Answer a signal before any command has begun: nothing is there to be tidied up."""
    for number in DEFAULTS:
        signal.signal(number, do_nothing)  # it is said once

    try:
        os.write(_STDERR, f"{INTERRUPTED}\n".encode())
        if "--json" in options():
            os.write(_STDOUT, _DOCUMENT.encode())
    finally:  # also where nobody is there to read it
        os._exit(STOPPED)


def do_nothing(*_: object) -> None:
    """Take an interrupt after the one that counted.

    Not SIG_IGN: of an interrupt that came just before, Python would say that it was ignored.
    """
