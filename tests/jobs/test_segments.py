"""The command `segments`: how one text travels, and which characters make it dear."""

import os

import pytest

from .shell import finish, start

TAKEN = "Crème brûlée – tonight – bring 👩🏽"


def test_a_program_reads_what_a_handset_receives(bandcast):
    done = bandcast("segments", TAKEN, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "encoding": "UCS-2",
        "units": 35,
        "segments": 1,
        "parts": [TAKEN],
        "units_left": 35,
        "forcing_ucs2": [
            {"character": "–", "code_point": "U+2013", "name": "EN DASH", "count": 2},
            {
                "character": "û",
                "code_point": "U+00FB",
                "name": "LATIN SMALL LETTER U WITH CIRCUMFLEX",
                "count": 1,
            },
            {"character": "👩", "code_point": "U+1F469", "name": "WOMAN", "count": 1},
            {
                "character": "🏽",
                "code_point": "U+1F3FD",
                "name": "EMOJI MODIFIER FITZPATRICK TYPE-4",
                "count": 1,
            },
        ],
        "smart": [],
    }


def test_a_person_reads_the_parts_what_is_left_and_the_culprits(bandcast):
    done = bandcast("segments", "a" * 60 + "😀" * 10 + "\tb\nc")
    assert (done.code, done.err) == (0, "")
    for said in (
        "UCS-2",
        "84",  # units
        "49 of 67 units",  # what is left
        "part 1 (66 units)",
        "part 2 (18 units)",
        "U+1F600 GRINNING FACE",
        "10 times",
        "U+0009 control character",
        "once",
    ):
        assert said in done.out, said


def test_a_text_in_gsm_7_has_no_culprits(bandcast):
    done = bandcast("segments", "Crème brûlée".replace("û", "u"), "--json")
    assert (done.json["encoding"], done.json["forcing_ucs2"]) == ("GSM-7", [])


def test_smart_characters_are_replaced_when_asked_for_and_named(bandcast):
    text = "Crème brûlée – tonight – it’s on"
    assert bandcast("segments", text, "--smart", "--json").json["parts"] == [text]  # û remains
    both = bandcast("segments", text, "--smart", "--smart-accents", "--json").json
    assert (both["encoding"], both["forcing_ucs2"]) == ("GSM-7", [])
    assert both["parts"] == ["Crème brulée - tonight - it's on"]
    told = {each["code_point"]: (each["replacement"], each["count"]) for each in both["smart"]}
    assert told == {"U+00FB": ("u", 1), "U+2013": ("-", 2), "U+2019": ("'", 1)}
    shown = bandcast("segments", "a – b – c\u200b", "--smart").out
    assert "U+2013 EN DASH" in shown
    assert "replaced by -, 2 times" in shown
    assert "removed, once" in shown


def test_a_header_may_be_longer(bandcast):
    document = bandcast("segments", "a" * 306, "--header-bytes", "7", "--json").json
    assert (document["segments"], document["units_left"]) == (3, 150)
    assert [len(part) for part in document["parts"]] == [152, 152, 2]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=repr)
def test_a_hyphen_reads_stdin_without_its_last_line_break(folder, ending):
    reading, writing = os.pipe()
    os.write(writing, f"é\r\n–{ending}".encode())
    os.close(writing)
    try:
        done = finish(start(folder, "segments", "-", "--json", stdin=reading))
    finally:
        os.close(reading)

    assert (done.code, done.err) == (0, "")
    assert done.json["parts"] == ["é\r\n–"]


def refused(done, *words):
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert all(word in line for word in words), line


def test_an_empty_text_is_refused(bandcast, folder):
    refused(bandcast("segments", ""), "the text is empty", "write")
    refused(bandcast("segments", "-"), "the text is empty")
    refused(bandcast("segments", "\u200b", "--smart"), "the text is empty")


def test_bytes_that_are_no_text_are_refused(bandcast, folder):
    refused(bandcast("segments", "caf\udce9"), "not UTF-8")
    (folder / "text").write_bytes(b"caf\xe9\n")
    with (folder / "text").open() as file:
        refused(finish(start(folder, "segments", "-", stdin=file)), "not UTF-8")


@pytest.mark.parametrize("length", ["5", "1000"])
def test_a_header_nobody_has_is_refused(bandcast, length):
    refused(bandcast("segments", "a", "--header-bytes", length), "--header-bytes")
