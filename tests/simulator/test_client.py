"""Our own client meets the simulator: what the document lets one ask is asked, taken and told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
import yaml

from pipeline.account import Account
from pipeline.bandwidth.auth import auth_for
from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.connection import RequestFailed
from pipeline.model import Accepted, Delivery, Rejected
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from tests.bandwidth.provider import BASIC, MESSAGE, in_process, list_alice
from tests.bandwidth.provider import Provider as Answering
from tests.bandwidth.provider import talk as talk_to
from tests.bandwidth.samples import ALICE, OURS

DOCUMENT = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "messaging-openapi.yml").read_text()
)
MOMENT = datetime(2026, 11, 21, 9, tzinfo=UTC)

#: Documented parameter -> a value it may have; a filter is added where it is none itself.
PARAMETERS = {
    "messageId": "9e0df4ca-b18d-40d7-a59f-82fcdf5ae8e6",
    "sourceTn": OURS,
    "destinationTn": [ALICE, OURS],
    "messageStatus": "DELIVERED",
    "messageDirection": "OUTBOUND",
    "carrierName": "AT&T",
    "messageType": "sms",
    "errorCode": 9902,
    "fromDateTime": MOMENT,
    "toDateTime": MOMENT,
    "campaignId": "CJEUMDK",
    "fromBwLatency": 5,
    "bwQueued": True,
    "product": "P2P",
    "location": "123ABC",
    "carrierQueued": False,
    "fromCarrierLatency": 50,
    "callingNumberCountryA3": "USA",
    "calledNumberCountryA3": "USA",
    "fromSegmentCount": 1,
    "toSegmentCount": 3,
    "fromMessageSize": 100,
    "toMessageSize": 120,
    "sort": "sourceTn:desc",
    "pageToken": "YWZ0ZXI6MA==",
    "limit": 50,
    "limitTotalCount": True,
}
NO_FILTERS = {"sort", "pageToken", "limit", "limitTotalCount"}


def talk(talking, *, delivery=None, **options):
    async def run():
        app = make_app(Behaviour(), **options)
        async with in_process(app) as (address, transport):
            account = Account(
                account_id="9900902",
                application_id="app",
                credentials=BASIC,
                messaging_url=f"{address}/api/v2",
                token_url=f"{address}/token",
            )
            auth = auth_for(account, transport)
            async with BandwidthClient(account, transport, auth, delivery=delivery) as client:
                return await talking(client)

    return anyio.run(run)


def test_every_documented_parameter_has_a_value_here():
    operation = DOCUMENT["paths"]["/users/{accountId}/messages"]["get"]
    named = {part["$ref"].rpartition("/")[2] for part in operation["parameters"]}
    assert named - {"accountId"} == set(PARAMETERS)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_documented_parameter_is_asked_for_and_understood(parameter):
    # The simulator refuses a parameter that it does not know, and a value that it cannot read.
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in parameter)
    name = name.removesuffix("_a3") + "_a3" if name.endswith("_a3") else name
    filters = {name: PARAMETERS[parameter]}
    if parameter in NO_FILTERS:
        filters["source_tn"] = OURS

    async def ask(client):
        return await client.list_messages(**filters)

    assert talk(ask).total_count == 0


@pytest.mark.parametrize("status", [405, 415, 500])
def test_every_other_documented_refusal_of_a_listing_is_a_sentence(status):
    provider = Answering()
    provider.answers = [(status, b'{"type": "some-type", "description": "Some words"}', {})]
    with pytest.raises(RequestFailed, match=f"HTTP {status} some-type"):
        talk_to(in_process, provider, list_alice)


def test_a_message_that_was_sent_is_found_in_the_listing():
    async def send_and_find(client):
        outcome = await client.send(MESSAGE, tag="r.1.1")
        return outcome, await client.list_messages(destination_tn=ALICE)

    outcome, page = talk(send_and_find)
    (item,) = page.messages
    assert outcome == Accepted(message_id=item.message_id, segments_billed=1, http_status=202)
    assert (item.source_tn, item.message_length) == (OURS, len(MESSAGE.text))


@pytest.mark.parametrize(
    ("most", "recipients", "is_taken"),
    [(10, 10, True), (10, 11, False), (50, 50, True), (50, 51, False)],
)
def test_a_group_goes_out_as_large_as_the_provider_takes_it(most, recipients, is_taken):
    to = tuple(f"+1919555{number:04}" for number in range(recipients))

    async def send(client):
        return await client.send(replace(MESSAGE, to=to), tag="r.1.1")

    outcome = talk(send, max_recipients=most)
    assert isinstance(outcome, Accepted if is_taken else Rejected)


def test_the_options_of_a_delivery_are_understood():
    delivery = Delivery(is_urgent=True, expires_after=timedelta(minutes=5))

    async def send(client):
        return await client.send(MESSAGE, tag="r.1.1")

    assert isinstance(talk(send, delivery=delivery), Accepted)
