"""The provider's own client drives the simulator, and finds every answer and callback readable.

Its models are generated from the provider's document: a missing, misnamed or mistyped field fails.
"""

import time
from datetime import UTC, datetime

import bandwidth
import httpx
import pytest
from bandwidth.exceptions import (
    ApiException,
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)

from pipeline.bandwidth.wire import query_time
from pipeline.simulator.access import Credentials
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.media import PAGE_FILES, MediaFile
from pipeline.simulator.server import EmbeddedSimulator

from .caller import ACCOUNT, APPLICATION, BASIC, SENDER, number
from .test_callbacks import Receiver, settled

CLIENT = ("client", "secret")
PICTURE = "https://example.com/a.png"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def configured(simulator, **credentials):
    """A client of the SDK that talks to the simulator, and to nobody else."""
    configuration = bandwidth.Configuration(
        host=simulator.url,
        access_token_url=simulator.token_url,
        ignore_operation_servers=True,
        **credentials,
    )
    configuration.safe_chars_for_path_param = "/"  # the API takes no percent-encoded slashes
    return bandwidth.ApiClient(configuration)


@pytest.fixture(scope="module")
def simulator():
    app = make_app(Behaviour(delivery_ms=0), credentials=Credentials(client=CLIENT))
    with EmbeddedSimulator(app) as simulator:
        yield simulator


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({"client_id": CLIENT[0], "client_secret": CLIENT[1]}, id="oauth2"),
        pytest.param({"username": BASIC[0], "password": BASIC[1]}, id="basic"),
    ],
)
def client(simulator, request):
    with configured(simulator, **request.param) as client:
        yield client


@pytest.fixture(scope="module")
def messages(client):
    return bandwidth.MessagesApi(client)


@pytest.fixture(scope="module")
def media(client):
    return bandwidth.MediaApi(client)


def asked(**changes):
    fields = {"applicationId": APPLICATION, "to": [number(1)], "from": SENDER, "text": "Hello"}
    return bandwidth.MessageRequest.from_dict(fields | changes)


# --- Messages -------------------------------------------------------------------------------------


def test_every_field_of_a_message_goes_out_and_comes_back(messages):
    expiration = datetime(2999, 1, 1, tzinfo=UTC)
    request = asked(
        to=[number(1), number(2)],
        media=[PICTURE],
        tag="t",
        priority="high",
        expiration=expiration.isoformat(),
    )
    answer = messages.create_message_with_http_info(ACCOUNT, request)
    told = answer.data
    assert answer.status_code == 202
    assert told.id
    assert (told.owner, told.var_from, told.direction) == (SENDER, SENDER, "out")
    assert (told.to, told.media, told.text) == (request.to, [PICTURE], "Hello")
    assert (told.tag, told.priority, told.expiration) == ("t", "high", expiration)
    assert (told.application_id, told.segment_count) == (APPLICATION, 1)
    assert told.time.tzinfo is not None
    assert told.additional_properties == {}


@pytest.mark.parametrize("sender", [SENDER, "12345", "Shop & Co"])
def test_every_kind_of_sender_is_taken(messages, sender):
    assert messages.create_message(ACCOUNT, asked(**{"from": sender})).var_from == sender


def test_every_problem_of_a_message_can_be_read(messages):
    with pytest.raises(BadRequestException) as caught:
        messages.create_message(ACCOUNT, asked(to=["+invalid"], text=""))

    told = caught.value.data
    assert isinstance(told, bandwidth.CreateMessageRequestError)
    assert told.type == "request-validation"
    assert [error.field_name for error in told.field_errors] == ["to", "text"]
    assert told.field_errors[0].description.startswith("'+invalid' must be replaced")


def test_messages_are_listed_with_every_filter_page_by_page(simulator, client):
    api = bandwidth.MessagesApi(client)
    began = datetime.now(UTC)
    sent = [api.create_message(ACCOUNT, asked(to=[number(100 + i)])).id for i in range(5)]
    found, token, pages = [], None, 0
    while token is not None or not pages:
        page = api.list_messages(
            ACCOUNT,
            source_tn=SENDER,
            destination_tn=number(100)[:10],
            message_status="DELIVERED",
            message_direction="OUTBOUND",
            message_type="sms",
            error_code=0,
            from_date_time=query_time(began),
            to_date_time=query_time(datetime.now(UTC)),
            from_segment_count=1,
            to_segment_count=1,
            sort="receiveTime:asc",
            page_token=token,
            limit=2,
            limit_total_count=True,
        )
        pages += 1
        found += page.messages
        token = page.page_info.next_page_token

    assert (pages, page.total_count) == (3, 5)
    assert [item.message_id for item in found] == sent
    for item in found:
        assert (item.account_id, item.source_tn, item.message_length) == (ACCOUNT, SENDER, 5)
        assert item.receive_time.tzinfo is not None
        assert item.additional_properties == {}


def test_a_listing_of_everything_is_a_bad_request(messages):
    with pytest.raises(BadRequestException) as caught:
        messages.list_messages(ACCOUNT)

    assert isinstance(caught.value.data, bandwidth.MessagingRequestError)


# --- Media ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logo.png", "spring/0/logo.png"])
def test_a_file_is_uploaded_listed_downloaded_and_deleted(media, name):
    uploaded = media.upload_media_with_http_info(
        ACCOUNT, name, PNG, _content_type="image/png", cache_control="no-cache"
    )
    assert (uploaded.status_code, uploaded.data) == (204, None)

    (item,) = media.list_media(ACCOUNT)
    assert (item.media_name, item.content_length) == (name, len(PNG))
    assert item.content.endswith(f"/users/{ACCOUNT}/media/{name}")
    assert item.additional_properties == {}

    back = media.get_media_with_http_info(ACCOUNT, name)
    assert (back.status_code, bytes(back.data)) == (200, PNG)
    assert back.headers["content-type"] == "image/png"
    assert back.headers["cache-control"] == "no-cache"

    assert media.delete_media_with_http_info(ACCOUNT, name).status_code == 204
    with pytest.raises(NotFoundException) as caught:
        media.get_media(ACCOUNT, name)

    assert isinstance(caught.value.data, bandwidth.MessagingRequestError)
    assert media.list_media(ACCOUNT) == []


def test_the_list_of_media_is_paged_by_a_header():
    app = make_app(Behaviour())
    for index in range(PAGE_FILES + 1):
        file = MediaFile(
            content=b"x",
            content_type="image/png",
            cache_control=None,
            uploaded_at=time.monotonic(),
        )
        app.state.media.put(ACCOUNT, f"{index:04}", file)

    with EmbeddedSimulator(app) as other, configured(other, username="u", password="p") as client:
        media = bandwidth.MediaApi(client)
        first = media.list_media_with_http_info(ACCOUNT)
        second = media.list_media_with_http_info(
            ACCOUNT, continuation_token=first.headers["continuation-token"]
        )

    assert (len(first.data), len(second.data)) == (PAGE_FILES, 1)
    assert "continuation-token" not in second.headers


# --- Refusals, whatever is asked ------------------------------------------------------------------

OPERATIONS = {
    "createMessage": lambda client: bandwidth.MessagesApi(client).create_message(ACCOUNT, asked()),
    "listMessages": lambda client: bandwidth.MessagesApi(client).list_messages(
        ACCOUNT, message_id="m"
    ),
    "listMedia": lambda client: bandwidth.MediaApi(client).list_media(ACCOUNT),
    "getMedia": lambda client: bandwidth.MediaApi(client).get_media(ACCOUNT, "a"),
    "uploadMedia": lambda client: bandwidth.MediaApi(client).upload_media(
        ACCOUNT, "a", PNG, _content_type="image/png"
    ),
    "deleteMedia": lambda client: bandwidth.MediaApi(client).delete_media(ACCOUNT, "a"),
}


@pytest.fixture(scope="module")
def strict():
    credentials = Credentials(basic=BASIC, client=CLIENT, account_id="9900001")
    with EmbeddedSimulator(make_app(Behaviour(), credentials=credentials)) as simulator:
        yield simulator


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("password", "error", "kind"),
    [
        pytest.param("wrong", UnauthorizedException, "unauthorized", id="401"),
        pytest.param(BASIC[1], ForbiddenException, "forbidden", id="403"),
    ],
)
def test_a_caller_who_may_not_is_told_so(strict, operation, password, error, kind):
    with configured(strict, username=BASIC[0], password=password) as client:
        with pytest.raises(error) as caught:
            OPERATIONS[operation](client)

        assert isinstance(caught.value.data, bandwidth.MessagingRequestError)
        assert caught.value.data.type == kind


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - {"listMessages"}))
@pytest.mark.parametrize(
    ("behaviour", "error", "status"),
    [
        pytest.param(Behaviour(busy=1.0), ApiException, 429, id="429"),
        pytest.param(Behaviour(error=1.0), ServiceException, 500, id="500"),
    ],
)
def test_a_busy_or_broken_provider_says_so(operation, behaviour, error, status):
    with (
        EmbeddedSimulator(make_app(behaviour)) as simulator,
        configured(simulator, username=BASIC[0], password=BASIC[1]) as client,
    ):
        with pytest.raises(error) as caught:
            OPERATIONS[operation](client)

        assert caught.value.status == status
        assert isinstance(caught.value.data, bandwidth.MessagingRequestError)


# --- Callbacks ------------------------------------------------------------------------------------


def test_every_callback_the_simulator_posts_can_be_read():
    behaviour = Behaviour(sent=0.5, failed=0.5, duplicate=0.2, batch=3)
    tags = {f"t{index}" for index in range(20)}
    with Receiver() as receiver:
        app = make_app(behaviour, callback_url=receiver.url)
        with EmbeddedSimulator(app) as simulator:
            with configured(simulator, username=BASIC[0], password=BASIC[1]) as client:
                api = bandwidth.MessagesApi(client)
                for index, tag in enumerate(sorted(tags)):
                    pictures = {"media": [PICTURE]} if index % 2 else {}
                    group = [number(index), number(50 + index)][: 1 + index % 3 // 2]
                    api.create_message(
                        ACCOUNT, asked(to=group, tag=tag, priority="default", **pictures)
                    )

            with httpx.Client(auth=BASIC, trust_env=False) as asking:
                settled(asking, simulator)

    seen = set()
    for event in receiver.events:
        callback = bandwidth.StatusCallback.from_dict(event)
        assert callback.additional_properties == {}
        assert callback.message.additional_properties == {}
        assert callback.message.tag in tags
        assert callback.to in callback.message.to
        assert (callback.error_code is not None) == (callback.type == "message-failed")
        seen.add(callback.type)

    assert seen >= {"message-sent", "message-delivered", "message-failed"}
