"""bandcast messages list: what the provider knows, by every filter, as table, JSON and files."""

import csv
import inspect
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from jobs import filters, messages
from pipeline.settle.listed import SCHEMA
from tests.bandwidth.archive import Archive
from tests.bandwidth.door import served
from tests.crash.launch import simulating

from . import shell
from .shell import account, number, write_campaign

#: Every query parameter of listMessages in the API reference and its SDK's documentation.
PARAMETERS = re.findall(
    r"\w+",
    """messageId sourceTn destinationTn messageStatus messageDirection carrierName messageType
    errorCode fromDateTime toDateTime campaignId fromBwLatency bwQueued product location
    carrierQueued fromCarrierLatency callingNumberCountryA3 calledNumberCountryA3 fromSegmentCount
    toSegmentCount fromMessageSize toMessageSize sort pageToken limit limitTotalCount""",
)


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """The environment of an account that has sent 20 messages."""
    folder = tmp_path_factory.mktemp("sent")
    write_campaign(folder)
    with simulating() as url:
        environment = account(url)
        done = shell.run(folder, "send", "campaign.toml", "--yes", "--quiet", env=environment)
        assert done.code in (0, 3), done.err
        del environment["BANDCAST_JOURNAL"]
        yield environment


@pytest.fixture
def listing(bandcast, sent):
    return lambda *arguments: bandcast("messages", "list", *arguments, env=sent)


def test_every_documented_parameter_is_an_option():
    names = [re.sub(r"_(\w)", lambda m: m[1].upper(), each.name) for each in filters.OPTIONS]
    assert names == PARAMETERS
    assert {each.name for each in filters.OPTIONS} < set(inspect.signature(messages.run).parameters)


def test_everything_is_listed_as_one_document(listing):
    done = listing("--json")

    assert done.code == 0
    assert done.json["count"] == 20
    first = done.json["messages"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["receiveTime"])
    assert first["sourceTn"] == "+19195550199"
    assert {each["destinationTn"] for each in done.json["messages"]} == set(map(number, range(20)))


def test_filters_narrow_it(listing):
    one = listing("--destination-tn", number(3), "--json").json
    assert [each["destinationTn"] for each in one["messages"]] == [number(3)]

    several = f"{number(3)}, {number(7)}"
    assert listing("--destination-tn", several, "--json").json["count"] == 2
    assert listing("--message-direction", "INBOUND", "--json").json["count"] == 0
    assert listing("--to-date-time", "2026-01-01", "--json").json["count"] == 0
    assert listing("--message-id", one["messages"][0]["messageId"], "--json").json["count"] == 1


def test_it_is_sorted_and_cut_as_asked(listing):
    done = listing("--sort", "destinationTn:desc", "--limit", "3", "--json")

    numbers = [each["destinationTn"] for each in done.json["messages"]]
    assert numbers == sorted(map(number, range(20)), reverse=True)[:3]
    assert listing("--limit", "4", "--json").json["count"] == 4


def test_a_single_page_tells_where_the_next_one_is(listing):
    begin = ["--source-tn", "+19195550199", "--limit", "15", "--sort", "destinationTn:asc"]
    page = listing(*begin, "--page-token", "YWZ0ZXI6MA==", "--json").json
    assert (page["count"], page["total"]) == (15, 20)

    rest = listing(*begin, "--page-token", page["next_page_token"], "--json").json
    assert (rest["count"], rest["next_page_token"]) == (5, None)


def test_files_have_every_row_and_column(listing, folder):
    assert listing("--out", "all.csv").code == listing("--out", "all.parquet").code == 0

    rows = list(csv.DictReader((folder / "all.csv").read_text().splitlines()))
    frame = pl.read_parquet(folder / "all.parquet")
    assert len(rows) == frame.height == 20
    assert set(frame.columns) == set(rows[0]) == set(SCHEMA)
    assert frame.schema["receiveTime"] == pl.Datetime("ms", "UTC")
    assert (folder / "all.csv").stat().st_mode & 0o777 == 0o600


def test_a_person_sees_a_table_and_logs_hold_no_numbers(listing):
    done = listing("--limit", "2")

    assert "2 messages" in done.out
    assert "+19195550199" in done.out
    assert "+1" not in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--out", "all.xlsx"], "must end with .csv or .parquet"),
        (["--sort", "sourceTn"], "--sort: write a field and its direction"),
        (["--sort", "colour:asc"], "--sort: write a field and its direction"),
        (["--source-tn", "+191"], "--source-tn: part of a number has at least 5"),
        (["--destination-tn", ",".join(["+19195550100"] * 11)], "takes 1 to 10 numbers"),
        (["--from-date-time", "yesterday"], "--from-date-time: write a moment as 2026-11-24"),
        (["--from-date-time", "2026-11-02", "--to-date-time", "2026-11-01"], "lies after the end"),
        (["--from-date-time", "0001-01-01"], "--from-date-time: over 350 searches of 14 days"),
        (["--limit", "0"], "--limit: must be at least 1"),
        (["--message-status", "LOST"], "--message-status"),
    ],
)
def test_bad_usage_is_one_sentence(listing, arguments, sentence):
    done = listing(*arguments)

    assert done.code == 2
    assert sentence in done.err


def test_what_a_search_cannot_reach_is_reached_and_trouble_is_borne_with(bandcast):
    now = datetime.now(UTC).replace(microsecond=0)
    archive = Archive([now - timedelta(seconds=30 * number) for number in range(11_000)])
    archive.refusals = [(429, {"Retry-After": "0"})]
    few = Archive([now])
    with served(few.app) as url:
        environment = account(url) | {"BW_TOKEN_URL": f"{url}/token"}
        assert bandcast("messages", "list", "--json", env=environment).json["count"] == 1
        assert len(few.queries) == 1

    with served(archive.app) as url:
        environment = account(url) | {"BW_TOKEN_URL": f"{url}/token"}
        done = bandcast("messages", "list", "--json", env=environment)

    assert done.json["count"] == 11_000
    assert len({each["messageId"] for each in done.json["messages"]}) == 11_000


def test_a_time_that_ends_far_in_the_future_is_searched_until_now(listing):
    assert listing("--to-date-time", "9999-12-31", "--json").json["count"] == 20


def test_what_the_provider_cannot_read_is_said_in_its_words_without_numbers(listing):
    garbage = listing("--source-tn", "+19195550199", "--page-token", "garbage")
    negative = listing("--from-segment-count", "-5")

    assert (garbage.code, negative.code) == (2, 2)
    assert "'pageToken' is none that was given out" in garbage.err
    assert "'fromSegmentCount' must be a whole number" in negative.err


def test_a_missing_word_is_one_sentence(bandcast):
    done = bandcast("messages")

    assert done.code == 2
    assert len(done.sentences()) == 1
    assert "Choose from: list, received" in done.err


@pytest.mark.parametrize("written", ["19195550199", "(919) 555-0199", "919.555.0199"])
def test_a_number_is_found_however_it_is_written(listing, written):
    assert listing("--source-tn", written, "--json").json["count"] == 20


def test_a_number_of_another_country_needs_its_plus(listing):
    done = listing("--destination-tn", "+447700900123,447700900124")

    assert done.code == 2
    assert "--destination-tn: number 2 of 2" in done.err
    assert "+" in done.err


def test_where_nothing_is_found_without_a_plus_it_says_so(listing):
    done = listing("--destination-tn", "1212555")

    assert (done.code, done.out) == (0, "0 messages\n")
    assert "begin with +" in done.err
    assert listing("--destination-tn", "+1555555").err == ""


def test_what_the_provider_refuses_is_bad_usage_in_its_own_words(listing):
    done = listing("--calling-number-country-a3", "us")

    assert done.code == 2
    assert "'callingNumberCountryA3' must be a country of three letters" in done.err


def test_a_page_is_of_a_search(listing):
    done = listing("--page-token", "YWZ0ZXI6MTA=")

    assert done.code == 2
    assert "--page-token: repeat the filters of the search" in done.err
