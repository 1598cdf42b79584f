"""bandcast receive as a process: beside a send on one journal, words obeyed, HELP answered."""

import json
import signal
import sqlite3
import ssl
import subprocess
import time
from contextlib import closing, suppress
from itertools import pairwise
from urllib.request import Request, urlopen

import polars as pl
import pytest

from pipeline.journal.opening import open_journal
from tests.crash.launch import simulating
from tests.jobs.receiving import event, free_port, kept, post, receiving, said, start_receiver
from tests.jobs.shell import CAMPAIGN, account, finish, ledger, number, run, start, write_campaign

JOURNAL = {"BANDCAST_JOURNAL": "sqlite:///journal.db"}


def suppressed(folder):
    done = run(folder, "suppress", "list", "--json", env=JOURNAL)
    return {each["number"]: each["source"] for each in done.json["suppressed"]}


def test_send_and_receive_share_a_journal_and_the_campaign_ends_delivered(folder):
    write_campaign(folder, people=300)
    trouble = "latency=5,duplicate=0.3,reorder=0.3,batch=5"
    with (
        receiving(folder) as url,
        simulating("--callback-url", url, "--faults", trouble) as provider,
    ):
        env = account(provider)
        sent = run(folder, "send", "campaign.toml", "--yes", "--json", env=env)
        assert sent.code == 0, sent.err
        states = until_delivered(folder, env)

    assert states == {"delivered": 300, "skipped": 2}
    table = pl.read_parquet(folder / "out" / "spring" / "results.parquet")
    assert table.filter(pl.col("state") == "delivered").height == 300
    assert table.filter(pl.col("state") == "delivered")["final_at"].null_count() == 0


def until_delivered(folder, env):
    for _ in range(40):
        states = run(folder, "results", "campaign.toml", "--json", env=env).json["states"]
        if states.keys() <= {"delivered", "skipped"}:
            break

        time.sleep(0.25)

    return states


def test_words_and_dead_numbers_become_suppressions_and_a_second_time_changes_nothing(folder):
    stop, start = said(1, "Stop."), said(2, "START", time="2026-11-21T09:00:01.000Z")
    other = said(3, "OPT OUT", sender="+12125550101")
    dead = event(4, "message-failed", to="+13105550101", errorCode=4720)
    with receiving(folder) as url:
        for body in (start, stop, other, dead, stop, other, dead):
            assert post(url, body) == 204

    assert suppressed(folder) == {"+12125550101": "reply", "+13105550101": "dead_number"}
    assert [len(ids) for ids in kept(folder)] == [1, 3]


def test_help_is_answered_once_however_often_the_question_comes(folder):
    with (
        simulating() as provider,
        receiving(folder, "--help-text", "Acme: 555-0100", env=account(provider)) as url,
    ):
        for body in (said(1, "HELP"), said(1, "HELP"), said(2, "hello"), said(1, "HELP")):
            assert post(url, body) == 204

        wait_for(lambda: ledger(provider)["messages"] == 1)
        time.sleep(0.3)
        texts = ledger(provider)["texts"]

    assert [text["to"] for text in texts] == [["+19195550123"]]


def test_the_answer_to_help_is_no_proof_that_a_doubtful_message_arrived(folder):
    """From the same number, to the same person, as long as the text that never left."""
    text = CAMPAIGN.replace("+19195550199", "+19195550100") + "[settling]\nseconds = []\n"
    write_campaign(folder, people=1, text=text)
    with simulating("--faults", "refused=1") as url:
        port = url.rpartition(":")[2]
        assert run(folder, "send", "campaign.toml", "--yes", env=account(url)).code == 6

    answer = "Acme, 555-0100, STOP opts out."
    assert len(answer) == len("Hi Person0, see you on Sunday.")
    with simulating("--port", port) as url:
        env = account(url)
        with receiving(folder, "--help-text", answer, env=env) as receiver:
            assert post(receiver, said(1, "HELP", sender=number(0))) == 204
            wait_for(lambda: ledger(url)["messages"] == 1)

        done = run(folder, "reconcile", "campaign.toml", "--json", env=env)

    assert (done.code, done.json["settled"], done.json["in_doubt"]) == (6, 0, 1)


def test_answers_to_help_keep_the_account_s_rate(folder):
    """An account that never sent has a segment a second; one that sends has the campaign's rate."""
    with simulating() as provider:
        env = account(provider)
        with receiving(folder, "--help-text", "Acme", env=env) as url:
            for number in range(3):
                assert post(url, said(number, "help")) == 204

            wait_for(lambda: ledger(provider)["messages"] == 3)

        moments = sorted(each["arrival_seconds"] for each in ledger(provider)["texts"])

    assert all(later - earlier > 0.9 for earlier, later in pairwise(moments))


def test_help_that_waits_at_the_end_is_answered_and_not_again_by_the_next_run(folder):
    with simulating("--faults", "latency=200") as provider:
        env = account(provider)
        process, url = start_receiver(folder, "--help-text", "Acme", "--json", env=env)
        for number in range(3):
            post(url, said(number, "help"))

        process.send_signal(signal.SIGTERM)
        assert finish(process).json["help_answers"] == {"accepted": 3}
        with receiving(folder, "--help-text", "Acme", env=env) as url:
            post(url, said(0, "help"))

        assert ledger(provider)["messages"] == 3


def test_help_whose_answer_was_taken_when_the_receiver_died_is_not_answered_again(folder):
    """The id of the answer is not noted then; its receipt, by the tag, tells whose it is."""
    with simulating("--faults", "latency=5000") as provider:
        env = account(provider)
        process, url = start_receiver(folder, "--help-text", "Acme", env=env)
        with process:
            assert post(url, said(1, "help")) == 204
            wait_for(lambda: ledger(provider)["messages"] == 1)
            process.kill()

        answer = ledger(provider)["texts"][0]["message_id"]
        assert explained(folder, answer) == set()
        process, url = start_receiver(folder, "--help-text", "Acme", "--json", env=env)
        assert post(url, said(1, "help")) == 204
        assert post(url, event(2, message={"id": answer, "tag": "help"})) == 204
        process.send_signal(signal.SIGTERM)
        assert finish(process).json["help_answers"] == {}
        assert ledger(provider)["messages"] == 1

    assert explained(folder, answer) == {answer}, "it is no proof about a campaign's message"


def explained(folder, *message_ids):
    with closing(open_journal(f"sqlite:///{folder}/journal.db")) as journal:
        return journal.explained(message_ids)


def wait_for(condition):
    for _ in range(100):
        if condition():
            return

        time.sleep(0.05)

    raise AssertionError("it never happened")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_what_came_and_without_a_number_or_a_text(folder, number):
    process, url = start_receiver(folder, "--json")
    post(url, event(1))
    post(url, said(2, "Quagga"))
    post(url, b"no json")
    process.send_signal(number)
    done = finish(process)
    assert done.code == 0
    assert done.json["events"] == {"message-delivered": 1, "message-received": 1}
    assert done.json["refused"] == {"400": 1}
    assert "Quagga" not in done.out + done.err
    assert "5550" not in done.out + done.err
    assert [len(ids) for ids in kept(folder)] == [1, 1]


def test_quiet_says_nothing(folder):
    port = free_port()
    process = start(folder, "receive", "--port", port, "--quiet", env=JOURNAL)
    wait_for(lambda: answers(f"http://127.0.0.1:{port}/"))
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    assert (done.code, done.out, done.err) == (0, "", "")


def answers(url):
    with suppress(OSError):
        return post(url, event(1)) == 204


def test_the_journal_of_a_campaign_is_the_one_beside_its_file(folder):
    (folder / "elsewhere").mkdir()
    process, _ = start_receiver(
        folder / "elsewhere", "../campaign.toml", env={"BANDCAST_JOURNAL": ""}
    )
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert (folder / "bandcast.db").exists()


# --- Who is let in -------------------------------------------------------------------------------

CREDENTIALS = {"BW_CALLBACK_USERNAME": "bandwidth", "BW_CALLBACK_PASSWORD": "secret-Okapi"}


def test_with_credentials_only_the_provider_is_let_in(folder):
    right = {"Authorization": "Basic YmFuZHdpZHRoOnNlY3JldC1Pa2FwaQ=="}
    with receiving(folder, env=CREDENTIALS) as url:
        assert post(url, event(1)) == 401
        assert post(url, event(1), {"Authorization": "Basic YmFuZHdpZHRoOg=="}) == 401
        assert post(url, event(1), right) == 204


@pytest.mark.parametrize(
    ("options", "env", "code", "words"),
    [
        (["--host", "0.0.0.0"], {}, 4, "BW_CALLBACK_USERNAME and BW_CALLBACK_PASSWORD"),
        (["--host", "::"], {}, 4, "listen on 127.0.0.1 behind a proxy"),
        ([], {"BW_CALLBACK_PASSWORD": "x"}, 4, "BW_CALLBACK_USERNAME is not set"),
        ([], {"BW_CALLBACK_USERNAME": "x"}, 4, "BW_CALLBACK_PASSWORD is not set"),
        ([], {"BW_CALLBACK_USERNAME": "x:y", "BW_CALLBACK_PASSWORD": "z"}, 4, "holds a colon"),
        (["--help-text", "Acme"], {}, 4, "BW_ACCOUNT_ID"),
        (["--help-text", " "], {}, 2, "--help-text must have 1 to 2,048 characters"),
        (["--certfile", "campaign.toml"], {}, 2, "--certfile and --keyfile belong together"),
        (["--certfile", "campaign.toml", "--keyfile", "people.csv"], {}, 2, "no PEM certificate"),
        (["--certfile", "gone", "--keyfile", "gone"], {}, 2, "No such file"),
        (["gone.toml"], {}, 2, "there is no file 'gone.toml'"),
        (["--host", "192.0.2.1"], CREDENTIALS, 2, "cannot be listened on"),
        ([], {"BANDCAST_JOURNAL": "sqlite:///people.csv"}, 2, "no journal"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_in_a_sentence_before_anything_is_taken(
    bandcast, options, env, code, words
):
    done = bandcast("receive", "--port", "0", *options, env=env)
    assert done.code == code
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert "secret-Okapi" not in done.err


def test_a_port_that_is_taken_is_said(bandcast, folder):
    with receiving(folder) as url:
        port = url.rstrip("/").rsplit(":", 1)[1]
        done = bandcast("receive", "--port", port)

    assert (done.code, "cannot be listened on" in done.err) == (2, True)


def test_it_speaks_tls_with_a_certificate_of_its_own(folder):
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not here to make a certificate")

    with receiving(folder, "--certfile", "cert.pem", "--keyfile", "key.pem") as url:
        assert url.startswith("https://")
        trust = ssl.create_default_context(cafile=folder / "cert.pem")
        with urlopen(Request(url, event(1), method="POST"), context=trust, timeout=30) as answer:
            assert answer.status == 204


def test_a_journal_that_fails_ends_it_with_its_sentence_after_a_503(folder):
    process, url = start_receiver(folder)
    assert post(url, event(1)) == 204
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        connection.execute("DROP TABLE receipt")

    assert post(url, event(2)) == 503
    done = finish(process)
    assert done.code == 1
    assert "the journal" in done.err
    assert json.loads(event(2))[0]["message"]["id"] not in done.err
