"""bandcast media: files up and down, in tables and in JSON, and sentences for what does not go."""

import pytest

from tests.bandwidth.door import MEDIA, Door, environment_of, served

from .shell import SECRETS


@pytest.fixture
def door():
    door = Door()
    with served(door.app) as door.address:
        yield door


@pytest.fixture
def media(bandcast, door):
    environment = environment_of(door.address, **SECRETS)
    return lambda *arguments: bandcast("media", *arguments, env=environment)


def test_a_file_goes_up_is_listed_comes_back_and_is_deleted(media, folder, door):
    (folder / "logo.png").write_bytes(b"picture")

    up = media("upload", "logo.png", "--name", "spring/", "--cache-control", "no-cache", "--json")
    listed = media("list", "--json")
    down = media("get", "spring/logo.png", "--out", "back", "--json")
    gone = media("delete", "spring/logo.png", "--json")

    address = f"{door.address}{MEDIA}/spring/logo.png"
    about = {"name": "spring/logo.png", "bytes": 7}
    assert up.json == {"uploaded": [{**about, "content_type": "image/png", "address": address}]}
    assert listed.json == {"media": [{**about, "address": address}]}
    assert down.json == {"downloaded": [{**about, "file": "back/logo.png"}]}
    assert gone.json == {"deleted": [{"name": "spring/logo.png"}]}
    assert (folder / "back" / "logo.png").read_bytes() == b"picture"
    assert door.files == {}
    assert {up.code, listed.code, down.code, gone.code} == {0}


def test_a_person_reads_names_and_sizes(media, folder):
    (folder / "logo.png").write_bytes(b"picture")

    assert "uploaded: 1" in media("upload", "logo.png").out
    assert media("list").out.split() == ["7", "logo.png"]
    assert media("list", "--quiet").out == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["upload"], "media upload: say which files"),
        (["upload", "nothing.png"], "nothing.png: there is no such file"),
        (["upload", "card.toml"], "card.toml: the provider takes no files that are named like"),
        (["upload", "people.csv", "people.csv", "--name", "x.csv"], "--name is for one file"),
        (["upload", "people.csv", "--name", "../x.csv"], "is no name for a media file"),
        (["upload", "empty.png"], "empty.png: is empty: there is nothing to upload"),
        (["upload", "huge.mp4"], "huge.mp4: has 3,750,001 bytes, and the provider takes at most"),
        (["fly"], "'action': 'fly' is not one of 'upload', 'list'"),
        (["upload", "folder"], "folder: is a folder; name the files in it, as folder/*"),
        (["upload", "a/x.csv", "b/x.csv"], "2 of these files would be 'x.csv' there"),
        (["upload", "people.csv", "--cache-control", "a\r\nX: y"], "cannot stand in a header"),
        (
            ["upload", "people.csv", "--content-type", "text/plain\nX: y"],
            "cannot stand in a header",
        ),
        (["list", "a.png"], "media list: lists every file"),
        (["get", "people.csv"], "people.csv: is there already"),
        (["get", "a/b.png", "c/b.png"], "two of these would become one file"),
    ],
)
def test_bad_usage_is_one_sentence_and_nothing_is_sent(media, folder, door, arguments, sentence):
    for name in ("folder", "a", "b"):
        (folder / name).mkdir()

    for name in ("a", "b"):
        (folder / name / "x.csv").write_text("x")

    (folder / "empty.png").touch()
    (folder / "huge.mp4").write_bytes(bytes(3_750_001))

    done = media(*arguments)

    assert done.code == 2
    assert sentence in done.err
    assert len(done.sentences()) == 1
    assert not door.heard


def test_a_file_that_is_too_large_is_refused_in_the_provider_s_words(media, folder):
    (folder / "big.png").write_bytes(bytes(3_500_001))

    done = media("upload", "big.png")

    assert done.code == 2
    assert "'media' must be at most 3.5 MB" in done.err


def test_a_download_that_fails_leaves_no_file(media, folder):
    done = media("get", "nothing.png")

    assert done.code == media("delete", "nothing.png").code == 2
    assert "there is no media file 'nothing.png'" in done.err
    assert not [path for path in folder.iterdir() if "nothing" in path.name]


def test_without_credentials_it_says_what_to_set(bandcast):
    done = bandcast("media", "list")

    assert done.code == 4
    assert "set BW_ACCOUNT_ID, BW_CLIENT_ID with BW_CLIENT_SECRET" in done.err
    assert "APPLICATION" not in done.err


def test_refused_credentials_end_with_their_code(media, door):
    door.refusals = [(403, {})]

    assert media("list").code == 4


def test_a_wrong_token_address_is_asked_once_and_named(bandcast, door):
    environment = environment_of(door.address, **SECRETS)
    environment["BW_TOKEN_URL"] = f"{door.address}/nowhere"

    done = bandcast("media", "list", env=environment)

    assert done.code == 4
    assert "again" not in done.err
    assert "HTTP 404" in done.err
    assert "BW_TOKEN_URL" in done.err


def test_a_wrong_address_or_account_is_named(bandcast, door):
    environment = environment_of(door.address, **SECRETS)
    environment["BW_MESSAGING_URL"] = f"{door.address}/api/v3"

    done = bandcast("media", "list", env=environment)

    assert done.code == 2
    assert "check BW_MESSAGING_URL and BW_ACCOUNT_ID" in done.err
