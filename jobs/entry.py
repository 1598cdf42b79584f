"""The way in: `bandcast` and `python -m jobs` begin here.

What the commands need takes a moment to be imported. Nothing here does, so that an interrupt is
answered from the first moment on; while it is not, Python would print where it was.
"""

from __future__ import annotations

import os
import signal
import sys

#: What a command says that a signal ends, and its exit code.
INTERRUPTED = "interrupted: run the same command again to go on"
STOPPED = 5

#: The same for ``--json``.
_DOCUMENT = f'{{"error": "{INTERRUPTED}", "exit_code": {STOPPED}}}\n'

_STDOUT, _STDERR = 1, 2


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code; an interrupt is code 5."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end_at_once)

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
    """Answer an interrupt before any command has begun: nothing is there to be tidied up."""
    signal.signal(signal.SIGINT, do_nothing)  # it is said once
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
