"""The account: every missing variable is named, secrets show nowhere, plain http stays at home."""

import pytest

from pipeline.account import (
    PRODUCTION_URL,
    BasicCredentials,
    ClientCredentials,
    load_account,
    load_callback_credentials,
)
from pipeline.errors import CredentialsError, SettingsError

BASE = {"BW_ACCOUNT_ID": "9900000", "BW_APPLICATION_ID": "app"}
OAUTH = {"BW_CLIENT_ID": "id", "BW_CLIENT_SECRET": "s3cret"}
BASIC = {"BW_USERNAME": "user", "BW_PASSWORD": "s3cret"}


def test_oauth_is_preferred_to_basic():
    assert isinstance(load_account(BASE | OAUTH | BASIC).credentials, ClientCredentials)
    assert isinstance(load_account(BASE | BASIC).credentials, BasicCredentials)


def test_the_production_address_is_the_default():
    assert load_account(BASE | OAUTH).messaging_url == PRODUCTION_URL


def test_every_missing_variable_is_named_and_no_account_is_an_error_of_credentials():
    with pytest.raises(CredentialsError) as caught:
        load_account({})

    for name in ("BW_ACCOUNT_ID", "BW_APPLICATION_ID", "BW_CLIENT_SECRET", "--simulate"):
        assert name in str(caught.value)

    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/api/v2", "http://localhost:1", "http://[::1]:1/x"]
)
def test_plain_http_is_allowed_for_loopback(url):
    assert load_account(BASE | OAUTH | {"BW_MESSAGING_URL": url}).messaging_url == url


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://127.0.0.1.example.com", "ftp://x", "x"]
)
def test_anything_but_https_is_refused_elsewhere(url):
    with pytest.raises(SettingsError, match="BW_TOKEN_URL"):
        load_account(BASE | OAUTH | {"BW_TOKEN_URL": url})


def test_a_secret_shows_in_no_text():
    account = load_account(BASE | OAUTH)
    assert "s3cret" not in repr(account) + str(account)


def test_a_refused_address_does_not_show_the_password_in_it():
    url = "http://ana:s3cret@example.com/api"
    with pytest.raises(SettingsError) as caught:
        load_account(BASE | OAUTH | {"BW_MESSAGING_URL": url})

    assert "s3cret" not in str(caught.value)
    assert "example.com" in str(caught.value)


def test_what_the_provider_shows_to_our_receiver_is_read_whole_or_not_at_all():
    both = {"BW_CALLBACK_USERNAME": "bandwidth", "BW_CALLBACK_PASSWORD": "s3cret"}
    assert load_callback_credentials(both).username == "bandwidth"
    assert "s3cret" not in repr(load_callback_credentials(both))
    assert load_callback_credentials({}) is None
    assert load_callback_credentials(dict.fromkeys(both, "")) is None
    for missing in both:
        with pytest.raises(CredentialsError, match=f"{missing} is not set"):
            load_callback_credentials(both | {missing: ""})
