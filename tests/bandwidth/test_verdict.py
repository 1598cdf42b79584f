"""The table of what an answer means, row by row."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from pipeline.bandwidth.verdict import outcome_of_answer, outcome_of_error, retry_after_seconds
from pipeline.model import Accepted, Halted, InDoubt, NotSent, Rejected
from tests.bandwidth.samples import MESSAGE_ID, sample

OWN = b'{"type": "some-type", "description": "Some sentence"}'
GATEWAY = b"<html><title>Bad Gateway</title></html>"
EMPTY = b""
DATE = "Sat, 21 Nov 2026 09:00:00 GMT"


def judge(status, body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return outcome_of_answer(status, httpx.Headers(named), body, tag="r.1.1")


@pytest.mark.parametrize("name", ["sms", "mms", "mms-two-pictures", "group", "group-mms"])
def test_a_documented_202_is_accepted(name):
    outcome = judge(202, sample(f"create-{name}.response"))

    assert outcome == Accepted(message_id=MESSAGE_ID, segments_billed=1, http_status=202)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_id_is_believed_in_any_success(status):
    outcome = judge(status, b'{"id": "x"}')

    assert outcome == Accepted(message_id="x", segments_billed=None, http_status=status)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
@pytest.mark.parametrize("body", [EMPTY, GATEWAY, b"{}", b'{"id": ""}', b'{"id": "x"', OWN])
def test_a_success_without_an_id_is_in_doubt(status, body):
    assert isinstance(judge(status, body), InDoubt)


VERDICTS = {
    # status: (with Bandwidth's own body, with a gateway's or none)
    100: (InDoubt, InDoubt),
    101: (InDoubt, InDoubt),
    300: (InDoubt, InDoubt),
    301: (InDoubt, InDoubt),
    302: (InDoubt, InDoubt),
    303: (InDoubt, InDoubt),
    304: (InDoubt, InDoubt),
    307: (InDoubt, InDoubt),
    308: (InDoubt, InDoubt),
    400: (Rejected, Rejected),
    401: (Halted, Halted),
    402: (Rejected, InDoubt),
    403: (Halted, Halted),
    404: (Halted, Halted),
    405: (Halted, Halted),
    406: (Halted, Halted),
    407: (Rejected, InDoubt),
    408: (InDoubt, InDoubt),
    409: (Rejected, InDoubt),
    410: (Rejected, InDoubt),
    411: (Rejected, InDoubt),
    413: (Rejected, Rejected),
    414: (Rejected, InDoubt),
    415: (Rejected, Rejected),
    421: (Rejected, InDoubt),
    422: (Rejected, Rejected),
    425: (Rejected, InDoubt),
    429: (NotSent, NotSent),
    431: (Rejected, InDoubt),
    451: (Rejected, InDoubt),
    499: (Rejected, InDoubt),
    500: (NotSent, InDoubt),
    501: (NotSent, InDoubt),
    502: (InDoubt, InDoubt),
    503: (NotSent, InDoubt),
    504: (InDoubt, InDoubt),
    507: (NotSent, InDoubt),
    520: (NotSent, InDoubt),
    524: (NotSent, InDoubt),
    599: (NotSent, InDoubt),
    600: (InDoubt, InDoubt),
    999: (InDoubt, InDoubt),
}


@pytest.mark.parametrize(("status", "verdicts"), VERDICTS.items(), ids=map(str, VERDICTS))
def test_an_answer_means_what_the_table_says(status, verdicts):
    own, foreign = verdicts

    assert type(judge(status, OWN)) is own
    assert type(judge(status, GATEWAY)) is foreign
    assert type(judge(status, EMPTY)) is foreign
    assert judge(status, OWN).http_status == status


@pytest.mark.parametrize("status", range(100, 600))
@pytest.mark.parametrize("body", [OWN, GATEWAY], ids=["own", "gateway"])
def test_only_a_documented_refusal_leads_back_to_ready(status, body):
    """The promise itself: everything the provider does not document leaves the message alone."""
    if isinstance(judge(status, body), NotSent | Halted):
        assert status in {401, 403, 404, 405, 406, 429} or (
            body is OWN and status >= 500 and status not in {502, 504}
        )


def test_a_spring_404_stops_the_run():
    outcome = judge(404, sample("error-404"))

    assert outcome == Halted(reason="404 no such address or account", http_status=404)


def test_a_refused_message_keeps_the_providers_words():
    outcome = judge(400, sample("error-400"))

    assert (outcome.http_status, outcome.error_code) == (400, "request-validation")
    assert outcome.error.startswith("Your request could not be accepted; from: 'from' must contain")


def test_a_refusal_in_html_is_a_refusal_without_words():
    assert judge(413, GATEWAY) == Rejected(http_status=413)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("error-429-queue", "429 queue full"), ("error-429-listing", "429 too many requests")],
)
def test_a_429_says_which_limit_was_met(name, reason):
    assert judge(429, sample(name)) == NotSent(reason=reason, http_status=429)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_wait_that_is_asked_for_is_kept(status):
    assert judge(status, OWN, retry_after="300").retry_after_seconds == 300


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("300", 300),
        (" 7 ", 7),
        ("86400", 86_400),
        ("Sat, 21 Nov 2026 09:05:00 GMT", 300),
        ("Sat, 21 Nov 2026 04:05:00 -0500", 300),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 08:59:00 GMT", None),
        ("Mon, 21 Dec 2026 09:00:00 GMT", None),
        ("86401", None),
        ("9" * 5000, None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("nan", None),
        ("٣٠٠", None),
        ("soon", None),
        ("", None),
        ("Sat, 99 Nov 2026 09:05:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date_and_nonsense_is_ignored(value, seconds):
    headers = httpx.Headers([(b"retry-after", value.encode()), (b"date", DATE.encode())])

    assert retry_after_seconds(headers) == seconds


@pytest.mark.parametrize("date", [None, "today"])
def test_a_date_to_retry_after_means_nothing_without_the_answers_own_date(date):
    headers = httpx.Headers({"retry-after": DATE} | ({"date": date} if date else {}))

    assert retry_after_seconds(headers) is None


def test_no_retry_after_is_no_wait():
    assert retry_after_seconds(httpx.Headers()) is None


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (httpx.ConnectError("x"), NotSent),
        (httpx.ConnectTimeout("x"), NotSent),
        (httpx.PoolTimeout("x"), NotSent),
        (httpx.ReadTimeout("x"), InDoubt),
        (httpx.WriteTimeout("x"), InDoubt),
        (httpx.ReadError("x"), InDoubt),
        (httpx.WriteError("x"), InDoubt),
        (httpx.CloseError("x"), InDoubt),
        (httpx.RemoteProtocolError("x"), InDoubt),
        (httpx.LocalProtocolError("x"), InDoubt),
        (httpx.DecodingError("x"), InDoubt),
        (httpx.ProxyError("x"), InDoubt),
        (httpx.UnsupportedProtocol("x"), InDoubt),
        (httpx.TooManyRedirects("x"), InDoubt),
        (ConnectionRefusedError("x"), InDoubt),
        (ConnectionResetError("x"), InDoubt),
        (TimeoutError("x"), InDoubt),
        (RuntimeError("x"), InDoubt),
        (asyncio.CancelledError("x"), InDoubt),
        (KeyboardInterrupt("x"), InDoubt),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_only_a_failure_to_connect_proves_that_nothing_was_sent(error, verdict):
    assert type(outcome_of_error(error)) is verdict


def test_reasons_hold_no_personal_data():
    body = b'{"type": "+19195550141", "description": "Dear Alice +19195550141"}'
    error = httpx.ReadError("Dear Alice +19195550141")

    outcomes = [judge(status, body) for status in range(100, 600)] + [outcome_of_error(error)]
    reasons = [outcome.reason for outcome in outcomes if not isinstance(outcome, Rejected)]

    assert not [reason for reason in reasons if "5550141" in reason or "Alice" in reason]
    assert max(map(len, reasons)) < 40
