import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest

from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.server import EmbeddedSimulator

from .caller import ACCOUNT, BASIC, message


def post(simulator):
    url = f"{simulator.url}/users/{ACCOUNT}/messages"
    return httpx.post(url, json=message(), auth=BASIC, trust_env=False)


def test_an_embedded_simulator_answers_at_its_addresses():
    with EmbeddedSimulator(make_app(Behaviour())) as simulator:
        assert simulator.url.endswith("/api/v2")
        assert post(simulator).status_code == 202
        token = httpx.post(
            simulator.token_url,
            auth=BASIC,
            data={"grant_type": "client_credentials"},
            trust_env=False,
        )
        assert token.status_code == 200
        assert httpx.get(simulator.ledger_url, trust_env=False).json()["messages"] == 1
        assert [text.tag for text in simulator.ledger.texts] == ["r1.1.1"]


def test_a_stopped_simulator_is_gone_with_its_thread_and_port():
    before = set(threading.enumerate())
    with EmbeddedSimulator(make_app(Behaviour())) as simulator:
        post(simulator)

    assert set(threading.enumerate()) == before
    with pytest.raises(httpx.ConnectError):
        post(simulator)


def test_two_simulators_run_side_by_side():
    with (
        EmbeddedSimulator(make_app(Behaviour())) as one,
        EmbeddedSimulator(make_app(Behaviour())) as other,
    ):
        post(one)
        assert (len(one.ledger.texts), len(other.ledger.texts)) == (1, 0)


def test_answers_are_not_held_back_by_the_kernel():
    with (
        EmbeddedSimulator(make_app(Behaviour())) as simulator,
        httpx.Client(auth=BASIC, trust_env=False) as client,
    ):
        began = time.monotonic()
        for _ in range(30):
            client.post(f"{simulator.url}/users/{ACCOUNT}/messages", json=message())

        assert time.monotonic() - began < 30 * 0.03


def test_starting_is_quick_and_stopping_does_not_wait_for_open_requests():
    began = time.monotonic()
    app = make_app(Behaviour(silent=1.0))
    with EmbeddedSimulator(app) as simulator:
        started = time.monotonic()
        url = f"{simulator.url}/users/{ACCOUNT}/messages"
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json=message(), auth=BASIC, timeout=0.1, trust_env=False)

        stuck = threading.Thread(target=swallow_post, args=(url,))
        stuck.start()
        while len(simulator.ledger.texts) < 2:
            time.sleep(0.005)

        stopping = time.monotonic()

    stopped = time.monotonic()
    stuck.join()
    assert started - began < 0.3
    assert stopped - stopping < 2


def swallow_post(url):
    try:
        httpx.post(url, json=message(), auth=BASIC, timeout=5, trust_env=False)
    except httpx.HTTPError:
        return


SERVE = """
import sys
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.server import listen, serve

listener = listen()
open(sys.argv[1], "w").write(str(listener.getsockname()[1]))
serve(make_app(Behaviour()), listener)
"""


def test_serve_runs_until_it_is_interrupted_and_prints_nothing(tmp_path):
    told = tmp_path / "port"
    command = [sys.executable, "-c", SERVE, str(told)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        answer = wait_for_ledger(told)
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=10)

    assert answer["messages"] == 0
    assert output == (b"", b"")


def wait_for_ledger(told):
    deadline = time.monotonic() + 10
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    # The socket listens already: what connects now is answered once the server is up.
    return httpx.get(f"http://127.0.0.1:{told.read_text()}/_ledger", trust_env=False).json()
