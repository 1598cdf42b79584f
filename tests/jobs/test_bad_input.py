"""Whatever is wrong: a sentence for each problem, the exit code of the table, and nothing written.

With ``--json`` stdout stays empty where there is no result to print: whoever reads it looks at the
exit code first, and the sentences are on stderr as always.
"""

import gzip
import os
import resource
import sqlite3
from contextlib import closing

import pytest

from .shell import CAMPAIGN, CARD, account, finish, listing, start

TEMPLATE = ("--template", "Hi {name}", "--from", "+19195550199")
CLOSED = account("http://127.0.0.1:9")


def refused(done, *sentences, code=2):
    """One line on stderr for each sentence, that holds all its words; on stdout only --json's."""
    assert done.code == code, done
    lines = done.err.splitlines()
    assert len(lines) == len(sentences), done.err
    for line, words in zip(lines, sentences, strict=True):
        assert line.startswith("error: ")
        for word in words:
            assert word in line, f"{word!r} is not in {line!r}"

    said = "\n".join(line.removeprefix("error: ") for line in lines)
    assert not done.out or done.json == {"error": said, "exit_code": code}
    assert "defect" not in done.err
    assert "Traceback" not in done.err


# --- Recipient files -----------------------------------------------------------------------------

FILES = {
    "empty": ("p.csv", b"", ["p.csv", "the file is empty", "name the columns"]),
    "header only": ("p.csv", b"name,phone\n", ["p.csv", "no rows", "nobody is in it"]),
    "no header": ("p.csv", b"Ada,+19195550101\nBob,1\n", ["p.csv", "'column_1'", "phone ="]),
    "no phone column": ("p.csv", b"name,nr\nA,1\n", ["p.csv", "'name', 'nr'", "'phone'"]),
    "two phones": ("p.csv", b"name,phone,Mobile\nA,1,2\n", ["'phone', 'Mobile'", "phone ="]),
    "a row too long": ("p.csv", b"name,phone\nA,1\nB,2,3\n", ["p.csv, row 2", "3 cells", "quotes"]),
    "an open quote": ("p.csv", b'name,phone\n"A,1\nB,2\n', ["p.csv", "quote"]),
    "a picture named csv": ("p.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", ["p.csv", "CSV UTF-8"]),
    "a workbook named csv": ("p.csv", b"PK\x03\x04\x14\0\x06\0\x08\0!\0\xb5", ["p.csv", ".xlsx"]),
    "zeros named csv": ("p.csv", bytes(4096), ["p.csv"]),
    "gzip cut short": ("p.csv.gz", gzip.compress(b"phone\n1\n" * 99)[:-9], ["p.csv.gz", "damaged"]),
    "parquet without a byte": ("p.parquet", b"", ["p.parquet", "the file is empty"]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "words"), FILES.values(), ids=FILES.keys())
def test_a_recipient_file_that_cannot_be_used(bandcast, folder, name, content, words):
    (folder / name).write_bytes(content)
    before = listing(folder)
    refused(bandcast("estimate", name, *TEMPLATE, "--json"), words)
    assert listing(folder) == before


def test_a_file_that_is_no_file(bandcast, folder):
    (folder / "folder.csv").mkdir()
    (folder / "folder.toml").mkdir()
    os.mkfifo(folder / "pipe.csv")
    refused(bandcast("estimate", "gone.csv", *TEMPLATE), ["gone.csv", "no such file"])
    refused(bandcast("estimate", "gone.toml"), ["gone.toml", "no such file", "campaign.toml"])
    refused(bandcast("estimate", "a" * 999 + ".csv", *TEMPLATE), ["no such file"])
    refused(bandcast("estimate", "folder.csv", *TEMPLATE), ["folder.csv", "name a file in it"])
    refused(bandcast("estimate", "folder.toml"), ["folder.toml", "directory"])
    refused(bandcast("estimate", "pipe.csv", *TEMPLATE), ["pipe.csv", "save it to a file"])


def test_the_names_of_columns_cannot_move_the_cursor(bandcast, folder):
    (folder / "p.csv").write_bytes(b"na\x1b[2Jme,\x07nr\nA,1\n")
    done = bandcast("estimate", "p.csv", *TEMPLATE)
    refused(done, ["na�[2Jme", "�nr"])


# --- campaign.toml and the rate card -------------------------------------------------------------

SETTINGS = {
    "unknown key": (("template =", "templete ="),
        ["campaign.toml: [campaign] template is missing (or option --template)"],
        ["campaign.toml: [campaign] templete", "did you mean 'template'?"]),
    "unknown section": (("[sending]", "[sendin]"), ["campaign.toml: sendin", "'sending'?"]),
    "section that is a value": (("[rates]\ncard", "[sending.rates]\ncard"), ["unknown key"]),
    "text for a list": (('["+19195550199"]', '"+19195550199"'), ["[campaign] from", '["+1919']),
    "number for a text": (('"spring"', "5"), ["[campaign] name must be", "letters"]),
    "text for a number": (("2000", '"fast"'), ["[sending] rate must be a number of segments"]),
    "a truth for a number": (("2000", "true"), ["[sending] rate must be a number of segments"]),
    "a rate of zero": (("2000", "0"), ["[sending] rate must be", "above 0"]),
    "a rate that is none": (("2000", "nan"), ["[sending] rate must be", "above 0"]),
    "another priority": (("[rates]", 'priority = "low"\n[rates]'), ["priority must be", '"high"']),
    "no end": (("[rates]", "expires_after = 0\n[rates]"),
        ["[sending] expires_after: write minutes"]),
    "an end without a zone": (("[rates]", "expires_after = 2026-11-24T18:00:00\n[rates]"),
        ["[sending] expires_after: write minutes", "2026-11-24T18:00:00Z"]),
    "no senders": (('["+19195550199"]', "[]"), ["[campaign] from", "at least one sender"]),
    "a sender that is none": (("+19195550199", "555-0199"), ["[campaign] from", "+19195550123"]),
    "another channel": (("[sending]", 'channel = "fax"\n[sending]'), ['"mms" or "auto"']),
    "too many pictures": (("[sending]", f"media = {['https://example.com/a.png'] * 11}\n[sending]"),
        ["[campaign] media: 11 pictures", "at most 10"]),
    "another region": (("[sending]", 'region = "usa"\n[sending]'), ["region must be", '"US"']),
    "no such region": (("[sending]", 'region = "XX"\n[sending]'), ["'XX'", "ISO 3166"]),
    "a name with a slash": (('"spring"', '"a/b"'), ["[campaign] name must be", "'-'"]),
    "broken": (("[campaign]", "[campaign"), ["campaign.toml: not valid TOML", "line 2"]),
    "unknown column": (("{name}", "{nmae}"), ["'nmae'", "did you mean 'name'?", "'phone'"]),
    "a brace alone": (("{name}", "{name"), ["template", "'{{'"]),
    "no such file": (("people.csv", "poeple.csv"), ["campaign.toml: recipients", "poeple.csv"]),
    "no such card": (("card.toml", "cart.toml"), ["campaign.toml: rate card", "cart.toml"]),
    "several at once": (('"spring"', '"a b"\ncolour = 1'), ["name must be"], ["colour"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS.values(), ids=SETTINGS.keys())
def test_a_campaign_that_cannot_be_used(bandcast, folder, case):
    change, *sentences = case
    (folder / "campaign.toml").write_text(CAMPAIGN.replace(*change))
    before = listing(folder)
    refused(bandcast("estimate", "campaign.toml", "--json"), *sentences)
    refused(bandcast("send", "campaign.toml", "--simulate", "--yes"), *sentences)
    assert listing(folder) == before


def test_a_campaign_that_is_not_utf_8(bandcast, folder):
    (folder / "campaign.toml").write_bytes(CAMPAIGN.encode().replace(b"Hi", b"\xe9"))
    refused(bandcast("estimate", "campaign.toml"), ["campaign.toml", "not UTF-8", "save"])


CARDS = {
    "broken": ("[[price]]", "[[price]", ["card.toml", "not TOML"]),
    "unknown key": ("base =", "bas =", ["card.toml", "'bas'", "'base'?"], ["'base' is missing"]),
    "no price for these": ('prefix = "1"', 'prefix = "44"', ["'test card'", "prefix 1", "20"]),
    "not exact": ('"0.004"', "0.004", ["card.toml", "base in quotes"]),
}


@pytest.mark.parametrize("case", CARDS.values(), ids=CARDS.keys())
def test_a_rate_card_that_cannot_be_used(bandcast, folder, case):
    old, new, *sentences = case
    (folder / "card.toml").write_text(CARD.replace(old, new))
    before = listing(folder)
    refused(bandcast("estimate", "campaign.toml"), *sentences)
    assert listing(folder) == before


CARRIERS = """
[[carrier]]
name = "T-Mobile"
prefix = "1"
[[surcharge]]
carrier = "T-Mobile"
channel = "sms"
sender = "default"
amount = "0.0045"
"""
KNOWN = {
    "a carrier that the card has not": ("prefix,carrier\n1,T-Mobil\n",
        ["'test card'", "no carrier 'T-Mobil' (did you mean 'T-Mobile'?)", "prefix 1", "20"]),
    "nobody's carrier": ("prefix,carrier\n44,T-Mobile\n", ["'test card'", "no shares", "20"]),
    "no table of carriers": ("carrier\nT-Mobile\n", ["who.csv", "one column named prefix"]),
    "two for one": ("prefix,carrier\n1,A\n1,B\n", ["who.csv", "two carriers", "row 1, 2"]),
    "not a table at all": ("", ["who.csv", "the file is empty"]),
}  # fmt: skip


@pytest.mark.parametrize(("table", "words"), KNOWN.values(), ids=KNOWN.keys())
def test_carriers_that_cannot_be_priced(bandcast, folder, table, words):
    (folder / "card.toml").write_text(CARD + CARRIERS)
    (folder / "who.csv").write_text(table)
    (folder / "campaign.toml").write_text(CAMPAIGN + 'carriers = "who.csv"\n')
    before = listing(folder)
    refused(bandcast("estimate", "campaign.toml"), words)
    assert listing(folder) == before


# --- Options -------------------------------------------------------------------------------------

CAMPAIGN_AND = ("estimate", "campaign.toml")
SIMULATE = ("send", "campaign.toml", "--simulate", "--yes")
OPTIONS = {
    "a rate of zero": ((*CAMPAIGN_AND, "--rate", "0"), ["--rate must be", "above 0"]),
    "a rate that is none": ((*CAMPAIGN_AND, "--rate", "nan"), ["--rate must be"]),
    "a rate without end": ((*CAMPAIGN_AND, "--rate", "inf"), ["--rate must be", "10000"]),
    "a rate that is no number": ((*CAMPAIGN_AND, "--rate", "fast"), ["'--rate'", "number"]),
    "a name with a slash": ((*CAMPAIGN_AND, "--name", "../x"), ["--name must be", "letters"]),
    "a card that is gone": ((*CAMPAIGN_AND, "--rates", "gone.toml"), ["rate card", "gone.toml"]),
    "an empty template": ((*CAMPAIGN_AND, "--template", ""), ["--template must be"]),
    "a sender that is none": ((*CAMPAIGN_AND, "--from", "me!"), ["--from: 'me!' is no sender"]),
    "no template, no sender": (("estimate", "people.csv"), ["--from"], ["--template"]),
    "an out that is a file": ((*CAMPAIGN_AND, "--out", "people.csv"), ["people.csv", "--out"]),
    "an out in a file": ((*CAMPAIGN_AND, "--out", "people.csv/a/b"), ["people.csv/a/b", "--out"]),
    "an out for nobody": ((*CAMPAIGN_AND, "--out", "/proc/a"), ["/proc/a", "--out"]),
    "a send to that out": ((*SIMULATE, "--out", "people.csv"), ["people.csv", "--out"]),
    "unknown faults": ((*SIMULATE, "--faults", "lots=0.1"), ["--faults", "'lots'", "'lost'?"]),
    "faults without a number": ((*SIMULATE, "--faults", "lost"), ["--faults", "'lost=1'"]),
    "faults beyond all": ((*SIMULATE, "--faults", "lost=2"), ["--faults", "between 0 and 1"]),
    "faults that are none": ((*SIMULATE, "--faults", "lost=nan"), ["--faults", "'lost'"]),
    "faults for a real send": (("send", "campaign.toml", "--faults", "lost=1"), ["--simulate"]),
    "nobody to ask": (("send", "campaign.toml", "--simulate"), ["no terminal", "--yes"]),
    "no command": (("sned",), ["'sned'", "bandcast --help"]),
    "no such option": (("estimate", "--outt", "x"), ["--outt", "bandcast estimate --help"]),
    "nothing to estimate": (("estimate",), ["CAMPAIGN", "bandcast estimate --help"]),
    "one thing too many": ((*CAMPAIGN_AND, "b.toml"), ["b.toml", "bandcast estimate --help"]),
    "a port that is none": (("simulate", "--port", "99999"), ["--port", "65535"]),
    "a host that is none": (("simulate", "--host", "no.invalid", "--port", "0"), ["no.invalid:0"]),
    "a rate of the simulator": (("simulate", "--rate", "0"), ["--rate must be", "above 0"]),
    "a group of a crowd": (("simulate", "--max-recipients", "51"), ["--max-recipients", "50"]),
    "a file of nothing": (("simulate", "--media-mb", "0"), ["--media-mb must be", "above 0"]),
    "no time at all": (("simulate", "--media-hours", "nan"), ["--media-hours must be", "above 0"]),
    "half a credential": (("simulate", "--client-id", "a"), ["--client-secret"]),
    "a status of nothing": (("status",), ["no journal", "/bandcast.db"]),
    "results of nothing": (("results", "campaign.toml"), ["nothing was ever sent from here"]),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentences"), [(a, s) for a, *s in OPTIONS.values()],
                         ids=OPTIONS.keys())  # fmt: skip
def test_options_that_cannot_be_used(bandcast, folder, arguments, sentences):
    before = listing(folder)
    refused(bandcast(*arguments), *sentences)
    assert listing(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(bandcast, folder):
    (folder / "closed").mkdir(mode=0o500)
    refused(bandcast(*CAMPAIGN_AND, "--out", "closed"), ["closed", "Permission denied", "--out"])


# --- Account and journal -------------------------------------------------------------------------

ENVIRONMENTS = {
    "no account": ({}, 4, ["BW_ACCOUNT_ID", "BW_CLIENT_SECRET", "--simulate"]),
    "half an account": ({**CLOSED, "BW_CLIENT_SECRET": ""}, 4, ["with BW_CLIENT_SECRET"]),
    "plain http abroad": ({**CLOSED, "BW_MESSAGING_URL": "http://example.com/v2"}, 2,
        ["BW_MESSAGING_URL", "https://"]),
    "no such journal": ({**CLOSED, "BANDCAST_JOURNAL": "postgres://u:hunter2@h/d"}, 2,
        ["BANDCAST_JOURNAL", "sqlite:///"]),
    "journal without a path": ({**CLOSED, "BANDCAST_JOURNAL": "sqlite:///"}, 2, ["sqlite:///"]),
    "journal that forgets": ({**CLOSED, "BANDCAST_JOURNAL": "memory:"}, 2, ["outlives"]),
    "journal without a directory": ({**CLOSED, "BANDCAST_JOURNAL": "sqlite:///no/such.db"}, 2,
        ["BANDCAST_JOURNAL", "'no'", "make it first"]),
    "journal that is a table": ({**CLOSED, "BANDCAST_JOURNAL": "sqlite:///people.csv"}, 2,
        ["people.csv", "no journal of bandcast", "name the right file"]),
    "journal of another program": ({**CLOSED, "BANDCAST_JOURNAL": "sqlite:///bookmarks.db"}, 2,
        ["bookmarks.db", "no journal of bandcast", "name the right file"]),
    "journal that is a directory": ({**CLOSED, "BANDCAST_JOURNAL": "sqlite:///."}, 1,
        ["cannot be opened", "directory"]),
}  # fmt: skip


@pytest.mark.parametrize(("env", "code", "words"), ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_an_environment_that_cannot_be_used(bandcast, folder, monkeypatch, env, code, words):
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    with closing(sqlite3.connect(folder / "bookmarks.db")) as bookmarks:
        bookmarks.execute("CREATE TABLE bookmark (id INTEGER)")

    before = listing(folder)
    done = bandcast("send", "campaign.toml", "--yes", "--json")
    refused(done, words, code=code)
    assert listing(folder) == before
    assert "hunter2" not in done.err


def test_real_processes_end_like_the_others(folder):
    """One of each kind for real: exit codes and streams are the operating system's here."""
    (folder / "p.csv").write_bytes(b"name,phone\nA,1\nB,2,3\n")
    before = listing(folder)
    refused(finish(start(folder, "estimate", "p.csv", *TEMPLATE, "--json")), ["p.csv, row 2"])
    refused(finish(start(folder, "estimate", "campaign.toml", "--rate", "0")), ["--rate must be"])
    refused(finish(start(folder, "sned")), ["'sned'"])
    refused(finish(start(folder, "send", "campaign.toml", "--yes")), ["BW_ACCOUNT_ID"], code=4)
    assert listing(folder) == before


def test_a_disk_that_is_full_is_a_sentence_and_leaves_nothing(folder):
    before = listing(folder)
    limit = (resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
    full = finish(
        start(folder, "estimate", "campaign.toml", preexec_fn=lambda: resource.setrlimit(*limit))
    )
    refused(full, ["out/spring", "cannot be written there", "--out"])
    assert listing(folder) == before
