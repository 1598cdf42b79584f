"""Profiles: named accounts in a file that holds no secret, and never mixed with another account."""

import pytest

from pipeline.account import ClientCredentials, load_account
from pipeline.errors import CredentialsError, SettingsError
from pipeline.profiles import Profile, read_profile, with_profile

FILE = """
[shop]
account_id = "9900000"
application_id = "app"
client_id = "id"
messaging_url = "https://messaging.example/api/v2"
token_url = "https://token.example"
[other]
account_id = "9900001"
"""
SHOP = {
    "BW_ACCOUNT_ID": "9900000",
    "BW_APPLICATION_ID": "app",
    "BW_CLIENT_ID": "id",
    "BW_MESSAGING_URL": "https://messaging.example/api/v2",
    "BW_TOKEN_URL": "https://token.example",
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_text(FILE)
    return path


def nobody_asked(profile):
    raise AssertionError("the keyring was asked")


def no_secret(profile):
    raise CredentialsError(f"no secret for {profile}")


def problems(path, text, name="shop"):
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_profile(path, name)

    return caught.value.problems


def test_a_profile_names_an_account_in_full(path):
    shop = read_profile(path, "shop")
    assert shop == Profile(name="shop", variables=SHOP)
    account = load_account(with_profile({}, shop, secret_of=lambda name: f"secret of {name}"))
    assert (account.account_id, account.token_url) == ("9900000", "https://token.example")
    assert isinstance(account.credentials, ClientCredentials)
    assert account.credentials.client_secret.get_secret_value() == "secret of shop"


def test_a_secret_of_the_environment_comes_first(path):
    merged = with_profile(
        {"BW_CLIENT_SECRET": "s"}, read_profile(path, "shop"), secret_of=nobody_asked
    )
    assert merged == SHOP | {"BW_CLIENT_SECRET": "s"}


def test_what_a_profile_leaves_open_the_environment_says_and_no_keyring_is_asked(path):
    environ = {"BW_APPLICATION_ID": "mine", "BW_USERNAME": "u", "BW_PASSWORD": "p"}
    merged = with_profile(environ, read_profile(path, "other"), secret_of=nobody_asked)
    assert load_account(merged).account_id == "9900001"


def test_a_client_without_a_secret_never_falls_back_to_another_user_of_the_environment(path):
    environ = {"BW_USERNAME": "u", "BW_PASSWORD": "p"}
    with pytest.raises(CredentialsError, match="no secret for shop"):
        with_profile(environ, read_profile(path, "shop"), secret_of=no_secret)


def test_an_environment_that_names_another_account_is_refused_and_neither_is_guessed(path):
    environ = {"BW_ACCOUNT_ID": "1", "BW_CLIENT_ID": "other", "BW_APPLICATION_ID": "app"}
    with pytest.raises(SettingsError) as caught:
        with_profile(environ, read_profile(path, "shop"), secret_of=nobody_asked)

    assert [problem.split()[0] for problem in caught.value.problems] == [
        "BW_ACCOUNT_ID",
        "BW_CLIENT_ID",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'client_secret = "s3cret"',
        'secret = "s3cret"',
        'BW_CLIENT_SECRET = "s3cret"',
        'password = "s3cret"',
        'access_token = "s3cret"',
        'api_key = "s3cret"',
        'messaging_url = "https://ana:s3cret@example.com/api"',
        '[more]\npassword = "s3cret"',
    ],
)
def test_a_secret_in_the_file_is_refused_with_where_it_belongs_and_not_repeated(path, line):
    (problem,) = problems(path, f'[shop]\naccount_id = "1"\n{line}\n')
    assert "s3cret" not in problem
    assert "set BW_CLIENT_SECRET" in problem
    assert "keyring set bandcast" in problem


def test_a_secret_outside_of_a_profile_is_refused_too(path):
    (problem,) = problems(path, 'client_secret = "s3cret"\n')
    assert "set BW_CLIENT_SECRET" in problem
    assert "s3cret" not in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[shop]\nacount_id = "1"', "did you mean 'account_id'?"),
        ('[shop]\nx = "1"', "known here: account_id, application_id"),
        ("[shop]\naccount_id = 9900000", "'account_id' must be a text in quotation marks"),
        ('[shop]\naccount_id = ""', "must be a text"),
        ('account_id = "1"', "outside of a profile"),
        ("[shop", "is not TOML"),
        ('[other]\naccount_id = "1"', "has no profile 'shop'; known there: other"),
        ("", "known there: none"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(path, text, words):
    (problem,) = problems(path, text)
    assert words in problem


def test_every_problem_of_the_file_is_said_at_once(path):
    assert len(problems(path, '[a]\nx = "1"\npassword = "p"\n[b]\naccount_id = 1\n')) == 3


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(SettingsError, match=r"profile 'shop': .*gone.toml cannot be read"):
        read_profile(tmp_path / "gone.toml", "shop")
