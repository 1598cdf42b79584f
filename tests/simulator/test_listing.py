import re
import time
from datetime import UTC, datetime, timedelta

import anyio
import httpx
import pytest
from starlette.datastructures import URL

from pipeline.bandwidth.wire import query_time
from pipeline.model import Channel
from pipeline.simulator.account_queue import LISTING_REQUESTS
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour, Dice
from pipeline.simulator.belongings import CARRIERS, Belongings
from pipeline.simulator.book import Book, Entry
from pipeline.simulator.fate import Fate
from pipeline.simulator.ledger import Text
from pipeline.simulator.listing import PageSizes, read_page

from . import caller
from .caller import ask, send

OTHER_SENDER = "+19195550101"


@pytest.fixture(scope="module")
def app():
    """Twelve texts: of one to three segments, every fourth failed, the last from another sender."""
    app = make_app(Behaviour(delivery_ms=0, failed=0.25), seed=4)
    for index in range(12):
        sender = OTHER_SENDER if index == 11 else caller.SENDER
        send(app, to=[caller.number(index)], text="a" * (150 * (index % 3) + 15), from_=sender)

    return app


def listed(app, **params):
    answer = ask(app, "GET", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def recipients(page):
    return [item["destinationTn"] for item in page["messages"]]


def test_an_item_has_neither_text_nor_tag(app):
    page = listed(app, destinationTn=caller.number(2))
    (item,) = page["messages"]
    text = app.state.ledger.texts[2]
    assert page["totalCount"] == 1
    assert page["pageInfo"] == {}
    assert item["messageStatus"] in {"DELIVERED", "FAILED"}
    assert item["carrierName"] in CARRIERS
    assert re.fullmatch("C[0-9A-F]{6}", item["campaignId"])
    assert re.fullmatch("[0-9]{6}", item["location"])
    assert item == {
        "messageId": text.message_id,
        "accountId": caller.ACCOUNT,
        "sourceTn": caller.SENDER,
        "destinationTn": caller.number(2),
        "messageStatus": item["messageStatus"],
        "messageDirection": "OUTBOUND",
        "messageType": "sms",
        "segmentCount": 3,
        "errorCode": 4720 if item["messageStatus"] == "FAILED" else 0,
        "receiveTime": item["receiveTime"],
        "messageLength": 315,
        "attachmentCount": 0,
        "recipientCount": 1,
        "messageSize": 315,
        "carrierName": item["carrierName"],
        "campaignId": item["campaignId"],
        "location": item["location"],
        "bwLatency": 0,
        "carrierLatency": 0,
        "callingNumberCountryA3": "USA",
        "calledNumberCountryA3": "USA",
        "product": "LOCAL_A2P",
    }


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"sourceTn": OTHER_SENDER}, [11], id="sender"),
        pytest.param({"sourceTn": "+1919"}, range(12), id="part of a sender"),
        pytest.param({"sourceTn": "Shop & Co"}, [], id="sender with a name"),
        pytest.param({"sourceTn": f"{OTHER_SENDER},+19195550102"}, [11], id="senders"),
        pytest.param({"destinationTn": caller.number(7)}, [7], id="recipient"),
        pytest.param({"destinationTn": "+1919555001"}, [10, 11], id="part of a recipient"),
        pytest.param(
            {"destinationTn": ",".join(caller.number(i) for i in (9, 3, 77))},
            [3, 9],
            id="recipients",
        ),
        pytest.param({"destinationTn": "+12025550100"}, [], id="never texted"),
        pytest.param({"messageDirection": "OUTBOUND"}, range(12), id="outbound"),
        pytest.param({"messageDirection": "INBOUND"}, [], id="inbound"),
        pytest.param({"messageType": "sms"}, range(12), id="sms"),
        pytest.param({"messageType": "mms"}, [], id="mms"),
        pytest.param({"fromSegmentCount": "3"}, [2, 5, 8, 11], id="at least three segments"),
        pytest.param({"toSegmentCount": "1"}, [0, 3, 6, 9], id="at most one segment"),
        pytest.param(
            {"fromSegmentCount": "2", "toSegmentCount": "2", "sourceTn": caller.SENDER},
            [1, 4, 7, 10],
            id="all filters hold",
        ),
        pytest.param({"product": "LOCAL_A2P"}, range(12), id="product"),
        pytest.param({"product": "TOLL_FREE"}, [], id="other product"),
        pytest.param({"fromMessageSize": "165", "toMessageSize": "165"}, [1, 4, 7, 10], id="size"),
        pytest.param({"fromBwLatency": "0"}, range(12), id="queued for no time"),
        pytest.param({"fromBwLatency": "1"}, [], id="queued for long"),
        pytest.param({"fromCarrierLatency": "1"}, [], id="slow carrier"),
        pytest.param({"bwQueued": "false"}, range(12), id="not queued"),
        pytest.param({"bwQueued": "true"}, [], id="queued"),
        pytest.param({"carrierQueued": "false"}, range(12), id="not queued at the carrier"),
        pytest.param({"carrierQueued": "true"}, [], id="queued at the carrier"),
        pytest.param({"callingNumberCountryA3": "USA"}, range(12), id="from a country"),
        pytest.param({"calledNumberCountryA3": "GBR"}, [], id="to another country"),
        pytest.param({"carrierName": "Nobody"}, [], id="carrier"),
        pytest.param({"campaignId": "CJEUMDK"}, [], id="campaign"),
        pytest.param({"location": "123ID"}, [], id="location"),
        pytest.param({"fromDateTime": "2020-01-01T00:00:00.000Z"}, range(12), id="since"),
        pytest.param({"toDateTime": "2020-01-01T00:00:00.000+00:00"}, [], id="until"),
        pytest.param({"messageId": "unknown"}, [], id="unknown id"),
    ],
)
def test_filters_pick_messages(app, params, expected):
    assert recipients(listed(app, **params)) == [caller.number(index) for index in expected]


def test_a_message_is_found_by_its_id_and_by_the_millisecond_it_came(app):
    text = app.state.ledger.texts[5]
    moment = query_time(text.arrived_at)
    assert recipients(listed(app, messageId=text.message_id)) == [caller.number(5)]
    assert caller.number(5) in recipients(listed(app, fromDateTime=moment, toDateTime=moment))


def test_status_and_error_code_tell_the_same_messages(app):
    failed = recipients(listed(app, messageStatus="FAILED"))
    delivered = recipients(listed(app, messageStatus="DELIVERED"))
    assert failed
    assert recipients(listed(app, errorCode="4720")) == failed
    assert recipients(listed(app, errorCode="0")) == delivered
    assert sorted(failed + delivered) == [caller.number(index) for index in range(12)]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        pytest.param({}, "at least one", id="no filter"),
        pytest.param({"limit": "5", "sort": "sourceTn:asc"}, "at least one", id="only paging"),
        pytest.param({"fromDateTime": "2024-01-01T00:00:00Z"}, "milliseconds", id="no fraction"),
        pytest.param({"toDateTime": "2024-01-01T00:00:00.000000Z"}, "milliseconds", id="micros"),
        pytest.param({"toDateTime": "2024-13-01T00:00:00.000Z"}, "no date", id="month 13"),
        pytest.param({"destinationTn": "+191"}, "at least 5", id="short part of a number"),
        pytest.param({"destinationTn": ",".join(["+19195550123"] * 11)}, "at most 10", id="eleven"),
        pytest.param({"destinationTn": " 19195550123"}, "%2B", id="a plus that became a space"),
        pytest.param({"sourceTn": "+19195550123;"}, "%2B", id="no number"),
        pytest.param({"messageStatus": "LOST"}, "must be one of", id="unknown status"),
        pytest.param({"errorCode": "x"}, "whole number", id="no code"),
        pytest.param({"colour": "red"}, "no search parameter 'colour'", id="unknown filter"),
        pytest.param({"product": "SMS"}, "must be one of", id="unknown product"),
        pytest.param({"bwQueued": "yes"}, "true or false", id="neither true nor false"),
        pytest.param({"calledNumberCountryA3": "us"}, "three letters", id="no country"),
        pytest.param({"fromMessageSize": "-1"}, "whole number", id="negative size"),
        pytest.param({"errorCode": "9" * 5_000}, "whole number", id="endless number"),
        pytest.param(
            {"sourceTn": "+1919", "limitTotalCount": "1"}, "true or false", id="no total count"
        ),
        pytest.param(
            {"sourceTn": "+1919", "pageToken": "YWZ0ZXI6LTU="}, "pageToken", id="token before all"
        ),
        pytest.param({"sourceTn": "+1919", "limit": "0"}, "at least 1", id="no limit"),
        pytest.param({"sourceTn": "+1919", "limit": "10001"}, "10000", id="too far"),
        pytest.param({"sourceTn": "+1919", "pageToken": "?"}, "pageToken", id="token"),
        pytest.param({"sourceTn": "+1919", "sort": "text:asc"}, "sort", id="sort by text"),
    ],
)
def test_a_query_that_cannot_be_answered_is_a_400(app, params, problem):
    answer = ask(app, "GET", params=params)
    assert answer.status_code == 400
    assert answer.json()["type"] == "request-validation"
    assert problem in answer.json()["description"]


def test_pages_follow_each_other_by_token_and_by_link(app):
    first = listed(app, sourceTn="+1919", limit="5")
    second = listed(app, sourceTn="+1919", limit="5", pageToken=first["pageInfo"]["nextPageToken"])
    third = ask(app, "GET", second["pageInfo"]["nextPage"]).json()
    assert [len(page["messages"]) for page in (first, second, third)] == [5, 5, 2]
    assert {page["totalCount"] for page in (first, second, third)} == {12}
    assert [recipient for page in (first, second, third) for recipient in recipients(page)] == [
        caller.number(index) for index in range(12)
    ]
    assert "prevPageToken" not in first["pageInfo"]
    assert "nextPageToken" not in third["pageInfo"]
    assert ask(app, "GET", second["pageInfo"]["prevPage"]).json() == first


@pytest.mark.parametrize(
    ("sender", "product"),
    [
        ("+18335550100", "TOLL_FREE"),
        ("12345", "SHORT_CODE_REACH"),
        ("Shop & Co", "ALPHA_NUMERIC"),
        (caller.SENDER, "LOCAL_A2P"),
    ],
)
def test_the_product_follows_from_the_sender(sender, product):
    app = make_app(Behaviour())
    send(app, from_=sender)
    assert listed(app, product=product)["totalCount"] == 1


def page_of(book, url):
    return read_page(book, url, is_visible=lambda _: True, now=0.0, sizes=PageSizes())


def test_a_page_holds_a_hundred_unless_asked_otherwise():
    book = book_of(101)
    page = page_of(book, URL("/?sourceTn=%2B1919"))
    assert (page.total_count, len(page.messages)) == (101, 100)
    assert page.page_info.next_page_token


@pytest.mark.parametrize(("asked", "total"), [("true", 10_000), ("false", 10_001)])
def test_the_total_is_capped_where_that_is_asked_for(asked, total):
    url = URL(f"/?sourceTn=%2B1919&limitTotalCount={asked}")
    page = page_of(book_of(10_001), url)
    assert page.total_count == total


def book_of(entries):
    """A book with this many texts to different handsets."""
    book = Book()
    fate = Fate(leaves_at=0.0, settles_at=0.0, error_code=None)
    for index in range(entries):
        text = Text(
            message_id=f"m{index}",
            tag=None,
            to=(caller.number(index),),
            sender=caller.SENDER,
            segments=1,
            length=5,
            digest="d",
            arrival_seconds=0.0,
            arrived_at=datetime.now(UTC),
        )
        entry = Entry(
            text=text,
            to=text.to[0],
            account_id=caller.ACCOUNT,
            channel=Channel.SMS,
            attachments=0,
            belongings=Belongings(
                dice=Dice(1), handset=text.to[0], ours=caller.SENDER, application=None
            ),
            fate=fate,
        )
        book.add([entry])

    return book


def test_a_listing_is_sorted_by_a_field_in_either_direction(app):
    down = listed(app, sourceTn="+1919", sort="destinationTn:desc", limit="2")
    assert recipients(down) == [caller.number(11), caller.number(10)]
    up = listed(app, sourceTn="+1919", sort="segmentCount:asc")
    assert [item["segmentCount"] for item in up["messages"]] == [1] * 4 + [2] * 4 + [3] * 4


def test_a_message_can_be_listed_only_after_a_while():
    app = make_app(Behaviour(visible_ms=80))
    send(app)
    assert listed(app, sourceTn="+1919")["totalCount"] == 0
    time.sleep(0.09)
    assert listed(app, sourceTn="+1919")["totalCount"] == 1


def test_a_message_waits_in_the_queue_then_travels_then_arrives():
    app = make_app(Behaviour(delivery_ms=60), rate=20.0)
    for index in range(3):
        send(app, to=[caller.number(index)])

    seen = set()
    for _ in range(60):
        (item,) = listed(app, destinationTn=caller.number(2))["messages"]
        seen.add(item["messageStatus"])
        if item["messageStatus"] == "DELIVERED":
            break

        time.sleep(0.005)

    assert seen == {"QUEUED", "SENT", "DELIVERED"}


def test_an_expiration_that_passes_in_the_queue_fails_the_message():
    app = make_app(Behaviour(), rate=0.01)
    send(app)
    send(app, to=["+19195550124"], expiration=soon(seconds=0.3))
    assert listed_status(app, "+19195550124") == ("QUEUED", 0)
    time.sleep(0.31)
    assert listed_status(app, "+19195550124") == ("FAILED", 4360)


def soon(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def listed_status(app, recipient):
    (item,) = listed(app, destinationTn=recipient)["messages"]
    return item["messageStatus"], item["errorCode"]


def test_another_account_sees_nothing(app):
    answer = ask(app, "GET", "/api/v2/users/9900001/messages", params={"sourceTn": "+1919"})
    assert answer.json()["totalCount"] == 0


def test_too_many_requests_are_told_when_to_come_back():
    app = make_app(Behaviour())

    async def hammer():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, auth=caller.BASIC) as client:
            url = f"http://simulator{caller.MESSAGES}?messageId=m"
            return [await client.get(url) for _ in range(LISTING_REQUESTS + 1)]

    *served, refused = anyio.run(hammer)
    assert {answer.status_code for answer in served} == {200}
    assert refused.status_code == 429
    assert 280 <= int(refused.headers["retry-after"]) <= 300
    assert refused.json()["type"] == "rate_limit_exceeded"
