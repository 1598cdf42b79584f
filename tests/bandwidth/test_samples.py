"""samples/wire holds what the provider documents, and our shapes hold all of it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from pipeline.bandwidth import wire
from tests.bandwidth.samples import CREATED, SAMPLES, sample

SHAPES = {
    **{f"create-{name}.request": wire.MessageRequest for name in CREATED},
    **{f"create-{name}.response": wire.MessageBody for name in CREATED},
    "error-400": wire.ErrorBody,
    "error-401": wire.ErrorBody,
    "error-403": wire.ErrorBody,
    "error-404": wire.SpringError,
    "error-415": wire.ErrorBody,
    "error-429-queue": wire.ErrorBody,
    "error-429-listing": wire.ErrorBody,
    "listing": wire.MessagesPage,
    "callback-sending": list[wire.Callback],
    "callback-sent": list[wire.Callback],
    "callback-delivered": list[wire.Callback],
    "callback-delivered-mms": list[wire.Callback],
    "callback-delivered-group": list[wire.Callback],
    "callback-failed": list[wire.Callback],
    "inbound-sms": list[wire.Callback],
    "inbound-mms": list[wire.Callback],
    "token": wire.TokenBody,
}


def test_every_sample_has_a_shape():
    assert {path.name.removesuffix(".json") for path in SAMPLES.iterdir()} == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_a_documented_payload_survives_reading_and_writing(name):
    body = msgspec.json.decode(sample(name), type=SHAPES[name])

    assert json.loads(wire.encode(body)) == json.loads(sample(name))


DOCUMENT = Path(__file__).parents[1] / "data" / "messaging-openapi.yml"
#: Name in the provider's document -> our shape of it.
DOCUMENTED = {
    "messageRequest": wire.MessageRequest,
    "message": wire.MessageBody,
    "createMessageRequestError": wire.ErrorBody,
    "messagingRequestError": wire.ErrorBody,
    "fieldError": wire.FieldError,
    "messagesList": wire.MessagesPage,
    "pageInfo": wire.PageInfo,
    "listMessageItem": wire.ListItem,
    "media": wire.MediaItem,
    "statusCallback": wire.Callback,
    "statusCallbackMessage": wire.CallbackMessage,
    "inboundCallback": wire.Callback,
}
#: Documented, and read over: `time` tells when an event happened.
NOT_READ = {"statusCallback": {"eventTime"}}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_our_shapes_have_every_documented_field(name):
    documented = set(
        yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"][name]["properties"]
    )
    ours = {field.encode_name for field in msgspec.structs.fields(DOCUMENTED[name])}
    assert documented - ours == NOT_READ.get(name, set())


def test_the_list_of_media_is_read():
    items = [
        wire.MediaItem(media_name="a/0/b.png", content_length=2, content="https://x/a/0/b.png")
    ]
    assert json.loads(wire.encode(items)) == [
        {"mediaName": "a/0/b.png", "contentLength": 2, "content": "https://x/a/0/b.png"}
    ]
    assert msgspec.json.decode(wire.encode(items), type=list[wire.MediaItem]) == items
