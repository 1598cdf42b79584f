"""What a caller sees on the connection: a raw socket asks, so nothing is interpreted on the way."""

import json
import socket
import time

import pytest

from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour, Fault
from pipeline.simulator.server import EmbeddedSimulator

from . import caller
from .caller import message, send

#: After which a connection that says nothing more counts as left open.
PATIENCE_SECONDS = 0.15
#: For what must come: a busy machine may take so long.
LONG_SECONDS = 20.0


def exchange(simulator, *, ends="open", speaks=True, **changes):
    """POST over a fresh connection; return all that comes back, and how it ended.

    What is to come is waited for long: an answer where it speaks, and the end where it is no open.
    """
    body = json.dumps(message(**changes)).encode()
    head = (
        f"POST {caller.MESSAGES} HTTP/1.1\r\nhost: simulator\r\nauthorization: Basic dTpw\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    port = int(simulator.url.split(":")[2].split("/")[0])
    is_waited_for = speaks or ends != "open"
    with socket.create_connection(("127.0.0.1", port), LONG_SECONDS) as connection:
        connection.sendall(head.encode() + body)
        connection.settimeout(LONG_SECONDS if is_waited_for else PATIENCE_SECONDS)
        return read_all(connection, LONG_SECONDS if ends != "open" else PATIENCE_SECONDS)


def read_all(connection, patience_seconds):
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
            connection.settimeout(patience_seconds)
    except ConnectionResetError:
        return received, "reset"
    except TimeoutError:
        return received, "open"

    return received, "closed"


@pytest.mark.parametrize(
    ("fault", "starts_with", "end", "taken"),
    [
        pytest.param(Fault.BUSY, b"HTTP/1.1 429 ", "open", 0, id="busy"),
        pytest.param(Fault.ERROR, b"HTTP/1.1 500 ", "open", 0, id="error"),
        pytest.param(Fault.LOST, b"", "closed", 1, id="lost"),
        pytest.param(Fault.RESET, b"", "reset", 1, id="reset"),
        pytest.param(Fault.REFUSED, b"", "closed", 0, id="refused"),
        pytest.param(Fault.SILENT, b"", "open", 1, id="silent"),
        pytest.param(Fault.CUT, b"HTTP/1.1 202 ", "closed", 1, id="cut"),
        pytest.param(Fault.GARBAGE, b"\x16\x03", "closed", 1, id="garbage"),
        pytest.param(Fault.UNREADABLE, b"HTTP/1.1 202 ", "open", 1, id="unreadable"),
        pytest.param(Fault.SLOW, b"HTTP/1.1 202 ", "open", 1, id="slow"),
    ],
)
def test_a_fault_is_seen_and_taken_as_its_table_says(fault, starts_with, end, taken):
    app = make_app(Behaviour(**{fault: 1.0}, slow_ms=20))
    with EmbeddedSimulator(app) as simulator:
        received, ended = exchange(simulator, ends=end, speaks=bool(starts_with))
        assert received.startswith(starts_with)
        assert bool(received) == bool(starts_with)
        assert ended == end
        assert len(simulator.ledger.texts) == taken
        assert simulator.ledger.faults == {fault: 1}
        assert simulator.ledger.requests == 1


def test_a_cut_body_is_shorter_than_its_head_promised():
    with EmbeddedSimulator(make_app(Behaviour(cut=1.0))) as simulator:
        received, _ = exchange(simulator)

    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(body) == length // 2


@pytest.mark.parametrize(("share", "taken"), [(0.0, 0), (1.0, 1)])
def test_behind_a_bad_gateway_a_message_may_have_been_taken(share, taken):
    app = make_app(Behaviour(gateway=1.0, gateway_taken=share))
    answer = send(app)
    assert (answer.status_code, len(app.state.ledger.texts)) == (502, taken)
    assert b'"type"' not in answer.content


def test_the_provider_s_own_error_has_its_own_body():
    answer = send(make_app(Behaviour(error=1.0)))
    assert (answer.status_code, set(answer.json())) == (500, {"type", "description"})


def test_a_slow_answer_and_latency_come_late_and_right():
    app = make_app(Behaviour(slow=1.0, slow_ms=60, latency_ms=40))
    began = time.monotonic()
    assert send(app).status_code == 202
    assert time.monotonic() - began >= 0.1


def test_the_next_request_after_a_fault_finds_an_orderly_server():
    behaviour = Behaviour(lost=0.2, reset=0.2, cut=0.2, garbage=0.2)
    with EmbeddedSimulator(make_app(behaviour, seed=11)) as simulator:
        ends = [exchange(simulator, speaks=False, to=[caller.number(index)]) for index in range(20)]
        assert len(simulator.ledger.texts) == 20
        assert {end for _, end in ends} == {"closed", "reset", "open"}


@pytest.mark.parametrize("fault", ["lost", "reset", "refused", "silent", "cut", "garbage"])
def test_without_a_connection_a_cut_raises(fault):
    app = make_app(Behaviour(**{fault: 1.0}))
    with pytest.raises(ConnectionAbortedError):
        send(app)


def test_a_run_is_reproduced_by_its_seed():
    behaviour = Behaviour(busy=0.2, error=0.2, gateway=0.2, unreadable=0.2)
    assert statuses(behaviour, seed=1) == statuses(behaviour, seed=1, backwards=True)
    assert statuses(behaviour, seed=1) != statuses(behaviour, seed=2)


def statuses(behaviour, *, seed, backwards=False):
    app = make_app(behaviour, seed=seed)
    indexes = sorted(range(40), reverse=backwards)
    return {i: send(app, to=[caller.number(i)]).status_code for i in indexes}
