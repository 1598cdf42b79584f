"""A folder with a campaign, and the command line without the second that a process costs."""

import logging
import os
import sys
from pathlib import Path

import pytest

from jobs.cli import main

from .shell import Finished, write_campaign


@pytest.fixture
def folder(tmp_path):
    write_campaign(tmp_path)
    return tmp_path


@pytest.fixture
def bandcast(folder, monkeypatch, capfd):
    """`bandcast` in this very process: the same entry, in the folder and without a terminal."""
    monkeypatch.chdir(folder)
    for name in os.environ:
        if name.startswith(("BW_", "BANDCAST_")):
            monkeypatch.delenv(name)

    def run(*arguments, env=None):
        capfd.readouterr()
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)

        monkeypatch.setattr(sys, "argv", ["bandcast", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()

        return Finished(ended.value.code, *capfd.readouterr())

    handlers, level = logging.root.handlers[:], logging.root.level
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield run

    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
