"""A simulator and a webhook on two ports; time stands still between the acts of a test."""

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.clock import StoppedClock
from pipeline.simulator.server import EmbeddedSimulator

from .caller import BASIC, MESSAGES, message

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # more connections at once than the poster opens


class Receiver:
    """A webhook on a port: keeps what is posted, and answers with `statuses`, then 200.

    Before its first answer it pauses.
    """

    def __init__(self, *statuses, pause_seconds=0.0):
        self.posts = []
        self._statuses = iter(statuses)
        self._pauses = iter([pause_seconds])
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posts.append((headers, body))
                time.sleep(next(receiver._pauses, 0.0))
                self.send_response(next(receiver._statuses, 200))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def events(self):
        return [event for _, body in self.posts for event in json.loads(body)]


class Stage:
    """A simulator whose clock is stopped at noon, and what it posts to a receiver."""

    def __init__(self, behaviour=None, *, receiver=None, seed=1, **options):
        self.receiver = receiver or Receiver()
        app = make_app(
            behaviour or Behaviour(delivery_ms=0),
            seed=seed,
            callback_url=self.receiver.url,
            clock=StoppedClock(NOON),
            **options,
        )
        self._simulator = EmbeddedSimulator(app)
        self._client = httpx.Client(base_url=self._simulator.origin, auth=BASIC, trust_env=False)

    def __enter__(self):
        self.receiver.__enter__()
        self._simulator.__enter__()
        return self

    def __exit__(self, *error):
        self._client.close()
        self._simulator.__exit__(*error)
        self.receiver.__exit__(*error)

    def ask(self, method, path, **options):
        return self._client.request(method, path, **options)

    def send(self, *to, **changes):
        """Send a text, which must be accepted; return the answer's body."""
        answer = self.ask("POST", MESSAGES, json=message(**{"to": list(to), **changes}))
        assert answer.status_code == 202, answer.text
        return answer.content

    def inbound(self, **text):
        return self.ask("POST", "/_inbound", json=text)

    def pass_time(self, seconds):
        answer = self.ask("POST", "/_clock", json={"seconds": seconds})
        assert answer.status_code == 200, answer.text

    def listed(self, **params):
        return self.ask("GET", MESSAGES, params=params).json()["messages"]

    def ledger(self, **params):
        return self.ask("GET", "/_ledger", params=params).json()

    @property
    def told(self):
        """The events posted: (type, to, error code, seconds after noon that they tell)."""
        return [
            (
                event["type"],
                event["to"],
                event.get("errorCode"),
                (datetime.fromisoformat(event["time"]) - NOON).total_seconds(),
            )
            for event in self.receiver.events
        ]
