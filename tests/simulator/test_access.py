import time

import pytest

from pipeline.simulator.access import Credentials
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour

from .caller import MESSAGES, ask, message

CLIENT = ("client", "secret")
FORM = {"grant_type": "client_credentials"}


def app_with(**wanted):
    return make_app(Behaviour(), credentials=Credentials(**wanted))


def new_token(app, auth=CLIENT, form=FORM):
    return ask(app, "POST", "/api/v1/oauth2/token", auth=auth, data=form)


def post_with(app, token):
    headers = {"authorization": f"Bearer {token}"}
    return ask(app, "POST", auth=None, json=message(), headers=headers).status_code


def test_a_token_for_client_credentials_opens_the_api():
    app = app_with(client=CLIENT, token_seconds=600)
    answer = new_token(app).json()
    assert (answer["expires_in"], answer["token_type"]) == (600, "Bearer")
    assert post_with(app, answer["access_token"]) == 202


@pytest.mark.parametrize(
    ("auth", "form", "status", "error"),
    [
        pytest.param(("client", "wrong"), FORM, 401, "invalid_client", id="wrong secret"),
        pytest.param(None, FORM, 401, "invalid_client", id="no credentials"),
        pytest.param(CLIENT, {}, 400, "unsupported_grant_type", id="no grant type"),
        pytest.param(
            CLIENT, {"grant_type": "password"}, 400, "unsupported_grant_type", id="other grant"
        ),
    ],
)
def test_no_token_without_the_right_credentials(auth, form, status, error):
    answer = new_token(app_with(client=CLIENT), auth, form)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_a_token_that_was_never_issued_or_was_revoked_is_refused():
    app = app_with()
    token = new_token(app).json()["access_token"]
    assert post_with(app, "invented") == 401
    assert post_with(app, token) == 202
    assert ask(app, "POST", "/_tokens/revoke", auth=None).status_code == 204
    assert post_with(app, token) == 401
    assert post_with(app, new_token(app).json()["access_token"]) == 202


def test_a_token_expires():
    app = app_with(token_seconds=0.05)
    token = new_token(app).json()["access_token"]
    time.sleep(0.06)
    assert post_with(app, token) == 401


@pytest.mark.parametrize(
    ("wanted", "auth", "status"),
    [
        pytest.param({}, ("anybody", "at all"), 202, id="any by default"),
        pytest.param({"basic": ("user", "secret")}, ("user", "secret"), 202, id="right"),
        pytest.param({"basic": ("user", "secret")}, ("user", "wrong"), 401, id="wrong password"),
        pytest.param({"account_id": "9900000"}, ("user", "secret"), 202, id="right account"),
        pytest.param({"account_id": "9900001"}, ("user", "secret"), 403, id="other account"),
        pytest.param({"forbidden": True}, ("user", "secret"), 403, id="no permission"),
    ],
)
def test_basic_credentials_and_the_account_are_checked(wanted, auth, status):
    for method, options in (("POST", {"json": message()}), ("GET", {"params": {"messageId": "m"}})):
        answer = ask(app_with(**wanted), method, auth=auth, **options)
        assert answer.status_code == (200 if (method, status) == ("GET", 202) else status)
        if status == 403:
            assert answer.json() == {"type": "forbidden", "description": "Access Denied"}


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", "Bearer"]
)
def test_a_header_that_shows_nothing_is_refused(header):
    answer = ask(app_with(), "POST", MESSAGES, auth=None, headers={"authorization": header})
    assert answer.status_code == 401


def test_secrets_are_not_printed():
    assert "secret" not in repr(Credentials(basic=("user", "secret"), client=CLIENT))
