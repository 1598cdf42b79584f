"""A signal while a plan is drafted: an answer at once, one sentence, and no numbers left behind."""

import json
import signal
import subprocess
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.crash.launch import simulating

from .receiving import event, post, start_receiver
from .shell import (
    CAMPAIGN,
    CARD,
    SENTENCE,
    account,
    finish,
    ledger,
    start,
    wait_until,
    write_campaign,
)

ROWS = 200_000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SEND = ("send", "campaign.toml", "--yes", "--json")

#: What a process has made when the signal comes: polars is busy a moment after each.
MOMENTS = {
    "a copy of the file": "temporary/.bandcast.*/*",
    "a plan that is being written": "out/spring/..plan.parquet.*",
    "a plan that is added up": "out/spring/.plan.parquet.*",
}
COMMANDS = {
    "estimate": ("estimate", "people.csv"),
    "send": ("send", "people.csv", "--simulate", "--yes"),
}
TEMPLATE = ("--template", "Hi {name}", "--from", "+19195550199", "--rates", "card.toml")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """A file that keeps polars busy for a second, and that is read from a copy."""
    file = tmp_path_factory.mktemp("crowd") / "people.csv"
    rows = (
        f"René {row},+1{212 + row // 80_000}{row // 100 % 800 + 200}{row % 100 + 1000}"
        for row in range(ROWS)
    )
    file.write_text("name,phone\n" + "\n".join(rows) + "\n", encoding="cp1252")
    return file


@pytest.fixture
def folder(tmp_path, crowd):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "people.csv").symlink_to(crowd)
    (tmp_path / "card.toml").write_text(CARD)
    return tmp_path


@contextmanager
def drafting(folder, command, made, **options):
    """A command that has made something."""
    arguments = (*command, *TEMPLATE, "--name", "spring", "--json")
    env = {"TMPDIR": str(folder / "temporary")}
    with start(folder, *arguments, env=env, **options) as process:
        try:
            while not next(folder.glob(made), None):
                assert process.poll() is None, process.communicate()
                time.sleep(0.001)

            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("made", "number"), [*zip(MOMENTS.values(), SIGNALS, strict=True)])
def test_a_signal_while_a_plan_is_drafted_leaves_nothing_behind(folder, made, number):
    with drafting(folder, COMMANDS["estimate"], made) as process:
        process.send_signal(number)
        process.send_signal(number)  # as an impatient person, and timeout(1), do
        out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (5, SENTENCE + "\n")
    assert json.loads(out) == {"error": SENTENCE, "exit_code": 5}
    assert list((folder / "temporary").iterdir()) == []
    assert not (folder / "out").exists()


def test_a_signal_before_the_first_message_of_a_send_leaves_no_numbers_behind(folder):
    with drafting(folder, COMMANDS["send"], "out/spring/..plan.parquet.*") as process:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (5, SENTENCE + "\n")
    assert json.loads(out) == {"error": SENTENCE, "exit_code": 5}
    assert list((folder / "temporary").iterdir()) == []
    assert not (folder / "out").exists()


@pytest.mark.parametrize("made", MOMENTS.values(), ids=MOMENTS.keys())
def test_what_a_kill_left_is_gone_after_the_next_run(folder, made):
    with drafting(folder, COMMANDS["estimate"], made) as process:
        process.kill()
        process.communicate(timeout=30)

    with drafting(folder, COMMANDS["estimate"], "temporary/.bandcast.*") as process:
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert [path.name for path in (folder / "out" / "spring").iterdir()] == ["plan.parquet"]
    assert list((folder / "temporary").iterdir()) == []


# --- What is ignored when a command starts -------------------------------------------------------


def ignore():
    """What nohup does to SIGHUP, and a shell to SIGINT of what it starts with an &."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def nudge(process):
    """Send what is ignored; the process is still there afterwards."""
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)


def test_an_estimate_goes_on_under_nohup(folder):
    made = MOMENTS["a copy of the file"]
    with drafting(folder, COMMANDS["estimate"], made, preexec_fn=ignore) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, err, json.loads(out)["messages"]) == (0, "", ROWS)


def test_a_receiver_goes_on_under_nohup(folder):
    process, url = start_receiver(folder, preexec_fn=ignore)
    nudge(process)
    assert post(url, event(1)) == 204
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_simulator_goes_on_under_nohup(folder):
    with start(folder, "simulate", "--port", "0", preexec_fn=ignore) as process:
        url = process.stderr.readline().split("ledger: ")[1].split(")")[0]
        assert httpx.get(url, trust_env=False).status_code == 200
        nudge(process)
        assert httpx.get(url, trust_env=False).status_code == 200
        process.terminate()


# --- What comes twice at once --------------------------------------------------------------------


def twice(process, number):
    """Signal as timeout(1) does, the process and then its group, or a shell and what is in it."""
    process.send_signal(number)
    time.sleep(0.01)
    process.send_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_comes_twice_at_once_lets_what_is_in_flight_finish(tmp_path, number):
    write_campaign(tmp_path, people=100, text=CAMPAIGN.replace("2000", "20"))
    with simulating("--faults", "latency=500") as url:
        with start(tmp_path, *SEND, env=account(url)) as process:
            wait_until(lambda: ledger(url)["messages"], process)
            twice(process, number)
            done = finish(process)

        sent = ledger(url)["messages"]

    assert (done.code, done.json["states"]["accepted"]) == (5, sent)
    assert done.json["states"].keys() == {"accepted", "ready", "skipped"}


def test_a_signal_that_comes_twice_while_doubt_is_waited_for_leaves_the_results(tmp_path):
    write_campaign(tmp_path, people=3)
    faults = ("--faults", "lost=1,unlisted=1")
    with simulating(*faults) as url, start(tmp_path, *SEND, env=account(url)) as process:
        while "the provider's listing is asked in" not in process.stderr.readline():
            assert process.poll() is None

        twice(process, signal.SIGTERM)
        done = finish(process)

    assert (done.code, done.json["in_doubt"]) == (6, 3)
    assert (tmp_path / "out" / "spring" / "results.parquet").exists()


def test_a_receiver_ends_as_well_by_a_signal_that_comes_twice(tmp_path):
    process, url = start_receiver(tmp_path, "--json")
    post(url, event(1))
    twice(process, signal.SIGTERM)
    done = finish(process)
    assert (done.code, done.json["events"]) == (0, {"message-delivered": 1})
