"""bandcast suppress: the list in the journal, by hand and from files, and its effect on a plan."""

import pytest

from tests.jobs import shell

CAMPAIGN = """
[campaign]
name = "spring"
recipients = "people.csv"
from = ["+19195550100"]
template = "Hi"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "people.csv").write_text("phone\n9195550101\n9195550102\n9195550103\n")
    (tmp_path / "campaign.toml").write_text(CAMPAIGN)
    return tmp_path


def run(folder, *arguments):
    journal = f"sqlite:///{folder / 'journal.db'}"
    return shell.run(folder, *arguments, env={"BANDCAST_JOURNAL": journal})


def suppressed(folder):
    done = run(folder, "suppress", "list", "--json")
    assert done.code == 0, done.err
    return {each["number"]: (each["source"], each["because"]) for each in done.json["suppressed"]}


def test_the_list_of_no_journal_is_empty_and_makes_none(folder):
    assert suppressed(folder) == {}
    assert not (folder / "journal.db").exists()


def test_a_number_added_by_hand_is_left_out_and_removed_is_back(folder):
    added = run(folder, "suppress", "add", "(919) 555-0101", "+19195550102", "--because", "letter")
    assert (added.code, added.out) == (0, "numbers that are new on the list: 2\n")
    assert suppressed(folder) == {
        "+19195550101": ("operator", "letter"),
        "+19195550102": ("operator", "letter"),
    }
    estimate = run(folder, "estimate", "campaign.toml", "--json")
    assert estimate.json["skipped"] == {"suppressed": 2}

    removed = run(folder, "suppress", "remove", "9195550101", "--because", "asked to come back")
    assert removed.code == 0, removed.err
    estimate = run(folder, "estimate", "campaign.toml", "--json")
    assert estimate.json["skipped"] == {"suppressed": 1}


def test_a_file_is_imported_with_its_name_as_the_source(folder):
    (folder / "stop.csv").write_text("Mobile;Name\n919-555-0101;Ann\nn/a;Bob\n")
    done = run(folder, "suppress", "import", "stop.csv", "--json")
    assert done.json == {"changed": 1}
    assert "hold no number" in done.err
    assert suppressed(folder) == {"+19195550101": ("stop.csv", "imported")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add"], "say which numbers"),
        (["import"], "say which files"),
        (["remove", "9195550101"], "--because"),
        (["add", "9195550101", "12"], "number 2 of 2: too short"),
        (["import", "gone.csv"], "no such file"),
    ],
    ids=["no numbers", "no files", "no reason", "no number", "no file"],
)
def test_what_cannot_be_done_is_said_without_the_number(folder, arguments, words):
    done = run(folder, "suppress", *arguments)
    assert done.code == 2
    assert words in done.err
    assert "9195550101" not in done.err


def in_folder(folder, *arguments):
    """Without the variable: the journal is where the command looks for it."""
    env = shell.account("http://127.0.0.1:9")
    del env["BANDCAST_JOURNAL"]
    return shell.run(folder, *arguments, env=env)


def test_a_list_that_the_campaign_would_not_ask_stops_it_before_anybody_is_texted(folder):
    parent = folder.parent / "office"
    parent.mkdir()
    added = in_folder(parent, "suppress", "add", "9195550101", "--because", "letter")
    assert str(parent / "bandcast.db") in added.err
    for command in (("estimate",), ("send", "--yes")):
        done = in_folder(parent, command[0], str(folder / "campaign.toml"), *command[1:])
        assert done.code == 2
        assert done.err.count("BANDCAST_JOURNAL") == 1

    assert not (folder / "bandcast.db").exists()


def test_the_list_beside_a_campaign_is_named_by_the_campaign(folder):
    campaign = str(folder / "campaign.toml")
    parent = folder.parent / "home"
    parent.mkdir()
    because = ("--because", "letter", "--campaign", campaign)
    assert in_folder(parent, "suppress", "add", "9195550101", *because).code == 0
    listed = in_folder(parent, "suppress", "list", "--campaign", campaign, "--json")
    assert len(listed.json["suppressed"]) == 1
    estimate = in_folder(parent, "estimate", campaign, "--json")
    assert estimate.json["skipped"] == {"suppressed": 1}


def test_the_list_is_asked_for_a_number_however_it_is_written(folder):
    run(folder, "suppress", "add", "+19195550101", "+19195550102", "--because", "letter")
    listed = run(folder, "suppress", "list", "(919) 555-0101")
    assert listed.out.startswith("+19195550101 ")
    assert listed.out.count("\n") == 1


def test_what_is_not_on_the_list_is_said_so(folder):
    run(folder, "suppress", "add", "+19195550101", "--because", "letter")
    listed = run(folder, "suppress", "list", "9195550109")
    assert (listed.code, listed.out) == (0, "")
    assert "nothing on the list" in listed.err


@pytest.mark.parametrize("words", [("add", "9195550101"), ("list",)])
def test_a_campaign_that_is_not_there_has_no_list(folder, words):
    done = run(folder, "suppress", *words, "--campaign", "campain.toml")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("error: there is no file 'campain.toml'")
    assert not (folder / "journal.db").exists()


def test_an_empty_list_is_said_to_be_empty_and_in_which_journal(folder):
    done = run(folder, "suppress", "list")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("nobody is on the list of the journal")
    assert "journal.db" in done.err


def test_an_import_names_the_rows_that_hold_no_number(folder):
    (folder / "no.csv").write_text("phone\n9195550101\nann\n")
    done = run(folder, "suppress", "import", "no.csv")
    assert done.code == 0
    assert "hold no number and bar nobody (row 2)" in done.err
