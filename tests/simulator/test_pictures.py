"""Messages whose pictures are in the simulator's own store: it fetches them when they are sent."""

import pytest

from .caller import MEDIA, SENDER, number
from .stage import Stage

TOLL_FREE = "+18885550100"
HOURS = 3_600.0
DELIVERED, GONE, TOO_HEAVY = None, 4410, 4411


def upload(stage, name, size=10):
    headers = {"content-type": "image/png"}
    answer = stage.ask("PUT", f"{MEDIA}/{name}", content=bytes(size), headers=headers)
    assert answer.status_code == 204
    return str(answer.url)


def ends(stage):
    return [code for _, _, code, _ in stage.told]


def test_a_picture_that_is_there_is_delivered():
    with Stage() as stage:
        stage.send(number(1), media=[upload(stage, "a/b c.png"), "https://example.com/x.png"])
        stage.pass_time(1)
        assert ends(stage) == [DELIVERED]


def test_a_picture_that_was_deleted_or_never_there_fails():
    with Stage() as stage:
        address = upload(stage, "a.png")
        assert stage.ask("DELETE", f"{MEDIA}/a.png").status_code == 204
        stage.send(number(1), media=[address])
        stage.pass_time(1)
        assert ends(stage) == [GONE]
        assert stage.ledger()["missed"] == {str(GONE): 1}


def test_a_picture_whose_48_hours_end_in_the_queue_fails():
    with Stage(rate=1 / HOURS, queue_seconds=4 * HOURS) as stage:
        address = upload(stage, "a.png")
        stage.pass_time(46.5 * HOURS)
        for person in range(3):
            stage.send(number(person), media=[address])

        stage.pass_time(4 * HOURS)
        assert ends(stage) == [DELIVERED, DELIVERED, GONE]


def test_a_file_is_asked_for_when_the_message_leaves_and_not_when_somebody_looks():
    with Stage(rate=1 / HOURS, queue_seconds=4 * HOURS) as stage:
        address = upload(stage, "a.png")
        stage.pass_time(46.5 * HOURS)
        stage.send(number(1), media=[address])
        stage.send(number(2), media=[address])
        stage.pass_time(0.9 * HOURS)
        assert stage.ask("DELETE", f"{MEDIA}/a.png").status_code == 204
        stage.pass_time(4 * HOURS)
        assert ends(stage) == [DELIVERED, GONE]


@pytest.mark.parametrize(
    ("sender", "sizes", "end"),
    [
        pytest.param(TOLL_FREE, [525_000], DELIVERED, id="what toll-free takes"),
        pytest.param(TOLL_FREE, [500_000, 25_001], TOO_HEAVY, id="a byte more, in two files"),
        pytest.param(SENDER, [500_000, 25_001], DELIVERED, id="from a local number"),
    ],
)
def test_pictures_from_a_toll_free_number_have_525_kb_together(sender, sizes, end):
    with Stage() as stage:
        media = [upload(stage, f"{at}.png", size) for at, size in enumerate(sizes)]
        stage.send(number(1), media=media, from_=sender)
        stage.pass_time(1)
        assert ends(stage) == [end]
