"""bandcast messages received: what people wrote to us, from the journal, as the listing is told."""

import csv
import json
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime

import polars as pl
import pytest

from pipeline.bandwidth.wire import sort_callbacks
from pipeline.journal import open_journal
from pipeline.settle.heard import SCHEMA
from pipeline.settle.receipts import keep_events
from tests.crash.launch import simulating
from tests.jobs.receiving import event, receiving, said

ANN, BEN, OURS = "+19195550123", "+12125550101", "+19195550100"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PICTURE = {"from": BEN, "text": "", "media": ["https://example.com/1", "https://example.com/2"]}
BODIES = (
    said(1, "Open on Sunday?", time="2026-11-21T09:00:00.000Z"),
    said(2, "Stop!", sender=BEN, time="2026-11-20T23:30:00.250Z"),
    event(3, "message-received", to=OURS, message=PICTURE, time="2026-11-22T10:00:00.000Z"),
    said(4, "=HYPERLINK(1)", time="2026-11-23T10:00:00.000Z"),
)


@pytest.fixture
def kept(folder):
    """A journal beside the campaign in which people wrote."""
    with closing(open_journal(f"sqlite:///{folder / 'bandcast.db'}")) as journal:
        for body in BODIES:
            keep_events(journal, sort_callbacks(body).known, now=NOW)


@pytest.fixture
def received(bandcast, kept):
    return lambda *arguments: bandcast("messages", "received", *arguments)


def ids(done):
    return [each["messageId"] for each in done.json["messages"]]


def test_what_a_handset_texts_is_told_with_its_text(folder, bandcast):
    with receiving(folder) as url, simulating("--callback-url", url) as simulator:
        text = {"from": ANN, "to": OURS, "text": "Ünder 10 €? 🙂"}
        body = json.dumps(text).encode()
        with urllib.request.urlopen(f"{simulator}/_inbound", body, timeout=30) as answer:
            assert answer.status < 300

        journal = {"BANDCAST_JOURNAL": "sqlite:///journal.db"}
        until = time.monotonic() + 20
        while not (found := bandcast("messages", "received", "--json", env=journal).json)["count"]:
            assert time.monotonic() < until
            time.sleep(0.05)

    (message,) = found["messages"]
    assert (message["sourceTn"], message["destinationTn"]) == (ANN, OURS)
    assert message["text"] == text["text"]
    assert "wish" not in message


def test_all_are_told_in_the_order_in_which_they_were_written(received):
    done = received("--json")

    assert done.json["count"] == 4
    first, second, third, _ = done.json["messages"]
    assert first == {
        "messageId": "id-2",
        "sourceTn": BEN,
        "destinationTn": OURS,
        "messageType": "sms",
        "receiveTime": "2026-11-20T23:30:00.250Z",
        "wish": "stop",
        "text": "Stop!",
        "keptAt": "2026-11-25T12:00:00.000Z",
    }
    assert (second["messageId"], second["text"]) == ("id-1", "Open on Sunday?")
    assert (third["messageType"], third["media"]) == ("mms", " ".join(PICTURE["media"]))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--source-tn", ANN], ["id-1", "id-4"]),
        (["--source-tn", "+1212"], ["id-2", "id-3"]),
        (["--source-tn", f"{ANN},{BEN}"], ["id-2", "id-1", "id-3", "id-4"]),
        (["--destination-tn", "+19195550999"], []),
        (["--message-id", "id-3"], ["id-3"]),
        (["--from-date-time", "2026-11-22"], ["id-3", "id-4"]),
        (["--from-date-time", "2026-11-21T10:00+01:00"], ["id-1", "id-3", "id-4"]),
        (["--to-date-time", "2026-11-20T23:30:00.250Z"], ["id-2"]),
        (["--sort", "receiveTime:desc", "--limit", "2"], ["id-4", "id-3"]),
        (["campaign.toml", "--limit", "1"], ["id-2"]),
    ],
)
def test_the_listing_s_filters_narrow_it(received, arguments, found):
    assert ids(received(*arguments, "--json")) == found


def test_files_have_every_message_and_no_formula_that_somebody_texted(received, folder):
    assert received("--out", "all.csv").code == received("--out", "all.parquet").code == 0

    rows = list(csv.DictReader((folder / "all.csv").read_text().splitlines()))
    assert [row["text"] for row in rows][-1] == "'=HYPERLINK(1)"
    assert list(rows[0]) == list(SCHEMA)
    frame = pl.read_parquet(folder / "all.parquet")
    assert dict(frame.schema) == SCHEMA
    assert frame["text"].to_list()[-1] == "=HYPERLINK(1)"
    assert (folder / "all.csv").stat().st_mode & 0o777 == 0o600


def test_a_person_sees_a_table_and_nothing_is_logged(received):
    done = received()

    assert "Open on Sunday?" in done.out
    assert "4 messages" in done.out
    assert done.err == ""
    assert received("--quiet").out == ""


def test_where_nobody_wrote_or_no_journal_is_nothing_is_listed_and_nothing_is_made(
    bandcast, folder
):
    assert bandcast("messages", "received", "--json").json == {"count": 0, "messages": []}
    assert not (folder / "bandcast.db").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["received", "--message-status", "SENT"], "--message-status is for messages list"),
        (["received", "nothing.toml"], "there is no file 'nothing.toml'"),
        (["received", "--sort", "segmentCount:asc"], "--sort: write a field and its direction"),
        (["received", "--out", "all.xlsx"], "must end with .csv or .parquet"),
        (
            ["received", "--from-date-time", "2026-11-02", "--to-date-time", "2026-11-01"],
            "lies after the end",
        ),
        (["list", "campaign.toml"], "messages list: lists the account's messages"),
        (["read"], "'read' is not one of 'list', 'received'"),
    ],
)
def test_bad_usage_is_one_sentence(bandcast, arguments, sentence):
    done = bandcast("messages", *arguments)

    assert done.code == 2
    assert sentence in done.err
