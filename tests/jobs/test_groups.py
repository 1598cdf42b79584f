"""Groups from the command line to the handsets: one text, one receipt, one price for each."""

import json
from collections import Counter
from decimal import Decimal

import polars as pl
import pytest

from tests.crash.launch import simulating

from .shell import CAMPAIGN, CARD, account, ledger

SEND = ("send", "campaign.toml", "--simulate", "--yes", "--json")
MMS = CARD + '[[price]]\nchannel = "mms"\nsender = "default"\nprefix = "1"\nbase = "0.015"\n'
OUT = ("out", "spring", "results.parquet")


def number(person):
    return f"+1919555{person:04}"


def write(folder, rows, *, more="", columns='group = "household"', header="name,phone,household"):
    (folder / "people.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "card.toml").write_text(MMS)
    text = CAMPAIGN.replace("[sending]", f"{more}\n[columns]\n{columns}\n[sending]")
    (folder / "campaign.toml").write_text(text)


def households(sizes, *, start=101):
    """Rows of households, their members far from each other."""
    people = [(house, place) for house, size in enumerate(sizes) for place in range(size)]
    people.sort(key=lambda each: (each[1], each[0]))
    return [f"P{n},{number(start + n)},h{house}" for n, (house, _) in enumerate(people)]


def results(folder):
    return pl.read_parquet(folder.joinpath(*OUT))


def test_a_simulated_campaign_of_groups_delivers_one_text_to_everybody(bandcast, folder):
    write(folder, households([1, 2, 5, 10, 1, 3]))
    done = bandcast(*SEND)
    assert done.code == 0, done.err
    assert done.json["states"] == {"delivered": 22}
    assert done.json["groups"] == {"groups": 4, "recipients": 20, "largest": 10}
    assert (done.json["messages"], done.json["segments"]) == (22, 22)
    assert done.json["cost"]["total"] == done.json["cost_of_results"] == 20 * 0.015 + 2 * 0.004
    assert done.json["spending"]["campaign"]["spent"] == done.json["cost_of_results"]
    found = results(folder)
    assert found["message_id"].n_unique() == 6
    by_group = found.drop_nulls("group_row").group_by("group_row").agg(
        pl.col("message_id", "text").n_unique(), pl.len()
    )  # fmt: skip
    assert set(by_group["message_id"]) == set(by_group["text"]) == {1}
    assert sorted(by_group["len"]) == [2, 3, 5, 10]


@pytest.mark.parametrize("size", [11, 50])
def test_groups_may_be_as_large_as_an_older_document_allows_where_the_campaign_says_so(
    bandcast, folder, size
):
    write(folder, households([size, 1]))
    done = bandcast("estimate", "campaign.toml", "--json")
    assert done.json["skipped"] == {"group_too_large": size}
    write(folder, households([size, 1]), more="group_limit = 50")
    assert bandcast(*SEND).json["states"] == {"delivered": size + 1}


def test_the_listing_settles_a_lost_answer_about_a_group_of_any_size_and_those_beside_it(
    bandcast, folder
):
    write(folder, households([25, 1, 2]), more="group_limit = 50")
    with (folder / "campaign.toml").open("a") as campaign:
        campaign.write("[settling]\nseconds = [0, 1]\n")

    with simulating("--faults", "lost=1", "--max-recipients", "50") as url:
        done = bandcast("send", "campaign.toml", "--yes", "--json", env=account(url))

    assert done.code == 0, done.err
    assert done.json["states"].keys() <= {"accepted", "delivered"}


def test_every_recipient_ends_by_his_own_receipt_and_costs_by_his_own_end(bandcast, folder):
    """Magic numbers of the simulator: 555-0123 is delivered, others fail with a code of theirs."""
    numbers = ["+19195550123", "+19195554404", "+19195554720", "+19195557002"]
    write(folder, [f"P,{each},h" for each in numbers])
    done = bandcast(*SEND)
    found = results(folder)
    ends = dict(
        zip(found["to"], zip(found["state"], found["error_code"], strict=True), strict=True)
    )
    assert ends["+19195550123"] == ("delivered", None)
    assert ends["+19195554404"] == ("failed", "4404")
    assert ends["+19195554720"] == ("failed", "4720")
    assert done.code == 3
    cents = dict(zip(found["to"], found["cost"], strict=True))
    assert cents["+19195554404"] == 0  # found by Bandwidth: free
    assert cents["+19195554720"] == Decimal("0.015")
    spent = Decimal(str(done.json["spending"]["campaign"]["spent"]))
    assert spent == sum(found["cost"]) == Decimal(str(done.json["cost_of_results"]))


TROUBLE = ["duplicate=1,reorder=1", "busy=0.2,error=0.2", "lost=0.3", "failed=0.3,late=0.3"]


@pytest.mark.parametrize("faults", TROUBLE)
def test_whatever_the_provider_does_every_row_of_a_group_ends_and_sums_match(
    bandcast, folder, faults
):
    write(folder, households([4] * 20 + [1] * 5))
    done = bandcast(*SEND, "--faults", faults)
    assert done.code in {0, 3}
    assert sum(done.json["states"].values()) == done.json["rows"] == 85
    assert done.json["states"].keys() <= {"delivered", "failed"}
    assert Counter(results(folder)["state"]) == done.json["states"]
    assert done.json["spending"]["campaign"]["spent"] == done.json["cost_of_results"]


def test_a_budget_stops_before_the_group_that_would_pass_it(bandcast, folder):
    write(folder, households([4, 4, 4]))
    text = (folder / "campaign.toml").read_text()
    (folder / "campaign.toml").write_text(text.replace("rate = 2000", "rate = 2000\nbudget = 0.13"))
    done = bandcast(*SEND)
    assert done.code == 5
    assert done.json["states"] == {"delivered": 8, "ready": 4}
    assert done.json["spending"]["campaign"]["spent"] == 0.12
    rest = bandcast(*SEND, "--budget", "0.18")
    assert (rest.code, rest.json["states"]) == (0, {"delivered": 12})


def test_a_provider_on_a_port_sees_each_handset_once_over_two_runs(bandcast, folder):
    write(folder, households([3, 2, 1, 6]))
    with simulating() as url:
        first = bandcast("send", "campaign.toml", "--yes", "--json", env=account(url))
        again = bandcast("send", "campaign.toml", "--yes", "--json", env=account(url))
        told = ledger(url)

    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert first.json["states"] == again.json["states"] == {"accepted": 12}
    assert (told["requests"], told["handsets"], told["duplicates"]) == (4, 12, 0)


def test_who_is_suppressed_after_the_start_is_in_no_group_that_is_sent(bandcast, folder):
    write(folder, households([2, 3]))
    text = (folder / "campaign.toml").read_text()
    (folder / "campaign.toml").write_text(text.replace("rate = 2000", "rate = 2000\nbudget = 0.05"))
    with simulating() as url:
        env = account(url)
        started = bandcast("send", "campaign.toml", "--yes", "--json", env=env)
        assert started.json["states"] == {"accepted": 2, "ready": 3}
        numbers = results(folder).filter(pl.col("state") == "ready")["to"].to_list()
        bandcast("suppress", "add", numbers[1], "--because", "asked", env=env)
        done = bandcast("send", "campaign.toml", "--yes", "--json", "--budget", "9", env=env)
        told = ledger(url)

    assert done.json["states"] == {"accepted": 2, "cancelled": 3}
    assert not {to for text in told["texts"] for to in text["to"]} & set(numbers)
    errors = Counter(results(folder).drop_nulls("error")["error"])
    assert errors["suppressed"] == 1
    assert sum(errors.values()) == 3


def test_a_cell_lists_the_recipients_of_its_rows_message(bandcast, folder):
    cells = [f"Ann,{number(101)} / {number(102)}; {number(103)}", f"Bob,{number(104)}", "Cid,none"]
    write(folder, cells, header="name,everybody", columns='recipients = "everybody"')
    done = bandcast(*SEND)
    assert done.code == 0, done.err
    assert done.json["states"] == {"delivered": 4, "skipped": 1}
    assert done.json["groups"] == {"groups": 1, "recipients": 3, "largest": 3}
    found = results(folder)
    assert found["file_row"].to_list() == [1, 1, 1, 2, 3]
    assert found["group_row"].to_list() == [1, 1, 1, None, None]
    assert found["text"].to_list()[:3] == ["Hi Ann, see you on Sunday."] * 3


@pytest.mark.parametrize(
    ("columns", "more", "sentence"),
    [
        ('group = "a"\nrecipients = "b"', "", "write one of them"),
        ('recipients = "b"', 'phone = "a"', "take phone out"),
        ('recipients = "b"', "all_numbers = true", "take one out"),
        ('group = "a"', "group_limit = 51", "from 2 to 50"),
        ('group = "a"', "group_limit = 1", "from 2 to 50"),
    ],
)
def test_settings_that_contradict_each_other_are_told(bandcast, folder, columns, more, sentence):
    write(folder, households([1]), columns=columns, more=more)
    done = bandcast("estimate", "campaign.toml", "--json")
    assert done.code == 2
    assert sentence in done.err


def test_a_person_reads_how_many_groups_there_are(bandcast, folder):
    write(folder, households([2, 3]))
    done = bandcast("estimate", "campaign.toml")
    said = " ".join(done.out.replace("│", " ").split())
    assert "in groups 5 in 2" in said
    assert "5: recipients are in groups, of which there are 2" in said
    assert "3: recipients get a text that is not what their own row would say" in said
    assert json.loads(bandcast("estimate", "campaign.toml", "--json").out)["advice"] == []


def test_where_the_price_decides_groups_are_mms_all_the_same_and_no_advice_is_about_them(
    bandcast, folder
):
    write(
        folder, households([2, 1]), more='channel = "auto"\nmedia = ["https://example.com/a.png"]'
    )
    done = bandcast(*SEND)
    assert done.code == 0, done.err
    channels = Counter(results(folder).select("group_row", "channel").rows())
    assert channels == {(1, "mms"): 2, (None, "sms"): 1}
    assert done.json["cost"]["total"] == 2 * 0.015 + 0.004


def test_a_group_column_that_is_not_there_is_told(bandcast, folder):
    write(folder, households([2]), columns='group = "family"')
    done = bandcast("estimate", "campaign.toml", "--json")
    assert done.code == 2
    assert "there is no column 'family'" in done.err


@pytest.fixture
def doubtful(bandcast, folder):
    """A campaign of which every answer was lost: yields its folder's environment."""
    more = "[settling]\nseconds = []\n[columns]"
    write(folder, households([3, 1, 2]))
    text = (folder / "campaign.toml").read_text().replace("[columns]", more, 1)
    (folder / "campaign.toml").write_text(text)
    with simulating("--faults", "lost=1") as url:
        sent = bandcast("send", "campaign.toml", "--yes", "--json", env=account(url))
        assert (sent.code, sent.json["states"]) == (6, {"in_doubt": 6})
        yield account(url)


def test_the_listing_settles_a_group_as_one_message(bandcast, folder, doubtful):
    settled = bandcast("reconcile", "campaign.toml", "--json", env=doubtful)
    assert settled.code == 0, settled.err
    assert settled.json["in_doubt"] == 0
    found = results(folder)
    assert set(found["state"]) <= {"accepted", "delivered"}
    assert found["message_id"].n_unique() == 3
    got = ledger(doubtful["BW_MESSAGING_URL"].removesuffix("/api/v2"))["texts"]
    assert Counter(number for text in got for number in text["to"]).most_common(1)[0][1] == 1


def test_who_releases_one_recipient_releases_and_pays_the_group(bandcast, folder, doubtful):
    why = ("--by", "ana", "--because", "asked by phone", "--yes", "--json")
    released = bandcast("release", "campaign.toml", "--rows", "4", *why, env=doubtful)
    assert released.code == 0, released.err
    of_group = results(folder).filter(pl.col("group_row") == 1)["row"].to_list()
    assert len(of_group) == 3
    assert 4 in of_group
    assert released.json["rows"] == of_group
