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
    assert done.json["changed"] == 1
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


def imported(folder, *more, **files):
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)

    done = run(folder, "suppress", "import", *(f"{name}.csv" for name in files), *more)
    assert done.code == 0, done.err
    return done


def test_an_import_tells_every_row_and_every_number(folder):
    run(folder, "suppress", "add", "+19195550104", "--because", "letter")
    text = (
        "Phone,Reason\n919-555-0103,asked\n+19195550104,\nnotanumber,\n,\n919-555-0103,again\nx,\n"
    )
    done = imported(folder, stop=text)
    assert done.out.splitlines() == [
        "rows read: 6",
        "rows without a number: 3",
        "numbers found: 3",
        "numbers found again in the same file: 1",
        "numbers that were on the list already: 1",
        "numbers that are new on the list: 1",
    ]
    assert "stop.csv: numbers from Phone" in done.err
    assert "hold no number and bar nobody (row 3, 6)" in done.err
    assert "have nothing where the numbers stand, and bar nobody (row 4)" in done.err


def test_an_import_of_several_files_counts_them_together_and_each(folder):
    text = "name,mobile,home\nAnn,9195550101,9195550102\nBob,,9195550103 / 9195550104\nCid,,\n"
    done = imported(folder, "--json", stop=text, more="phone\n9195550104\n")
    counts = done.json
    files = counts.pop("files")
    assert counts == {
        "changed": 4,
        "rows": 4,
        "rows_without_number": 1,
        "found": 5,
        "repeated": 0,
        "already": 1,
        "new": 4,
    }
    assert [(each["file"], each["columns"], each["new"]) for each in files] == [
        ("stop.csv", ["mobile", "home"], 4),
        ("more.csv", ["phone"], 0),
    ]
    (finding,) = files[0]["findings"]
    assert (finding["code"], finding["count"], finding["rows"]) == ("suppression_blanks", 1, [3])
    assert set(suppressed(folder)) == {f"+1919555010{digit}" for digit in range(1, 5)}


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["--campaign", "german.toml"], "+491712345678"),
        (["--campaign", "german.toml", "--region", "IT"], "+3901712345678"),
        (["--campaign", "people.csv"], None),
    ],
    ids=["the campaign's", "the option's", "the default"],
)
def test_a_list_is_read_by_the_region_of_the_campaign(folder, arguments, number):
    """Also of a campaign that cannot be sent yet: who asks for no texts is on the list today."""
    (folder / "german.toml").write_text('[campaign]\nregion = "DE"\n')
    done = imported(folder, *arguments, stop="Handy\n0171 2345678\n")
    assert list(suppressed(folder)) == ([number] if number else [])
    assert ("bar nobody (row 1)" in done.err) is (number is None)


def test_a_number_added_by_hand_is_read_by_the_region_of_the_campaign_too(folder):
    (folder / "german.toml").write_text('[campaign]\nregion = "DE"\n')
    run(folder, "suppress", "add", "0171 2345678", "--campaign", "german.toml")
    assert list(suppressed(folder)) == ["+491712345678"]


REFUSED = {
    "no phone column": ("name,city\nAnn,Durham\n", "name those with the numbers 'phone'"),
    "no rows": ("name,phone\n", "nobody is in it"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_a_list_that_cannot_be_read_is_refused_with_what_to_do_about_a_list(folder, text, words):
    (folder / "stop.csv").write_text(text)
    done = run(folder, "suppress", "import", "stop.csv")
    assert done.code == 2
    assert words in done.err
    assert "campaign" not in done.err
    assert "send" not in done.err


def test_a_list_of_which_one_file_cannot_be_read_is_not_imported_by_half(folder):
    (folder / "stop.csv").write_text("phone\n9195550101\n")
    done = run(folder, "suppress", "import", "stop.csv", "gone.csv")
    assert (done.code, suppressed(folder)) == (2, {})


def test_a_number_that_cannot_be_taken_off_the_list_is_told_by_its_place(folder):
    run(folder, "suppress", "add", "9195550101", "--because", "letter")
    remove = ("suppress", "remove", "9195550102", "9195550101", "919-555-0101", "--because", "back")
    done = run(folder, *remove)
    assert (done.code, done.out) == (0, "numbers taken off the list: 1\n")
    assert done.err.splitlines()[1:] == ["number 1 of 3 was not on the list"]
    again = run(folder, *remove, "--json")
    assert again.json == {"changed": 0, "not_on_list": [1, 2, 3]}
    assert "9195550" not in again.err
