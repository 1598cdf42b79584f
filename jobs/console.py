"""What a person or a program reads: tables and one JSON document on stdout, all else on stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from select import select
from typing import IO, TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pipeline.estimate import Estimate

#: Attributes that every log record has; the others are our fields.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

_STDOUT, _STDERR = 1, 2
_SHOW_CURSOR = "\x1b[?25h"


class _Console(Console):
    """Goes on where its reader has gone: how the command ends is not the reader's to say."""

    def on_broken_pipe(self) -> None:
        _print_nowhere(self.file)


paper = _Console(soft_wrap=True, highlight=False, emoji=False)  #: stdout: what was asked for
#: stderr: what happens meanwhile
margin = _Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


class _Document:
    """The one document of ``--json``: whether it is wanted, and whether it was begun."""

    is_wanted = False
    is_begun = False


class _Fields(logging.Formatter):
    """A sentence for people, then ``name=value`` for machines."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        tail = "".join(f" {name}={value}" for name, value in fields.items())
        return super().format(record) + tail


def accept_any_letter() -> None:
    """Print a question mark for a letter that the encoding of stdout lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def set_up_logging(*, quiet: bool) -> None:
    """Log to stderr: every step where nobody watches, only trouble below a progress bar."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(message)s"))
    level = logging.WARNING if quiet or margin.is_terminal else logging.INFO
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "asyncio", "aiohttp.client", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def expect_json(*, wanted: bool) -> None:
    """Promise one document on stdout, also where the command fails before it has any."""
    _Document.is_wanted, _Document.is_begun = wanted, False


def print_json(document: Mapping[str, Any]) -> None:
    """Print the one document that ``--json`` promises."""
    _Document.is_begun = True
    try:
        sys.stdout.write(_spelled(document))
        sys.stdout.flush()
    except BrokenPipeError:
        stop_printing()


def stop_printing() -> None:
    """Let what is still to be printed go nowhere: whoever read stdout has gone."""
    _print_nowhere(sys.stdout)


def print_failure(sentences: str, exit_code: int, *, label: str = "error") -> None:
    """Say why the command failed: on stderr, and as the one document where none was printed."""
    sentences = "\n".join(printable(line) for line in sentences.split("\n"))
    print_error(sentences, label=label)
    if _lacks_document():
        print_json(_failure(sentences, exit_code))


def say_last(sentence: str, exit_code: int, stderr: int) -> None:
    """Say why the process ends at once, from any thread; waits for nobody.

    Args:
        sentence: For stderr, and for the one document where none was begun.
        exit_code: What the process ends with.
        stderr: A descriptor from `keep_stderr`.
    """
    _write_at_once(stderr, (_SHOW_CURSOR if os.isatty(stderr) else "") + sentence + "\n")
    if _lacks_document():
        _write_at_once(_STDOUT, _spelled(_failure(sentence, exit_code)))


def keep_stderr() -> int:
    """Return a descriptor of stderr as it is: who reads a file may silence it for a while."""
    try:
        return os.dup(_STDERR)
    except OSError:  # it is closed
        return os.open(os.devnull, os.O_WRONLY)


def print_error(sentences: str, *, label: str = "error") -> None:
    """Say what went wrong: a sentence on a line, and nothing else."""
    for line in sentences.split("\n"):
        said = escape(printable(line))
        margin.print(f"[bold red]{label}[/]: {said}" if label else said)


def where_unexpected(error: BaseException) -> str:
    """Say where a defect of ours showed itself, without the values it may hold."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return (
        f"{type(error).__name__} at {place}; this is a defect of bandcast. What was sent is in the "
        "journal: running the same command again is safe."
    )


def money(amount: float, currency: str) -> str:
    """Spell an amount: two decimals, or as many as it takes to show less than a cent."""
    text = f"{amount:,.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')} {currency}"


def duration(seconds: float) -> str:
    """Spell a duration for people: ``9 s``, ``12 min 30 s``, ``3 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"

    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"

    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def print_estimate(estimate: Estimate, *, plan: str) -> None:
    """Show a person what the campaign will send and cost, and where the plan is."""
    totals = estimate.totals
    table = _table(f"Estimate of '{estimate.settings.campaign.name}'")
    table.add_row("rows", f"{totals.rows:,}")
    table.add_row("messages", f"{totals.messages:,}")
    for reason, count in sorted(totals.skipped.items(), key=lambda item: -item[1]):
        table.add_row(f"  skipped: {reason}", f"{count:,}")

    if groups := estimate.groups:
        table.add_row("  in groups", f"{groups.recipients:,} in {groups.groups:,}")

    for encoding, count in sorted(totals.encodings.items()):
        table.add_row(f"  in {encoding}", f"{count:,}")

    rate = estimate.settings.rate_segments_per_second
    table.add_row("segments", f"{totals.segments:,}")
    table.add_row("cost", f"[bold]{money(float(estimate.cost), totals.currency)}[/]")
    if totals.cost_low_micros < totals.cost_high_micros:
        low, high = totals.cost_low_micros / 1e6, totals.cost_high_micros / 1e6
        table.add_row("  at least", money(low, totals.currency))
        table.add_row("  at most", money(high, totals.currency))
        for prefix, shares in estimate.card.mix.items():
            for name, share in shares.items():
                table.add_row(f"  assumed in {prefix}: {escape(name)}", f"{float(share * 100):g} %")

    table.add_row("by rate card", escape(estimate.card.name))
    table.add_row(f"time at {rate:g} segments/s", duration(estimate.seconds_at_rate))
    if pictures := estimate.pictures.by_reference:
        files = f"{len(pictures):,} ({estimate.pictures.size_bytes:,} bytes)"
        table.add_row("pictures to upload", files)

    table.add_row("every row, with its reason", plan)
    paper.print(table)


def print_states(title: str, states: Mapping[str, int], facts: Mapping[str, str]) -> None:
    """Show how many rows ended how, then what else there is to say."""
    table = _table(title)
    for state, count in states.items():
        table.add_row(state.replace("_", " "), f"{count:,}")

    for name, value in facts.items():
        table.add_row(name, escape(value))

    paper.print(table)


def confirm(question: str) -> bool:
    """Ask on stderr until the answer is yes or no; Enter alone is no.

    Raises:
        typer.Abort: Ctrl-C, or the end of the input.
    """
    prompt = f"{question} [y/N]"
    return bool(typer.prompt(prompt, "n", show_default=False, value_proc=_is_yes, err=True))


def _is_yes(answer: str) -> bool:
    said = answer.strip().casefold()
    if said not in ("y", "yes", "n", "no", ""):
        raise typer.BadParameter("answer y or n")

    return said in ("y", "yes")


def printable(text: str) -> str:
    """Show what could move the cursor, as the names of columns in a binary file may, as �."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _lacks_document() -> bool:
    return _Document.is_wanted and not _Document.is_begun


def _failure(sentences: str, exit_code: int) -> dict[str, Any]:
    return {"error": sentences, "exit_code": exit_code}


def _spelled(document: Mapping[str, Any]) -> str:
    return json.dumps(document) + "\n"  # ASCII, so that it fits any terminal's encoding


def _write_at_once(descriptor: int, text: str) -> None:
    with suppress(OSError):
        _, writable, _ = select([], [descriptor], [], 0)
        if writable:
            os.write(descriptor, text.encode())


def _print_nowhere(stream: IO[str]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _table(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right", overflow="fold")
    return table
