"""A page of messages is asked for as documented, or comes as a sentence that says why not."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
import pytest

from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.connection import RequestFailed
from pipeline.bandwidth.transport import AiohttpTransport
from pipeline.errors import CredentialsError
from tests.bandwidth.faults import closed_port
from tests.bandwidth.provider import (
    BASIC,
    OAUTH,
    Provider,
    account_at,
    in_process,
    list_alice,
    talk,
)
from tests.bandwidth.samples import ALICE, OURS, sample


def test_a_page_is_read(carrier):
    page = talk(carrier, Provider(), list_alice)

    assert (page.total_count, len(page.messages)) == (2, 2)


def test_filters_are_written_as_the_provider_wants_them(carrier):
    provider = Provider()

    async def filtered(client):
        await client.list_messages(
            source_tn=OURS,
            destination_tn=[ALICE, OURS],
            carrier_name="AT&T",
            from_date_time=datetime(2026, 11, 21, 9, tzinfo=UTC),
            from_segment_count=1,
            limit_total_count=True,
            called_number_country_a3="USA",
            sort="receiveTime:asc",
            page_token=None,
        )

    talk(carrier, provider, filtered)

    query = (
        "sourceTn=%2B19195550123&destinationTn=%2B19195550141%2C%2B19195550123"
        "&carrierName=AT%26T&fromDateTime=2026-11-21T09%3A00%3A00.000Z&fromSegmentCount=1"
        "&limitTotalCount=true&calledNumberCountryA3=USA&sort=receiveTime%3Aasc"
    )
    assert provider.queries == [query]


def test_listing_renews_a_token_too(carrier):
    provider = Provider()
    provider.revoked = True

    assert talk(carrier, provider, list_alice).total_count == 2
    assert (len(provider.queries), provider.tokens) == (2, 2)


@pytest.mark.parametrize("status", [401, 403])
def test_listing_without_permission_is_a_matter_of_credentials(status):
    provider = Provider()
    provider.answers = [(status, b"", {})] * 2

    with pytest.raises(CredentialsError, match=str(status)):
        talk(in_process, provider, list_alice)


@pytest.mark.parametrize(
    ("status", "body", "headers", "seconds", "sentence"),
    [
        (400, sample("error-400"), {}, None, "HTTP 400 request-validation"),
        (404, sample("error-404"), {}, None, "HTTP 404"),
        (429, sample("error-429-listing"), {"Retry-After": "300"}, 300, "rate_limit_exceeded"),
        (502, b"<html>", {}, None, "HTTP 502"),
        (200, b"<html>", {}, None, "not a page"),
        (200, b"{}", {}, None, "not a page"),
    ],
)
def test_a_page_that_does_not_come_says_why_and_when_to_ask_again(
    status, body, headers, seconds, sentence
):
    provider = Provider()
    provider.answers = [(status, body, headers)]

    with pytest.raises(RequestFailed, match=sentence) as caught:
        talk(in_process, provider, list_alice)

    assert (caught.value.http_status, caught.value.retry_after_seconds) == (status, seconds)


@pytest.mark.parametrize("credentials", [OAUTH, BASIC], ids=["no-token", "no-provider"])
def test_a_provider_that_cannot_be_reached_is_a_listing_that_failed(credentials):
    async def run():
        account = account_at(f"http://127.0.0.1:{closed_port()}", credentials)
        async with AiohttpTransport() as transport:
            await list_alice(BandwidthClient(account, transport, auth_for(account, transport)))

    with pytest.raises(RequestFailed, match="ConnectError"):
        anyio.run(run)
