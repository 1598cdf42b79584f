"""Every documented filter of the listing finds what it names, and nothing else.

A small world has messages of every kind; the whole listing says what each filter must find.
"""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pipeline.bandwidth.wire import query_time
from pipeline.simulator.behaviour import Behaviour

from . import caller
from .stage import NOON, Stage

DOCUMENT = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "messaging-openapi.yml").read_text()
)
TOLL_FREE = "+18885550100"
OTHER_APPLICATION = "11111111-2222-3333-4444-555555555555"
CANADIAN = "+14165550123"
PICTURE = ["https://example.com/a.png"]
#: What is documented and no filter.
PAGING = {"sort", "pageToken", "limit", "limitTotalCount"}


@pytest.fixture(scope="module")
def listing():
    """Messages in all stages of life: delivered, failed, under way, waiting; in and out."""
    behaviour = Behaviour(delivery_ms=2_000)
    with Stage(behaviour, rate=1.0, seed=3) as stage:
        for index in range(6):
            stage.send(caller.number(index), text="a" * (index + 1))

        stage.send("+19195554720", text="b" * 200)
        stage.send("+447700900123", from_=TOLL_FREE)
        stage.pass_time(30)
        stage.inbound(**{"from": CANADIAN}, to=caller.SENDER, text="hi", accountId=caller.ACCOUNT)
        stage.send(caller.number(20), media=PICTURE, applicationId=OTHER_APPLICATION)
        stage.send(caller.number(21), from_="+19195550101")
        stage.send(caller.number(22))
        stage.pass_time(0.5)
        yield stage


#: Filter -> the values that find something, and what an item must be to be found.
EXACT = {
    "messageId": "messageId",
    "sourceTn": "sourceTn",
    "destinationTn": "destinationTn",
    "messageStatus": "messageStatus",
    "messageDirection": "messageDirection",
    "carrierName": "carrierName",
    "messageType": "messageType",
    "errorCode": "errorCode",
    "campaignId": "campaignId",
    "product": "product",
    "location": "location",
    "callingNumberCountryA3": "callingNumberCountryA3",
    "calledNumberCountryA3": "calledNumberCountryA3",
}
AT_LEAST = {
    "fromDateTime": "receiveTime",
    "fromBwLatency": "bwLatency",
    "fromCarrierLatency": "carrierLatency",
    "fromSegmentCount": "segmentCount",
    "fromMessageSize": "messageSize",
}
AT_MOST = {
    "toDateTime": "receiveTime",
    "toSegmentCount": "segmentCount",
    "toMessageSize": "messageSize",
}
#: The status that each of them asks for; the carrier's queue is told of outbound messages.
QUEUED = {"bwQueued": "QUEUED", "carrierQueued": "SENT"}


def everything(listing):
    return listing.listed(fromDateTime=query_time(NOON - timedelta(days=1)))


def asked(value):
    """A value of the listing, as a query has it."""
    return query_time(value) if isinstance(value, datetime) else str(value)


def value_of(item, field):
    value = item.get(field)
    return datetime.fromisoformat(value) if field == "receiveTime" else value


def must_find(listing, name, value, items, expected):
    """The filter finds exactly the expected, which are some and not all."""
    assert 0 < len(expected) < len(items), f"{name}={value} proves nothing"
    assert listing.listed(**{name: asked(value)}) == expected


@pytest.mark.parametrize("name", EXACT)
def test_a_filter_finds_each_value_that_messages_have_and_nothing_else(listing, name):
    items, field = everything(listing), EXACT[name]
    values = {item[field] for item in items if field in item}
    assert len(values) > 1
    for value in values:
        must_find(listing, name, value, items, [i for i in items if i.get(field) == value])


@pytest.mark.parametrize("name", [*AT_LEAST, *AT_MOST])
def test_a_range_finds_what_is_in_it_and_nothing_else(listing, name):
    items, field = everything(listing), {**AT_LEAST, **AT_MOST}[name]
    has = [(item, value_of(item, field)) for item in items if field in item]
    values = sorted({value for _, value in has})
    assert len(values) > 1
    bound = values[-1] if name in AT_LEAST else values[0]
    kept = [item for item, value in has if (value >= bound if name in AT_LEAST else value <= bound)]
    must_find(listing, name, bound, items, kept)


@pytest.mark.parametrize("name", QUEUED)
def test_where_a_message_waits_is_a_filter_both_ways(listing, name):
    items, status = everything(listing), QUEUED[name]
    outbound = [i for i in items if name == "bwQueued" or i["messageDirection"] == "OUTBOUND"]
    there = [item for item in outbound if item["messageStatus"] == status]
    elsewhere = [item for item in outbound if item["messageStatus"] != status]
    must_find(listing, name, "true", items, there)
    must_find(listing, name, "false", items, elsewhere)


def test_every_documented_filter_is_among_them():
    documented = {
        parameter["$ref"].rsplit("/", 1)[-1]
        for parameter in DOCUMENT["paths"]["/users/{accountId}/messages"]["get"]["parameters"]
    }
    assert {*EXACT, *AT_LEAST, *AT_MOST, *QUEUED} == documented - PAGING - {"accountId"}


def test_a_handset_keeps_its_carrier_a_number_its_campaign_an_application_its_location(listing):
    ours = [i for i in everything(listing) if i["sourceTn"] == caller.SENDER]
    assert len({item["campaignId"] for item in ours}) == 1
    assert len({item["location"] for item in ours}) == 2, "of two applications"


def test_mms_and_what_still_waits_have_no_carrier_and_toll_free_numbers_no_campaign(listing):
    items = everything(listing)
    bare = [i for i in items if i["messageType"] == "mms" or i["messageStatus"] == "QUEUED"]
    assert len(bare) >= 2
    assert all("carrierName" not in item for item in bare)
    (free,) = [item for item in items if item["product"] == "TOLL_FREE"]
    assert "campaignId" not in free


def test_another_seed_has_other_carriers():
    names = []
    for seed in (1, 2):
        with Stage(seed=seed) as stage:
            for index in range(12):
                stage.send(caller.number(index))

            names.append([item["carrierName"] for item in stage.listed(sourceTn=caller.SENDER)])

    assert names[0] != names[1]
    assert len(set(names[0])) > 1
