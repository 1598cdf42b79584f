import json

import pytest

from . import caller
from .stage import Stage

HANDSET = caller.number(1)
TOLL_FREE = "+18885550100"


def test_a_handset_that_texts_us_is_called_back_as_documented():
    with Stage() as stage:
        message_id = stage.inbound(**{"from": HANDSET}, to=caller.SENDER, text="Help")
        message_id = message_id.json()["id"]
        stage.pass_time(0)
        ((_, body),) = stage.receiver.posts
        (item,) = stage.listed(messageDirection="INBOUND")

    assert json.loads(body) == [
        {
            "time": "2026-11-25T12:00:00Z",
            "type": "message-received",
            "to": caller.SENDER,
            "description": "Incoming message received",
            "message": {
                "id": message_id,
                "owner": caller.SENDER,
                "applicationId": "simulated",
                "time": "2026-11-25T12:00:00Z",
                "segmentCount": 1,
                "direction": "in",
                "to": [caller.SENDER],
                "from": HANDSET,
                "text": "Help",
            },
        }
    ]
    assert (item["messageStatus"], item["sourceTn"]) == ("ACCEPTED", HANDSET)


def outcomes(stage, sender, *words):
    """Text the handset from this sender after each word that it texts us."""
    codes = []
    for word in words:
        stage.inbound(**{"from": HANDSET}, to=sender, text=word)
        stage.send(HANDSET, from_=sender)
        stage.pass_time(1)
        codes.append(stage.told[-1][2])

    return codes


def test_the_network_itself_obeys_stop_and_start_on_toll_free_numbers():
    words = ["Hello", " stop ", "thanks", "UNSTOP", "STOP", "start", "please stop"]
    with Stage() as stage:
        assert outcomes(stage, TOLL_FREE, *words) == [None, 4775, 4775, None, 4775, None, None]
        assert stage.ledger()["inbound"] == len(words)
        assert [kind for kind, *_ in stage.told].count("message-received") == len(words)


def test_the_network_stops_one_pair_of_numbers_only():
    with Stage() as stage:
        outcomes(stage, TOLL_FREE, "STOP")
        stage.send(HANDSET, from_="+18885550101")
        stage.send(caller.number(2), from_=TOLL_FREE)
        stage.pass_time(1)
        assert [code for *_, code, _ in stage.told[-2:]] == [None, None]


@pytest.mark.parametrize("sender", [caller.SENDER, "12345"], ids=["long code", "short code"])
def test_opt_outs_from_other_numbers_are_the_customers_business(sender):
    with Stage() as stage:
        assert outcomes(stage, sender, "STOP") == [None]


@pytest.mark.parametrize("body", ["", "[]", '{"from": "+19195550101"}', '{"from": 1, "to": 2}'])
def test_an_inbound_text_that_is_none_is_refused(body):
    with Stage() as stage:
        assert stage.ask("POST", "/_inbound", content=body).status_code == 400
