"""The addresses of a journal."""

from __future__ import annotations

import pytest

from pipeline.errors import SettingsError
from pipeline.journal import open_journal


def test_three_slashes_are_a_file_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    open_journal("sqlite:///relative.db").close()

    assert (tmp_path / "relative.db").exists()


def test_four_slashes_are_an_absolute_path(tmp_path):
    open_journal(f"sqlite:///{tmp_path}/absolute.db").close()

    assert (tmp_path / "absolute.db").exists()


def test_memory_is_a_new_empty_journal_every_time():
    one = open_journal("memory:")
    one.hold("spring")

    open_journal("memory:").hold("spring")
    assert one.campaigns() == []


@pytest.mark.parametrize(
    "url",
    ["", "journal.db", "sqlite:///", "sqlite://x.db", "memory", "postgresql://ana:s3cret@db/x"],
)
def test_any_other_address_is_refused_with_the_forms_and_without_its_password(url):
    with pytest.raises(SettingsError) as caught:
        open_journal(url)

    (problem,) = caught.value.problems
    assert "sqlite:///relative.db" in problem
    assert "sqlite:////absolute/path.db" in problem
    assert "memory:" in problem
    assert "s3cret" not in problem
