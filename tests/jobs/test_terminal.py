"""At a terminal: the estimate is shown, the question is asked, and "no" leaves nothing behind."""

import json
import os
import select
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.crash.launch import simulating

from .shell import CAMPAIGN, account, ledger, listing, run, start, write_campaign

SEND = ("send", "campaign.toml", "--simulate")


class Terminal:
    """The side of a pseudo-terminal that the person sits at."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self.seen = ""

    def wait_for(self, words, *, seconds=20):
        deadline = time.monotonic() + seconds
        while words not in self.seen:
            assert self._read(deadline), f"{words!r} never came: {self.seen}"

    def type(self, keys):
        os.write(self._descriptor, keys.encode())

    def read_to_the_end(self, *, seconds=20):
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass

    def _read(self, deadline):
        ready, _, _ = select.select([self._descriptor], [], [], max(0, deadline - time.monotonic()))
        try:
            piece = os.read(self._descriptor, 65_536) if ready else b""
        except OSError:  # everybody on the other side is gone
            return False

        self.seen += piece.decode(errors="replace")
        return bool(piece)


@contextmanager
def at_a_terminal(folder, *arguments, more=None, **streams):
    """`bandcast` with a person at the keyboard; streams may be sent elsewhere."""
    ours, theirs = os.openpty()
    try:
        both = {"stdin": theirs, "stdout": theirs, "stderr": theirs} | streams
        with start(folder, *arguments, env={"TERM": "xterm", **(more or {})}, **both) as process:
            os.close(theirs)
            try:
                yield Terminal(ours), process
            finally:
                process.kill()
    finally:
        os.close(ours)


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04", None], ids=["n", "enter", "eof", "sigint"])
def test_no_leaves_nothing_behind(folder, keys):
    before = listing(folder)
    with at_a_terminal(folder, *SEND) as (terminal, process):
        terminal.wait_for("Send 20 messages for 0.08 USD? [y/N]")
        assert "test card" in terminal.seen, "the estimate was not shown before the question"
        if keys is None:
            time.sleep(0.5)  # nobody is so quick that the reading has not begun
            process.send_signal(signal.SIGINT)
        else:
            terminal.type(keys)

        terminal.read_to_the_end()
        assert process.wait(10) == 5

    assert ("nothing was sent" if keys else "interrupted: run the same command") in terminal.seen
    assert "Traceback" not in terminal.seen
    assert listing(folder) == before


def test_who_goes_on_is_asked_about_what_is_left_and_not_about_everybody(folder):
    with simulating() as url:
        env = account(url)
        begun = run(folder, "send", "campaign.toml", "--yes", "--budget", "0.048", env=env)
        assert begun.code == 5, begun.err
        with at_a_terminal(folder, "send", "campaign.toml", more=env) as (terminal, process):
            terminal.wait_for("[y/N]")
            assert "send the 8 of 20 messages that are left" in terminal.seen
            assert "0.08 USD is for all of them" in terminal.seen
            terminal.type("y\n")
            terminal.read_to_the_end()
            assert process.wait(20) == 0

        assert ledger(url)["messages"] == 20
        again = ("send", "campaign.toml", "--retry", "failed")
        with at_a_terminal(folder, *again, more=env) as (terminal, process):
            terminal.wait_for("[y/N]")
            assert "No message of 'spring' is left to send." in terminal.seen
            assert "0 failed" not in terminal.seen
            terminal.type("n\n")
            assert process.wait(10) == 5


def test_who_answers_something_else_is_told_what_to_answer(folder):
    with at_a_terminal(folder, *SEND) as (terminal, process):
        terminal.wait_for("[y/N]")
        terminal.type("maybe\n")
        terminal.wait_for("answer y or n")
        terminal.type("YES\n")
        terminal.read_to_the_end()
        assert process.wait(20) == 0

    assert terminal.seen.count("[y/N]") == 2
    assert "invalid input" not in terminal.seen
    assert (folder / "out" / "spring" / "results.csv").exists()


def test_the_question_does_not_name_a_plan_as_if_it_were_there_already(folder):
    with at_a_terminal(folder, *SEND) as (terminal, _):
        terminal.wait_for("[y/N]")
        assert "out/spring/plan.parquet (once you say yes)" in terminal.seen
        assert not (folder / "out" / "spring" / "plan.parquet").exists()


def test_one_message_is_spoken_of_as_one(folder):
    write_campaign(folder, people=1)
    with at_a_terminal(folder, *SEND) as (terminal, _):
        terminal.wait_for("Send 1 message for 0.004 USD? [y/N]")


def test_yes_sends_and_the_question_is_not_in_the_document(folder):
    with at_a_terminal(folder, *SEND, "--json", stdout=subprocess.PIPE) as (terminal, process):
        terminal.wait_for("Send 20 messages for 0.08 USD? [y/N]")
        terminal.type("y\n")
        document = json.loads(process.stdout.read())
        assert process.wait(20) == 0

    assert document["states"]["delivered"] == 20


def test_progress_is_drawn_on_a_terminal_and_logs_are_not(folder):
    write_campaign(folder, text=CAMPAIGN.replace("2000", "20"))
    with at_a_terminal(folder, *SEND, "--yes") as (terminal, process):
        terminal.wait_for("/20 sent")
        terminal.read_to_the_end()
        assert process.wait(10) == 0

    assert "of 20 segments/s" in terminal.seen
    assert "delivered" in terminal.seen
    assert "INFO" not in terminal.seen
