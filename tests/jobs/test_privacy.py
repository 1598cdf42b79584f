"""What must not be told: no number, name or text in a log, and no secret anywhere."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl

from jobs import console
from tests.crash.launch import simulating

from .shell import SECRETS, account, number, run, write_campaign

FAULTS = "lost=0.1,cut=0.1,garbage=0.05,gateway=0.05,error=0.1,failed=0.1,latency=20"
PEOPLE = 60


def private():
    """Everything that a log could give away, in every form it could have."""
    for person in range(PEOPLE):
        yield from (number(person), number(person)[2:], f"Person{person}")

    yield from ("see you on Sunday", "call the office", *SECRETS.values())


def hides_everybody(log):
    assert log, "there is no log to look at"
    for given_away in private():
        assert given_away not in log


def hides_secrets(done, folder):
    written = "".join(
        path.read_text() for path in folder.rglob("*") if path.suffix in {".csv", ".json"}
    )
    for secret in SECRETS.values():
        assert secret not in done.out + done.err + written


def test_a_bad_day_is_logged_without_anybody_in_the_log(folder):
    write_campaign(folder, people=PEOPLE)
    env = SECRETS | {"BW_PASSWORD": SECRETS["BW_CLIENT_SECRET"]}
    done = run(folder, "send", "campaign.toml", "--simulate", "--yes", "--faults", FAULTS, env=env)
    assert done.code == 6
    assert "took a shard" in done.err
    hides_everybody(done.err)
    hides_everybody(done.out)
    hides_secrets(done, folder)


class Refusal(BaseHTTPRequestHandler):
    """Gives a token, and then refuses every message with a sentence that names the number."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path.endswith("/token"):
            return self.answer(*self.server.token)

        asked = json.loads(body)
        (to,) = asked["to"]
        sentence = f"'{to}' must be replaced with a valid E164 formatted telephone number"
        fields = [{"fieldName": "text", "description": f"not this: {asked['text']}"}]
        refusal = {"type": "request-validation", "description": sentence, "fieldErrors": fields}
        return self.answer(self.server.status, refusal)

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def refusing(*, status=400, token=(200, {"access_token": "token-Eland", "expires_in": 3600})):
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        server.status, server.token, server.daemon_threads = status, token, True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_refusal_that_names_the_number_is_in_the_results_and_in_no_log(folder):
    write_campaign(folder, people=PEOPLE)
    with refusing() as url:
        done = run(folder, "send", "campaign.toml", "--yes", env=account(url))

    assert done.code == 3
    hides_everybody(done.err)
    hides_everybody(done.out)
    hides_secrets(done, folder)
    assert "token-Eland" not in done.out + done.err
    table = pl.read_parquet(folder / "out" / "spring" / "results.parquet")
    refused = table.filter(pl.col("state") == "rejected")
    assert refused.height == PEOPLE
    assert all(to in error for to, error in refused.select("to", "error").iter_rows())
    assert set(refused["error_code"]) == {"request-validation"}
    assert set(refused["http_status"]) == {400}


def test_a_token_endpoint_that_repeats_the_secret_is_not_quoted(bandcast, folder):
    echo = {"error": f"{SECRETS['BW_CLIENT_ID']}:{SECRETS['BW_CLIENT_SECRET']} is wrong"}
    with refusing(token=(401, echo)) as url:
        done = bandcast("send", "campaign.toml", "--yes", "--json", env=account(url))

    assert done.code == 4
    hides_everybody(done.err)
    hides_secrets(done, folder)


def test_wrong_basic_credentials_are_not_quoted(bandcast):
    basic = {"BW_CLIENT_ID": "", "BW_USERNAME": "user", "BW_PASSWORD": "secret-Okapi"}
    with simulating("--account-id", "1") as url:
        done = bandcast("send", "campaign.toml", "--yes", env=account(url, **basic))

    assert done.code == 4
    assert "secret-Okapi" not in done.out + done.err


def test_files_with_numbers_are_for_their_owner_only(bandcast, folder):
    assert bandcast("send", "campaign.toml", "--simulate", "--yes", "--quiet").code == 0
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.glob("out/spring/*")}
    assert {
        "plan.parquet",
        "results.parquet",
        "results.csv",
        "simulation-spring.db",
    } <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_a_defect_of_ours_is_told_by_its_place_and_not_by_its_values(capsys):
    try:
        int(number(1) + " is nobody's number")
    except ValueError as error:
        told = str(error)
        console.print_failure(console.where_unexpected(error), 1, label="unexpected error")

    assert number(1) in told
    printed = capsys.readouterr().err
    assert "ValueError at test_privacy.py:" in printed
    assert number(1) not in printed
