"""README is true: its commands run, and its tables and pictures are those of the code."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from textwrap import dedent

import pytest

from jobs import cli, simulate, summary
from pipeline import errors, lifecycle
from pipeline.sections import Document
from pipeline.settings import Options, load_settings
from tests.crash.launch import environment

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
SHELL = [text for language, text in BLOCKS if language == "sh"]

SET_UP = [text for text in SHELL if text.startswith("python3 -m venv ")]
ACCOUNT = [text for text in SHELL if text.startswith("export BW_ACCOUNT_ID=...")]
SERVERS = [text for text in SHELL if text.startswith("bandcast simulate ")]
COMMANDS = [text for text in SHELL if text.startswith("bandcast ") and text not in SERVERS]


@pytest.fixture
def shell(tmp_path):
    """A copy of what the commands read, with `bandcast` in the path and no account set."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def start(command, **streams):
        return subprocess.Popen(
            ["bash", "-euc", command],
            cwd=tmp_path,
            env=environment(PATH=path),
            stdin=subprocess.DEVNULL,
            text=True,
            **streams,
        )

    return start


def test_every_block_of_shell_is_held_to_something():
    assert len(SET_UP) == 2
    assert len(ACCOUNT) == len(SERVERS) == 1
    assert len(COMMANDS) >= 4
    assert sorted(SHELL) == sorted([*SET_UP, *ACCOUNT, *SERVERS, *COMMANDS])


def test_ci_runs_the_two_set_up_commands_as_they_stand_in_readme():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [f"{line}\n" for line in lines if line.startswith("python3 ")] == SET_UP


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.split()[:3]))
def test_a_command_of_readme_runs(shell, command):
    with shell(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert out


@pytest.mark.parametrize("command", SERVERS)
def test_the_simulator_of_readme_answers_until_it_is_stopped(shell, command):
    anywhere = re.sub(r"--port \d+", "--port 0", command)  # the port may be somebody else's today
    assert anywhere != command
    with shell(f"exec {anywhere}", stderr=subprocess.PIPE) as process:
        try:
            url = re.search(r"http://\S+/_ledger", process.stderr.readline())[0]
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.status == 200
        finally:
            process.terminate()


def test_the_campaign_of_readme_can_be_read(tmp_path):
    campaign, file_section, more = [text for language, text in BLOCKS if language == "toml"]
    (tmp_path / "campaign.toml").write_text(campaign, encoding="utf-8")
    for name in ("recipients.csv", "rates.toml"):
        shutil.copy(ROOT / "samples" / "quickstart" / name, tmp_path)

    settings = load_settings(tmp_path / "campaign.toml", Options())
    assert settings.rate_segments_per_second == 50
    (tmp_path / "campaign.toml").write_text(campaign + file_section, encoding="utf-8")
    assert load_settings(tmp_path / "campaign.toml", Options()).file_format.delimiter == ";"

    first, others = tomllib.loads(campaign), tomllib.loads(more)
    others["campaign"] = first["campaign"] | others["campaign"]
    assert Document.model_validate(first | others).campaign.exclude == ("winter-sale",)


def test_every_command_is_in_readme_and_in_the_help():
    bandcast = Path(sys.executable).with_name("bandcast")
    told = subprocess.run([bandcast, "--help"], capture_output=True, text=True, check=True)
    for command in cli.COMMANDS:
        assert f"bandcast {command}" in README
        assert re.search(rf"^\W+{command} ", told.stdout, re.MULTILINE)


def test_the_options_of_the_simulator_are_those_of_the_code():
    rows = re.findall(r"^\| (`--.*?`) \| (.*?) \|", README, re.MULTILINE)
    told = {}
    for names, defaults in rows:
        options = re.findall(r"`--([\w-]+)`", names)
        values = defaults.split(", ") if ", " in defaults else [defaults] * len(options)
        told |= dict(zip(options, values, strict=True))

    parameters = inspect.signature(simulate.run).parameters.values()
    unset = {None: {"none", "any", "no", "unlimited"}, "": {"none"}, False: {"no"}}
    assert told.keys() == {each.name.replace("_", "-") for each in parameters}
    for each in parameters:
        allowed = unset.get(each.default) or {str(each.default)}
        assert told[each.name.replace("_", "-")] in allowed, each.name


def test_the_exit_codes_are_those_of_the_code():
    told = {int(code) for code in re.findall(r"^\| (\d) \|", README, re.MULTILINE)}
    raised = {each.exit_code for each in vars(errors).values() if isinstance(each, type)
              and issubclass(each, errors.BandcastError)}  # fmt: skip
    ended = {summary.DONE, summary.SOME_FAILED, summary.CREDENTIALS, summary.STOPPED,
             summary.IN_DOUBT}  # fmt: skip
    assert told == raised | ended
    assert told == {int(code) for code in re.findall(r"(?:^|   )(\d) ", cli.__doc__, re.MULTILINE)}


def test_the_environment_variables_are_those_of_the_code():
    named = re.compile(r"\b(?:BW|BANDCAST)_[A-Z_]*[A-Z]\b")
    sources = [*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("jobs/*.py")]
    read = {name for path in sources for name in named.findall(path.read_text(encoding="utf-8"))}
    table = re.findall(r"^\| (`(?:BW|BANDCAST)_.*?) \|", README, re.MULTILINE)
    assert {name for row in table for name in named.findall(row)} == read


def test_the_picture_of_the_states_is_the_one_in_the_code():
    drawn = [dedent(text).rstrip() for language, text in BLOCKS if not language]
    _, picture, *_ = re.split(r"\n\n", lifecycle.__doc__)
    assert dedent(picture).rstrip() in drawn


def test_every_file_that_readme_names_is_there():
    inside = re.findall(r"`((?:pipeline|jobs|tests|samples)/[\w./]*)`", README)
    assert len(inside) > 10
    assert [name for name in inside if not (ROOT / name).exists()] == []
