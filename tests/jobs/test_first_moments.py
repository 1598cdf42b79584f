"""A signal in the first moments of the program, while what it needs is still being imported."""

import json
import signal
import subprocess
import sys

import pytest

from tests.crash.launch import environment

from .shell import BANDCAST, SENTENCE, start, write_campaign

ENTRANCES = {"bandcast": [BANDCAST], "python -m": [sys.executable, "-m", "jobs"]}

#: What has just been imported when the signal comes.
MOMENTS = ("rich", "rich.console", "jobs.console", "typer", "jobs.cli", "polars", "anyio")


def interrupt_at(folder, moment, command, *arguments, number=signal.SIGINT):
    """Signal a command when it has imported a module; returns its code, stdout and stderr."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    env = environment(PYTHONPROFILEIMPORTTIME="1")
    with subprocess.Popen([*command, *arguments], cwd=folder, env=env, **pipes) as process:
        for line in process.stderr:  # "import time: microseconds | cumulative | module"
            if line.rpartition("|")[2].strip() == moment:
                process.send_signal(number)
                break

        out, err = process.communicate(timeout=60)

    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    return process.returncode, out, said


@pytest.mark.parametrize("command", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupt_while_modules_are_imported_is_one_sentence(tmp_path, moment, command):
    write_campaign(tmp_path)
    code, out, said = interrupt_at(tmp_path, moment, command, "estimate", "campaign.toml", "--json")
    assert (code, said) == (5, [SENTENCE])
    assert json.loads(out) == {"error": SENTENCE, "exit_code": 5}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_ends_it_otherwise_is_answered_the_same_way(tmp_path, number):
    write_campaign(tmp_path)
    words = ([BANDCAST], "estimate", "campaign.toml", "--json")
    code, out, said = interrupt_at(tmp_path, "typer", *words, number=number)
    assert (code, said) == (5, [SENTENCE])
    assert json.loads(out) == {"error": SENTENCE, "exit_code": 5}


def test_what_is_ignored_at_the_start_is_ignored_in_the_first_moments(tmp_path):
    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with start(tmp_path, "errors", "4720", preexec_fn=ignore) as process:
        while process.poll() is None:
            process.send_signal(signal.SIGINT)

        out, err = process.communicate(timeout=60)

    assert (process.returncode, err, "4720" in out) == (0, "", True)


def test_impatience_is_answered_without_a_traceback(tmp_path):
    write_campaign(tmp_path)
    env = {"PYTHONPROFILEIMPORTTIME": "1"}
    with start(tmp_path, "status", "--json", env=env) as process:
        for line in process.stderr:
            if line.rpartition("|")[2].strip() == "rich":
                break

        while process.poll() is None:
            process.send_signal(signal.SIGINT)

        out, err = process.communicate(timeout=60)

    assert (process.returncode, "Traceback" in err) == (5, False)
    assert len(out.splitlines()) == 1
