"""samples/wire holds what the provider documents, and our shapes hold all of it."""

from __future__ import annotations

import json

import msgspec
import pytest

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
