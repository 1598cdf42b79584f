"""--profile: whose account sends, with the secret from the environment or the system's keyring."""

import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from tests.crash.launch import simulating
from tests.jobs.shell import ledger

PROFILES = """
[shop]
account_id = "9900000"
application_id = "app"
client_id = "id-Quagga"
messaging_url = "{url}/api/v2"
token_url = "{url}/api/v1/oauth2/token"
"""
SEND = ("send", "campaign.toml", "--yes", "--quiet")


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self, *, locked=False):
        super().__init__()
        self.secrets, self.locked = {}, locked

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("s3cret details")

        return self.secrets.get((service, username))

    def set_password(self, service, username, password):
        self.secrets[service, username] = password


@pytest.fixture
def drawer():
    before, drawer = keyring.get_keyring(), Drawer()
    keyring.set_keyring(drawer)
    yield drawer
    keyring.set_keyring(before)


def write(folder, url="http://127.0.0.1:9"):
    (folder / "profiles.toml").write_text(PROFILES.format(url=url))
    return {"BANDCAST_CONFIG": "profiles.toml"}


@pytest.mark.parametrize("named_by", ["option", "environment"])
def test_a_campaign_is_sent_by_a_profile_with_the_secret_of_the_keyring(
    bandcast, folder, drawer, named_by
):
    keyring.set_password("bandcast", "shop", "secret-Okapi")
    options = ["--client-id", "id-Quagga", "--client-secret", "secret-Okapi"]
    with simulating("--account-id", "9900000", *options) as url:
        env = write(folder, url)
        if named_by == "option":
            done = bandcast(*SEND, "--profile", "shop", env=env)
        else:
            done = bandcast(*SEND, env=env | {"BANDCAST_PROFILE": "shop"})

        assert (done.code, done.out, done.err) == (0, "", "")
        assert ledger(url)["messages"] == 20


def test_without_a_secret_anywhere_a_sentence_says_both_ways(bandcast, folder, drawer):
    done = bandcast(*SEND, "--profile", "shop", env=write(folder))
    assert done.code == 4
    assert "set BW_CLIENT_SECRET, or run: keyring set bandcast shop" in done.err
    assert not (folder / "bandcast.db").exists()


def test_without_the_keyring_package_a_sentence_says_how_to_get_it(bandcast, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    done = bandcast(*SEND, "--profile", "shop", env=write(folder))
    assert done.code == 4
    assert "pip install 'bandcast[keyring]'" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_keyring_that_cannot_be_read_is_a_sentence_without_its_details(bandcast, folder, drawer):
    drawer.locked = True
    done = bandcast(*SEND, "--profile", "shop", env=write(folder))
    assert done.code == 4
    assert "KeyringLocked" in done.err
    assert "s3cret" not in done.err


def test_the_default_file_is_in_the_home_folder(bandcast, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    done = bandcast(*SEND, "--profile", "shop")
    assert done.code == 2
    assert str(folder / "home/.config/bandcast/profiles.toml") in done.err.replace("\n", "")


def test_receive_answers_help_with_a_profile_too(bandcast, folder, drawer):
    done = bandcast(
        "receive", "--port", "0", "--help-text", "Acme", "--profile", "shop", env=write(folder)
    )
    assert done.code == 4
    assert "keyring set bandcast shop" in done.err


def test_a_simulation_asks_for_no_profile(bandcast, folder):
    done = bandcast(*SEND, "--simulate", env={"BANDCAST_PROFILE": "gone"})
    assert done.code == 0
