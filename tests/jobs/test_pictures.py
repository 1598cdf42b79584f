"""Campaigns with pictures from local files: checked, uploaded once, reused, named by content."""

import json
import random
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from tests.bandwidth.door import MEDIA, Door, environment_of, served
from tests.crash.launch import simulating

from .shell import CAMPAIGN, CARD, SECRETS, account, number, write_campaign

MMS_CARD = CARD + CARD[CARD.index("[[price]]") :].replace('"sms"', '"mms"')
PICTURED = CAMPAIGN.replace("template =", 'channel = "mms"\ntemplate =')
LISTED = PICTURED.replace("template =", 'media = ["logo.png"]\ntemplate =')
OWN = f'{PICTURED}[columns]\nmedia = "picture"\n'
NAME = re.compile(r"bandcast-[0-9a-f]{32}-\d{8}T\d{4}\.png")


@pytest.fixture
def door():
    door = Door()
    with served(door.app) as door.address:
        yield door


@pytest.fixture
def send(bandcast, door):
    environment = environment_of(door.address, **SECRETS)
    return lambda *arguments: bandcast(*(arguments or SEND), env=environment)


SEND = ("send", "campaign.toml", "--yes", "--json")


def picture(path, colour="red", size=(8, 8), kind="PNG"):
    Image.new("RGB", size, colour).save(path, kind)
    return path.read_bytes()


def noise(path, kind, side=1500):
    """Big, because nothing in it can be left out."""
    pixels = random.Random(1).randbytes(side * side * 3)
    Image.frombytes("RGB", (side, side), pixels).save(path, kind, quality=95)
    return path.stat().st_size


def with_pictures(folder, cells, text=OWN):
    write_campaign(folder, text=text)
    (folder / "card.toml").write_text(MMS_CARD)
    rows = [f"Person{n},{number(n)},{cell}" for n, cell in enumerate(cells)]
    (folder / "people.csv").write_text("name,phone,picture\n" + "\n".join(rows) + "\n")


def listed(folder, text=LISTED, people=20):
    write_campaign(folder, text=text, people=people)
    (folder / "card.toml").write_text(MMS_CARD)


def puts(door):
    return [path.rpartition("/")[2] for method, path, _ in door.heard if method == "PUT"]


def test_one_picture_for_everybody_is_uploaded_once_before_the_first_message(send, folder, door):
    listed(folder)
    content = picture(folder / "logo.png")

    done = send()

    assert done.code == 0
    assert done.json["uploads"] == {"files": 1, "bytes": len(content)}
    [name] = puts(door)
    assert NAME.fullmatch(name)
    assert door.files == {name: ("image/png", content)}
    address = f"{door.address}{MEDIA}/{name}"
    assert [message["media"] for message in door.sent] == [[address]] * 20


def test_rows_have_their_own_pictures_and_the_same_content_is_one_upload(send, folder, door):
    with_pictures(folder, ["a.png", "b.png https://example.com/c.png", "copy-of-a.png", "a.png"])
    red, blue = picture(folder / "a.png"), picture(folder / "b.png", "blue")
    picture(folder / "copy-of-a.png")

    assert send().code == 0

    assert sorted(content for _, content in door.files.values()) == sorted([red, blue])
    assert len(puts(door)) == 2
    sent = {message["to"][0]: message["media"] for message in door.sent}
    assert sent[number(0)] == sent[number(2)] == sent[number(3)]
    assert sent[number(1)][1] == "https://example.com/c.png"


def test_another_run_and_another_campaign_reuse_what_is_there(send, folder, door):
    listed(folder)
    picture(folder / "logo.png")
    assert send().code == 0
    (folder / "campaign.toml").write_text(LISTED.replace('"spring"', '"summer"'))

    assert send().code == 0

    assert len(puts(door)) == 1
    assert len(door.sent) == 40


@pytest.mark.parametrize(("hours", "uploads"), [(39, 0), (41, 1)])
def test_what_would_run_out_before_the_message_leaves_is_uploaded_again(
    send, folder, door, hours, uploads
):
    listed(folder)
    content = picture(folder / "logo.png")
    assert send("estimate", "campaign.toml", "--json").code == 0
    assert send().code == 0
    [name] = puts(door)
    then = datetime.now(UTC) - timedelta(hours=hours)
    older = re.sub(r"\d{8}T\d{4}", then.strftime("%Y%m%dT%H%M"), name)
    door.clear()
    door.put(older, content)
    (folder / "campaign.toml").write_text(LISTED.replace('"spring"', '"summer"'))

    assert send().code == 0
    assert len(puts(door)) == uploads


def test_a_changed_picture_is_another_plan_and_another_name_is_not(send, folder, door):
    listed(folder)
    picture(folder / "logo.png")
    assert send().code == 0
    (folder / "logo.png").rename(folder / "flyer.png")
    (folder / "campaign.toml").write_text(LISTED.replace("logo.png", "flyer.png"))
    assert send().code == 0
    picture(folder / "flyer.png", "blue")

    refused = send()
    assert refused.code == 2
    assert "its media has changed since" in refused.err
    assert len(door.sent) == 20


def test_a_picture_that_goes_while_it_is_sent_stops_the_run_and_loses_nothing(send, folder, door):
    listed(folder, text=LISTED)
    picture(folder / "logo.png")
    door.refusals = [(413, {})]  # to the list of media

    done = send()

    assert done.code == 5
    assert "HTTP 413" in json.loads(done.out)["stopped"]
    assert door.sent == []
    assert send().code == 0
    assert len(door.sent) == 20


def test_trouble_that_passes_is_borne_with(send, folder, door):
    listed(folder)
    picture(folder / "logo.png")
    door.refusals = [(503, {})] * 3

    assert send().code == 0
    assert len(door.sent) == 20


def test_what_campaigns_uploaded_is_deleted_on_request_and_nothing_else(send, folder, door):
    listed(folder)
    picture(folder / "logo.png")
    door.put("mine.png")
    assert send().code == 0

    done = send("media", "delete", "--uploaded", "--json")

    assert [NAME.fullmatch(each["name"]) is not None for each in done.json["deleted"]] == [True]
    assert list(door.files) == ["mine.png"]


# --- what is refused before anything is sent ------------------------------------------------------


def refused(send, door, *sentences):
    done = send()
    assert done.code == 2
    for sentence in sentences:
        assert sentence in done.err

    assert door.heard == []


@pytest.mark.parametrize(
    ("entry", "make", "sentence"),
    [
        ("gone.png", None, "media: 'gone.png' is not there"),
        ("empty.png", b"", "media: 'empty.png' is an empty file"),
        ("tool.exe", b"MZ", "media: 'tool.exe' is of a type that the provider does not take"),
        ("big.gif", b"GIF89a" * 600_000, "has 3,600,000 bytes, and 3,500,000 are allowed"),
        ("big.jpg", b"\xff" * 3_600_000, "use a smaller one, or [media] shrink = true"),
    ],
)
def test_a_file_that_cannot_be_sent_is_named(send, folder, door, entry, make, sentence):
    listed(folder, text=LISTED.replace("logo.png", entry))
    if make is not None:
        (folder / entry).write_bytes(make)

    refused(send, door, sentence)


def test_a_row_with_a_file_that_cannot_be_sent_is_named_with_its_column(send, folder, door):
    cells = ["a.png", "gone.png", "a.png also-gone.png", "gone.png"]
    with_pictures(folder, cells)
    picture(folder / "a.png")

    refused(
        send,
        door,
        "people.csv, row 2, column 'picture': 'gone.png' is not there",
        "people.csv, row 3, column 'picture': 'also-gone.png' is not there",
    )


def test_of_many_problems_the_first_are_told(send, folder, door):
    with_pictures(folder, [f"{n}.png" for n in range(20)])

    refused(send, door, "row 5, column", "and 15 pictures more")


def test_the_limit_of_a_file_is_a_setting(send, folder, door):
    listed(folder, text=LISTED + "[media]\nmax_bytes = 1000\n")
    assert noise(folder / "logo.png", "PNG", side=40) > 1000

    refused(send, door, "and 1,000 are allowed")


def test_a_toll_free_message_is_held_to_its_limit_in_all(send, folder, door):
    toll_free = OWN.replace("+19195550199", "+18005550199")
    with_pictures(folder, ["a.png", "a.png b.png"], text=toll_free)
    sizes = [noise(folder / "a.png", "PNG", side=350), noise(folder / "b.png", "PNG", side=351)]
    assert max(sizes) < 525_000 < sum(sizes)

    refused(send, door, "people.csv, row 2: its pictures have", "toll-free number takes 525,000")


# --- shrinking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "logo.jpg"), ("PNG", "logo.png")])
def test_a_picture_too_big_is_shrunk_where_that_is_asked_for(send, folder, door, kind, name):
    text = LISTED.replace("logo.png", name) + "[media]\nshrink = true\nmax_bytes = 400000\n"
    listed(folder, text=text, people=3)
    before = noise(folder / name, kind, side=600)

    done = send()

    [(content_type, content)] = door.files.values()
    assert done.code == 0
    assert len(content) == done.json["uploads"]["bytes"] <= 400_000 < before
    with Image.open(BytesIO(content)) as made:
        assert made.format == kind
    assert content_type == f"image/{kind.lower()}"


def test_pictures_of_a_toll_free_sender_are_shrunk_to_fit_together(send, folder, door):
    toll_free = OWN.replace("+19195550199", "+18005550199") + "[media]\nshrink = true\n"
    with_pictures(folder, ["a.png b.png"], text=toll_free)
    noise(folder / "a.png", "PNG", side=350)
    noise(folder / "b.png", "PNG", side=351)

    assert send().code == 0
    assert sum(len(content) for _, content in door.files.values()) <= 525_000


def test_what_is_no_picture_cannot_be_shrunk(send, folder, door):
    listed(folder, text=LISTED + "[media]\nshrink = true\n")
    (folder / "logo.png").write_bytes(b"\x89PNG" + b"x" * 4_000_000)

    refused(send, door, "'logo.png' is no picture of the type that its name says")


# --- privacy --------------------------------------------------------------------------------------


def test_no_name_of_a_file_or_a_person_travels_with_a_picture(send, folder, door):
    with_pictures(folder, ["ada-lovelace-+19195550101.png"])
    picture(folder / "ada-lovelace-+19195550101.png")

    assert send().code == 0
    assert all("ada" not in name and "555" not in name.split("-")[0] for name in door.files)
    assert all(NAME.fullmatch(name) for name in door.files)


# --- the simulator --------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", ["", "busy=0.2,error=0.2"])
def test_a_simulated_run_uploads_too(bandcast, folder, faults):
    cells = [("a.png", "b.png", "a.png https://example.com/c.png")[n % 3] for n in range(30)]
    urgent = OWN.replace("[sending]", '[sending]\npriority = "high"\nexpires_after = 60')
    with_pictures(folder, cells, text=urgent)
    picture(folder / "a.png")
    picture(folder / "b.png", "blue")
    options = ["--faults", faults] if faults else []

    done = bandcast(*SEND, "--simulate", *options)

    assert done.code == 0
    assert done.json["states"] == {"delivered": 30}
    assert done.json["uploads"]["files"] == 2


def test_the_simulator_takes_what_a_campaign_uploads_and_refuses_what_is_too_big(bandcast, folder):
    listed(folder, text=LISTED + "[media]\nmax_bytes = 5000000\n")
    (folder / "logo.png").write_bytes(b"x" * 3_600_000)
    with simulating() as url:
        refused = bandcast(*SEND, env=account(url))
        assert refused.code == 5
        assert "HTTP 400" in refused.json["stopped"]

        picture(folder / "logo.png")
        (folder / "campaign.toml").write_text(LISTED.replace('"spring"', '"summer"'))
        assert bandcast(*SEND, env=account(url)).code == 0
        [there] = bandcast("media", "list", "--json", env=account(url)).json["media"]
        assert NAME.fullmatch(there["name"])
        [gone] = bandcast("media", "delete", "--uploaded", "--json", env=account(url)).json[
            "deleted"
        ]
        assert gone == {"name": there["name"]}
