"""What a signal does to a command: it ends at once and leaves nothing behind, or a run hears it.

Python's handler raises nothing, so nothing is raised in the middle of polars, nor of tidying up: it
only notes the signal in a socket. Who holds the ear reads the notes: a thread that ends the
process, however long a call of polars takes, or `hearing`, while messages are in flight.

timeout(1) signals its command and then their group, and wrappers pass on what the terminal has told
everybody: what comes at once after a signal that was heard is that signal again.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

import anyio

from jobs import console, entry
from pipeline import passing

#: How long after a signal the next one is its echo; an impatient person takes longer.
_ECHO_SECONDS = 0.2

_ear = threading.Lock()
#: Where the notes of this command are read, the innermost last.
_notes: list[socket.socket] = []


class _Heard:
    """When `hearing` told somebody of a signal last (monotonic seconds)."""

    at = float("-inf")


@contextmanager
def interrupting() -> Iterator[None]:
    """End the process on a signal: what only passes is removed, a sentence said, exit code 5.

    What is ignored stays so (nohup). For the main thread; where `hearing` is, it ends nothing.
    """
    before = {number: signal.getsignal(number) for number in entry.DEFAULTS}
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)

    watch = threading.Thread(target=_watch, args=(reading, console.keep_stderr()), daemon=True)
    earlier = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    for number, handler in before.items():  # also where ignored: polars has put its own there
        signal.signal(number, signal.SIG_IGN if handler is signal.SIG_IGN else _note)

    _notes.append(reading)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)

        writing.close()
        watch.join()
        _notes.remove(reading)
        reading.close()


@contextmanager
def hearing() -> Iterator[Callable[[], Awaitable[signal.Signals]]]:
    """Hear signals in an event loop inside `interrupting`; none of them ends the process meanwhile.

    Yields:
        What waits for the next one, but for echoes and for those that are ignored.
    """
    with _ear:
        yield partial(_next_signal, _notes[-1])


async def _next_signal(notes: socket.socket) -> signal.Signals:
    while True:
        await anyio.wait_readable(notes)
        if (note := notes.recv(1)) and not _is_echo():
            _Heard.at = time.monotonic()
            return signal.Signals(note[0])


def _is_echo() -> bool:
    return time.monotonic() < _Heard.at + _ECHO_SECONDS


def _note(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the socket already, also where this has to wait."""


def _watch(notes: socket.socket, stderr: int) -> None:
    """End the process on the first note that nobody else hears; return where no more can come."""
    while True:
        select.select([notes], [], [])
        with _ear:
            try:
                note = notes.recv(1)
            except BlockingIOError:  # it was heard
                continue

            if note and _is_echo():
                continue

            if note:
                _end(stderr)

            os.close(stderr)
            return


def _end(stderr: int) -> None:
    passing.remove_all()
    console.say_last(entry.INTERRUPTED, entry.STOPPED, stderr)
    os._exit(entry.STOPPED)
