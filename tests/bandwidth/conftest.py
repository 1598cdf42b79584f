"""Carriers: every test that asks for one runs in process and on a port."""

from __future__ import annotations

import pytest

from tests.bandwidth.provider import in_process, on_a_port


@pytest.fixture(params=[in_process, on_a_port], ids=["asgi", "port"])
def carrier(request):
    return request.param
