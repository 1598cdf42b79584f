"""What is on stdout: one JSON document where one was promised, and a reader who may leave."""

import inspect
import json
import os
from contextlib import contextmanager
from importlib import import_module

import pytest
import typer

from jobs import cli

from .shell import finish, run, start, write_campaign

#: A command that takes --json -> how it is used wrongly.
WRONG = {
    "estimate": ("gone.toml",),
    "send": ("campaign.toml",),
    "receive": ("gone.toml",),
    "status": ("gone",),
    "results": ("campaign.toml",),
    "reconcile": ("campaign.toml",),
    "release": ("spring", "--rows", "all"),
    "pause": ("gone",),
    "resume": ("gone",),
    "segments": ("a", "b", "c"),
    "errors": ("1",),
    "suppress": ("add", "letters"),
    "media": ("upload", "gone.png"),
    "messages": ("list", "--limit", "0"),
}


def takes_json(command):
    return "as_json" in inspect.signature(import_module(f"jobs.{command}").run).parameters


def test_every_command_with_a_document_is_used_wrongly_below():
    assert {command for command in cli.COMMANDS if takes_json(command)} == WRONG.keys()


@pytest.mark.parametrize(("command", "arguments"), WRONG.items(), ids=WRONG.keys())
def test_an_error_is_a_document_too(bandcast, command, arguments):
    done = bandcast(command, *arguments, "--json")
    said = "\n".join(line.removeprefix("error: ") for line in done.sentences())
    assert done.json["exit_code"] == done.code != 0
    assert said.endswith(done.json["error"]), "suppress names its journal first"
    assert done.json.keys() == {"error", "exit_code"}
    assert bandcast(command, *arguments).out == "", "only --json asks for it"


@pytest.mark.parametrize("option", ["--nonsense", "--budget=lots"])
def test_an_option_that_cannot_be_read_is_a_document_too(bandcast, option):
    done = bandcast("estimate", "campaign.toml", option, "--json")
    assert (done.code, done.json["exit_code"]) == (2, 2)


def test_a_text_of_two_dashes_asks_for_no_document(bandcast):
    assert bandcast("segments", "--", "--json", "b", "c").out == ""


def test_a_run_that_stops_early_has_its_own_document_only(bandcast):
    done = bandcast(*SEND, "--budget", "0.05", "--json")
    assert (done.code, done.json["campaign"]) == (5, "spring")


# --- A reader who leaves -------------------------------------------------------------------------

SEND = ("send", "campaign.toml", "--simulate", "--yes")
OF_SIMULATION = {"BANDCAST_JOURNAL": "sqlite:///out/spring/simulation-spring.db"}
PRINTED = {
    "an estimate": ("estimate", "campaign.toml", "--texts"),
    "an estimate as a document": ("estimate", "campaign.toml", "--json"),
    "an error as a document": ("estimate", "gone.toml", "--json"),
    "a state": ("status",),
    "a state as a document": ("status", "--json"),
    "results": ("results", "campaign.toml"),
    "results as a document": ("results", "campaign.toml", "--json"),
    "messages": ("messages", "received"),
    "a text in parts": ("segments", "hello"),
    "codes": ("errors",),
    "the help": ("--help",),
    "the help of a command": ("send", "--help"),
    "a report": (*SEND, "--budget", "0.05"),
    "a report as a document": (*SEND, "--budget", "0.05", "--json"),
}


@contextmanager
def nobody():
    """A pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A folder with a finished simulation in it."""
    folder = tmp_path_factory.mktemp("sent")
    write_campaign(folder)
    assert run(folder, *SEND).code == 0
    return folder


@pytest.mark.parametrize("arguments", PRINTED.values(), ids=PRINTED.keys())
def test_a_reader_who_leaves_changes_nothing(sent, arguments):
    told = run(sent, *arguments, env=OF_SIMULATION)
    with nobody() as gone:
        alone = finish(start(sent, *arguments, env=OF_SIMULATION, stdout=gone))

    assert (alone.code, alone.sentences()) == (told.code, told.sentences())


def test_a_send_goes_on_where_nobody_reads_its_log(folder):
    with nobody() as gone, start(folder, *SEND, "--budget", "0.05", "--json", stderr=gone) as going:
        out, _ = going.communicate(timeout=60)

    assert (going.returncode, json.loads(out)["campaign"]) == (5, "spring")


# --- Whatever goes wrong -------------------------------------------------------------------------


class PanicException(BaseException):
    """As a native module raises it: no Exception."""


def test_a_panic_is_a_sentence_without_its_values(monkeypatch, capfd):
    app = typer.Typer()

    @app.command()
    def panic():
        raise PanicException("+19195550123")

    monkeypatch.setattr(cli, "make_app", lambda _: app)
    monkeypatch.setattr("sys.argv", ["bandcast"])
    with pytest.raises(SystemExit) as ended:
        cli.main()

    out, err = capfd.readouterr()
    assert (ended.value.code, out) == (1, "")
    assert "unexpected error: PanicException at test_streams.py" in err
    assert "555" not in err
    assert "Traceback" not in err
