import json
import re
from datetime import datetime

import pytest

from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from tests.bandwidth.samples import CREATED, sample

from . import caller
from .caller import MESSAGES, ask, message, send


@pytest.fixture
def app():
    return make_app(Behaviour())


def test_a_message_is_taken_and_told_back(app):
    answer = send(app, priority="high", expiration="2999-01-01T00:00:00Z")
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert datetime.fromisoformat(body.pop("time")).tzinfo is not None
    assert re.fullmatch(r"[0-9a-z]{20,40}", body.pop("id"))
    assert body == {
        **message(priority="high", expiration="2999-01-01T00:00:00Z"),
        "owner": caller.SENDER,
        "segmentCount": 1,
        "direction": "out",
    }


@pytest.mark.parametrize(
    ("changes", "segments"),
    [
        pytest.param({"text": "a" * 161}, 2, id="long sms"),
        pytest.param({"to": "+19195550123"}, 1, id="one bare number"),
        pytest.param({"from": "12345"}, 1, id="short code"),
        pytest.param({"from": "Shop & Co"}, 1, id="alphanumeric sender"),
        pytest.param(
            {"text": "a" * 161, "media": ["https://example.com/a.png"]}, 1, id="mms is one"
        ),
        pytest.param(
            {"text": "", "media": ["https://example.com/a.png"]}, 1, id="picture without text"
        ),
        pytest.param({"to": [caller.number(i) for i in range(10)]}, 1, id="group of ten"),
        pytest.param({"tag": "null"}, 1, id="a tag that reads null"),
    ],
)
def test_valid_messages_are_taken(app, changes, segments):
    answer = ask(app, "POST", json={**message(), **changes})
    assert (answer.status_code, answer.json()["segmentCount"]) == (202, segments)


def e164(given):
    return f"'{given}' must be replaced with a valid E164 formatted telephone number"


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        pytest.param(
            {"to": [], "from": "", "text": ""},
            [
                ("from", "'from' must contain exactly one telephone number"),
                ("to", "'to' must contain at least one telephone number"),
                ("text", "'text' is required unless media is included"),
            ],
            id="all at once",
        ),
        pytest.param(
            {"to": ["+invalid", "+19195550123", "911"]},
            [("to", e164("+invalid")), ("to", e164("911"))],
            id="recipients",
        ),
        pytest.param({"from": "+0123"}, [("from", e164("+0123"))], id="sender"),
        pytest.param(
            {"from": "twelve chars"}, [("from", e164("twelve chars"))], id="long sender name"
        ),
        pytest.param(
            {"applicationId": ""},
            [("applicationId", "'applicationId' is required")],
            id="application",
        ),
        pytest.param(
            {"to": [caller.number(i) for i in range(11)]},
            [("to", "'to' must contain at most 10 telephone numbers")],
            id="group of eleven",
        ),
        pytest.param(
            {"to": ["+19195550123", "+19195550123"]},
            [("to", "'to' must contain unique telephone numbers")],
            id="same recipient twice",
        ),
        pytest.param(
            {"text": "a" * 2049},
            [("text", "'text' must be at most 2048 characters")],
            id="long text",
        ),
        pytest.param(
            {"tag": "t" * 1025}, [("tag", "'tag' must be at most 1024 characters")], id="long tag"
        ),
        pytest.param(
            {"priority": "urgent"},
            [("priority", "'priority' must be 'default' or 'high'")],
            id="priority",
        ),
        pytest.param(
            {"expiration": "2020-01-01T00:00:00Z"},
            [("expiration", "'expiration' must be in the future")],
            id="expired",
        ),
        pytest.param(
            {"expiration": "tomorrow"},
            [("expiration", "'expiration' must be an RFC-3339 date and time")],
            id="expiration unreadable",
        ),
        pytest.param(
            {"expiration": "2999-W01-1T00:00:00Z"},
            [("expiration", "'expiration' must be an RFC-3339 date and time")],
            id="expiration of another standard",
        ),
        pytest.param(
            {"media": [f"https://example.com/{i}.png" for i in range(11)]},
            [("media", "'media' must contain at most 10 addresses")],
            id="eleven pictures",
        ),
        pytest.param(
            {"media": ["https://example.com/a.png?b=%20", "a b", ""]},
            [
                ("media", "'a b' in 'media' must be replaced with a valid URL"),
                ("media", "'' in 'media' must be replaced with a valid URL"),
            ],
            id="addresses that are none",
        ),
        pytest.param({"tag": None}, [("tag", "'tag' must not be null")], id="null"),
        pytest.param(
            {"media": ["https://example.com/" + "p" * 4096]},
            [("media", "an address in 'media' must be at most 4096 characters")],
            id="long address",
        ),
    ],
)
def test_every_problem_of_a_request_is_answered_at_once(app, changes, errors):
    answer = ask(app, "POST", json={**message(), **changes})
    assert answer.status_code == 400
    assert answer.json() == {
        "type": "request-validation",
        "description": "Your request could not be accepted",
        "fieldErrors": [
            {"fieldName": field, "description": sentence} for field, sentence in errors
        ],
    }
    assert not app.state.ledger.texts


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "expected"),
    [
        pytest.param(
            "POST",
            MESSAGES,
            {"content": b"{", "headers": JSON},
            400,
            {"type": "request-validation", "description": "Your request could not be accepted"},
            id="no json",
        ),
        pytest.param(
            "POST",
            MESSAGES,
            {"content": b"[]", "headers": JSON},
            400,
            {"type": "request-validation", "description": "Your request could not be accepted"},
            id="no object",
        ),
        pytest.param(
            "POST",
            MESSAGES,
            {"json": message(), "auth": None},
            401,
            {"type": "unauthorized", "description": "Authentication Failed"},
            id="no credentials",
        ),
        pytest.param(
            "POST",
            MESSAGES,
            {"content": b"x", "headers": {"content-type": "text/plain;charset=UTF-8"}},
            415,
            {
                "type": "unsupported-content-type",
                "description": "Content type 'text/plain;charset=UTF-8' not supported. "
                "Please use 'application/json'",
            },
            id="no json type",
        ),
        pytest.param(
            "POST",
            MESSAGES,
            {"json": message(), "headers": {"accept": "text/html"}},
            406,
            {"type": "not-acceptable", "description": "Only 'application/json' can be produced"},
            id="wants html",
        ),
        pytest.param(
            "DELETE",
            MESSAGES,
            {},
            405,
            {
                "type": "method-not-allowed",
                "description": "Request method 'DELETE' not supported",
            },
            id="no such method",
        ),
    ],
)
def test_refusals_are_as_documented(app, method, path, options, status, expected):
    answer = ask(app, method, path, **options)
    assert (answer.status_code, answer.json()) == (status, expected)
    assert not app.state.ledger.texts


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
def test_an_unknown_address_is_refused_by_the_framework(app, method):
    answer = ask(app, method, "/api/v2/user/9900000/messages")
    body = answer.json()
    assert answer.status_code == 404
    assert datetime.fromisoformat(body.pop("timestamp")).tzinfo is not None
    assert body == {
        "status": 404,
        "error": "Not Found",
        "message": "No message available",
        "path": "/api/v2/user/9900000/messages",
    }


def test_a_full_queue_is_a_429_without_retry_after_and_nothing_is_taken():
    app = make_app(Behaviour(), rate=2.0, queue_seconds=2)
    answers = [send(app, to=[caller.number(i)], text="a" * 161) for i in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert "retry-after" not in answers[2].headers
    assert answers[2].json()["type"] == "max-message-queue-size-exceeded"
    assert "Your allowed rate is 120 messages per minute." in answers[2].json()["description"]
    assert len(app.state.ledger.texts) == 2


def test_the_ledger_tells_what_the_handsets_received(app):
    for tag in ("r.1.1", "r.1.2"):
        send(app, tag=tag, text="a" * 161)

    report = ask(app, "GET", "/_ledger?messages=1", auth=None).json()
    assert (report["requests"], report["messages"], report["segments"]) == (2, 2, 4)
    assert report["duplicates"] == 1
    assert report["duplicate_handsets"] == [
        {"to": "+19195550123", "texts": 2, "tags": ["r.1.1", "r.1.2"]}
    ]
    assert [text["tag"] for text in report["texts"]] == ["r.1.1", "r.1.2"]
    assert report["max_segments_in_1_s"] == 4
    assert ask(app, "POST", "/_ledger/reset", auth=None).status_code == 204
    assert ask(app, "GET", "/_ledger", auth=None).json()["messages"] == 0


@pytest.mark.parametrize("name", CREATED)
def test_the_documented_examples_are_answered_as_documented(app, name):
    asked, told = json.loads(sample(f"create-{name}.request")), sample(f"create-{name}.response")
    answer = ask(app, "POST", json=asked)
    body = answer.json()
    assert answer.status_code == 202
    assert datetime.fromisoformat(body.pop("time")).tzinfo is not None
    assert body.pop("id")
    # One documented answer leaves the application out; the current document always has it.
    expected = json.loads(told) | {"applicationId": asked["applicationId"]}
    assert body == {key: expected[key] for key in expected if key not in {"id", "time"}}


def test_a_null_that_is_no_field_of_ours_does_no_harm(app):
    assert ask(app, "POST", json={**message(), "mood": None}).status_code == 202


def test_no_tag_is_needed_and_a_picture_named_twice_is_told_once(app):
    picture = "https://example.com/a.png"
    body = send(app, tag=None, media=[picture, picture]).json()
    assert "tag" not in body
    assert body["media"] == [picture]


@pytest.mark.parametrize(
    ("most", "recipients", "status"), [(50, 50, 202), (50, 51, 400), (1, 2, 400)]
)
def test_groups_are_as_large_as_the_setting_says(most, recipients, status):
    app = make_app(Behaviour(), max_recipients=most)
    answer = send(app, to=[caller.number(i) for i in range(recipients)])
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["fieldErrors"][0] == {
            "fieldName": "to",
            "description": f"'to' must contain at most {most} telephone numbers",
        }


@pytest.mark.parametrize("most", [0, 51])
def test_no_setting_goes_beyond_what_was_ever_documented(most):
    with pytest.raises(ValueError, match="between 1 and 50"):
        make_app(Behaviour(), max_recipients=most)
