"""The documented payloads of samples/wire, and what is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples" / "wire"

OURS = "+19195550123"
ALICE = "+19195550141"
BOB = "+19195550142"
APPLICATION = "93de2206-9669-4e07-948d-329f4b722ee2"
MESSAGE_ID = "14762070468292kw2fuqty55yp2b2"
PICTURE = "https://s3.amazonaws.com/bw-v2-api/demo.jpg"
PICTURE_2 = "https://s3.amazonaws.com/bw-v2-api/demo2.jpg"

#: Name of a documented creation: (to, media).
CREATED = {
    "sms": ((ALICE,), ()),
    "mms": ((ALICE,), (PICTURE,)),
    "mms-two-pictures": ((ALICE,), (PICTURE, PICTURE_2)),
    "group": ((ALICE, BOB), ()),
    "group-mms": ((ALICE, BOB), (PICTURE,)),
}

#: Bodies that no reader takes for what it expects.
UNREADABLE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="cut"),
    pytest.param(b"<html>Accepted</html>", id="html"),
    pytest.param(b"null", id="null"),
    pytest.param(b"7", id="number"),
    pytest.param(b'{"id": "\xff"}', id="not-utf8"),
    pytest.param(b'{"id": "x"} {"id": "y"}', id="two-documents"),
    pytest.param(b'{"a":' + b"[" * 100_000, id="too-deep"),
]


def sample(name):
    return (SAMPLES / f"{name}.json").read_bytes()


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
