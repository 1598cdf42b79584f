"""`bandcast simulate`: its help, its clock and its options; what it answers is tested elsewhere."""

import base64

import httpx
import pytest

from pipeline.simulator.magic import ENDINGS
from tests.crash.launch import simulating
from tests.simulator.caller import ACCOUNT, BASIC, MESSAGES, message, number
from tests.simulator.stage import Receiver


def test_the_help_tells_every_magic_number_and_share(bandcast):
    told = bandcast("simulate", "--help")
    text = " ".join(told.out.replace("│", " ").split())
    assert told.code == 0
    assert all(f"555-{digits}" in text for digits in ENDINGS)
    assert all(word in text for word in ("555-4775", "opted_out", "landline", "unreceipted"))


def test_a_stopped_clock_is_moved_by_hand_and_callbacks_show_their_credentials():
    with (
        Receiver() as receiver,
        simulating(
            *("--stopped-at", "2026-01-31T12:00:00+01:00", "--callback-url", receiver.url),
            *("--callback-user", "hook", "--callback-password", "word"),
        ) as url,
        httpx.Client(base_url=url, auth=BASIC, trust_env=False) as client,
    ):
        accepted = client.post(MESSAGES, json=message()).json()
        assert accepted["time"] == "2026-01-31T11:00:00Z"
        assert receiver.posts == []
        passed = client.post("/_clock", json={"seconds": 60})
        assert passed.json() == {"now": "2026-01-31T11:01:00Z"}
        ((headers, _),) = receiver.posts

    assert base64.b64decode(headers["authorization"].split()[1]) == b"hook:word"


def test_a_scaled_clock_has_a_day_in_a_moment():
    with (
        simulating("--time-scale", "1000000", "--rate", "0.001", "--queue-seconds", "5000") as url,
        httpx.Client(base_url=url, auth=BASIC, trust_env=False) as client,
    ):
        for _ in range(20):  # a thousand seconds each
            while client.post(MESSAGES, json=message()).status_code == 429:
                pass

        assert client.get("/_ledger").json()["messages"] == 20


def test_the_limits_of_the_command_are_those_of_the_provider():
    options = ("--max-recipients", "2", "--media-mb", "0.001", "--media-hours", "1")
    with (
        simulating(*options, "--stopped-at", "2026-01-31T12:00:00Z") as url,
        httpx.Client(base_url=url, auth=BASIC, trust_env=False) as client,
    ):
        group = [number(index) for index in range(3)]
        statuses = [
            client.post(MESSAGES, json=message(to=group[:most])).status_code for most in (2, 3)
        ]
        assert statuses == [202, 400]

        media, picture = f"/api/v2/users/{ACCOUNT}/media", {"content-type": "image/png"}
        statuses = [
            client.put(f"{media}/a", content=b"x" * size, headers=picture).status_code
            for size in (1_000, 1_001)
        ]
        assert statuses == [204, 400]

        kept = []
        for seconds in (3_599, 1):
            client.post("/_clock", json={"seconds": seconds})
            kept.append(len(client.get(media).json()))

        assert kept == [1, 0]


def test_what_older_documents_say_is_had_by_options():
    options = (
        *("--max-recipients", "50", "--text-required", "--media-mb", "3.75"),
        *("--page-size", "50", "--max-page-size", "1000", "--username", "u", "--password", "p"),
    )
    with (
        simulating(*options) as url,
        httpx.Client(base_url=url, auth=("u", "p"), trust_env=False) as client,
    ):
        to, picture = [number(index) for index in range(50)], ["https://example.com/a.png"]
        taken = client.post(MESSAGES, json=message(to=to))
        wordless = client.post(MESSAGES, json=message(text=None, media=picture))
        found = client.get(MESSAGES, params={"messageType": "mms"}).json()
        client.post(MESSAGES, json=message(to=to[:1]))
        more = client.get(MESSAGES, params={"messageDirection": "OUTBOUND"}).json()
        far = client.get(MESSAGES, params={"messageType": "sms", "limit": "1001"})
        stranger = client.get(MESSAGES, params={"messageType": "sms"}, auth=("u", "x"))

    assert (taken.status_code, wordless.status_code) == (202, 400)
    assert wordless.json()["fieldErrors"] == [
        {"fieldName": "text", "description": "'text' is required"}
    ]
    assert len(found["messages"]) == 50
    assert (more["totalCount"], len(more["messages"])) == (51, 50)
    assert (far.status_code, stranger.status_code) == (400, 401)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--time-scale", "0"), "--time-scale must be above 0", id="no time"),
        pytest.param(("--stopped-at", "noon"), "--stopped-at must be a moment", id="no moment"),
        pytest.param(("--stopped-at", "2026-01-31T12:00:00"), "12:00:00Z", id="no zone"),
        pytest.param(
            ("--stopped-at", "2026-01-31T12:00:00Z", "--time-scale", "9"), "exclude", id="both"
        ),
        pytest.param(("--callback-user", "hook"), "--callback-password", id="half a credential"),
        pytest.param(("--callback-url", "localhost:80"), "http://", id="no address"),
        pytest.param(("--callback-url", "http://a b/"), "http://", id="a blank"),
        pytest.param(("--callback-url", "http://localhost:80800/"), "http://", id="no such port"),
        pytest.param(("--callback-url", "http://[::1/"), "http://", id="half an address"),
        pytest.param(("--stopped-at", "0001-01-01T00:00:00+14:00"), "moment", id="before time"),
        pytest.param(("--queue-seconds", "-1"), "--queue-seconds must be", id="no queue"),
        pytest.param(("--page-size", "0"), "--page-size", id="no page"),
        pytest.param(("--max-page-size", "10001"), "--max-page-size", id="pages too large"),
        pytest.param(("--username", "u"), "--password", id="half of Basic"),
        pytest.param(("--media-mb", "0"), "--media-mb must be", id="no media"),
        pytest.param(("--media-hours", "nan"), "--media-hours must be", id="no retention"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(bandcast, options, sentence):
    refused = bandcast("simulate", "--port", "0", *options)
    assert refused.code == 2
    assert sentence in refused.err
    assert "Traceback" not in refused.err


def test_an_address_of_ipv6_is_said_in_brackets():
    with simulating("--host", "::1") as url:
        assert url.startswith("http://[::1]:")
        assert httpx.get(f"{url}/_ledger").status_code == 200
