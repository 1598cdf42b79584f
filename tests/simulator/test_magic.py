import pytest

from pipeline.bandwidth.error_codes import error_codes
from pipeline.simulator import magic
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.magic import Ending, ending_of

from .caller import ask, send
from .stage import Stage

QUICK = Behaviour(delivery_ms=0, receipt_wait_ms=0)


def number(digits, area=919):
    return f"+1{area}555{digits:04d}"


def test_every_known_code_has_its_number_in_every_area():
    assert set(magic.CODES) == set(error_codes())
    for code in magic.CODES:
        assert ending_of(number(code)) == ending_of(number(code, area=212)) == code


@pytest.mark.parametrize(
    "recipient",
    ["+19195550123", "+19195554002", "+19195567001", "+447700554720", "+1919555472", "4720"],
)
def test_other_numbers_are_numbers(recipient):
    assert ending_of(recipient) is None


def test_every_code_is_called_back_and_listed_and_the_handset_has_only_what_may_have_come():
    with Stage(QUICK) as stage:
        for code in magic.CODES:
            stage.send(number(code))

        stage.pass_time(1)
        assert stage.told == [("message-failed", number(c), c, 0.0) for c in magic.CODES]
        listed = stage.listed(messageStatus="FAILED")
        ledger = stage.ledger()

    assert [item["errorCode"] for item in listed] == list(magic.CODES)
    in_doubt = {code for code, known in error_codes().items() if known.error_class == "ambiguous"}
    assert ledger["missed"] == {str(code): 1 for code in magic.CODES if code not in in_doubt}
    assert ledger["handsets"] == len(in_doubt) == 4


def test_what_bandwidth_itself_refuses_was_never_handed_to_a_carrier():
    with Stage(Behaviour(delivery_ms=0, sent=1.0)) as stage:
        stage.send(number(4470))
        stage.send(number(4770))
        stage.pass_time(1)
        assert [(kind, to[-4:]) for kind, to, *_ in stage.told] == [
            ("message-failed", "4470"),
            ("message-sent", "4770"),
            ("message-failed", "4770"),
        ]


def test_a_receipt_that_never_comes_fails_after_three_days():
    with Stage() as stage:
        stage.send(number(9902))
        stage.pass_time(73 * 3600 - 1)
        assert stage.told == []
        stage.pass_time(1)
        assert stage.told == [("message-failed", number(9902), 9902, 73 * 3600.0)]


@pytest.mark.parametrize(
    ("digits", "told", "status", "received"),
    [
        pytest.param(7001, [("message-delivered", 60.0)], "DELIVERED", 1, id="slow"),
        pytest.param(7002, [], "DELIVERED", 1, id="no receipt"),
        pytest.param(7003, [("message-delivered", 0.0)], None, 1, id="never listed"),
        pytest.param(7004, [], "SENT", 0, id="swallowed"),
        pytest.param(
            7005,
            [("message-failed", 0.0), ("message-delivered", 0.0)],
            "FAILED",
            1,
            id="contradicted",
        ),
    ],
)
def test_a_magic_number_ends_as_the_table_says(digits, told, status, received):
    with Stage() as stage:
        stage.send(number(digits))
        stage.pass_time(100)
        assert [(kind, at) for kind, _, _, at in stage.told] == told
        listed = stage.listed(destinationTn=number(digits))
        assert len(stage.ledger(to=number(digits))["received"]) == received

    assert [item["messageStatus"] for item in listed] == ([status] if status else [])


def test_members_of_a_group_end_each_in_its_own_way():
    group = [number(123), number(4775), number(7002)]
    with Stage() as stage:
        stage.send(*group)
        stage.pass_time(1)
        assert sorted(stage.told) == [
            ("message-delivered", group[0], None, 0.0),
            ("message-failed", group[1], 4775, 0.0),
        ]


def test_magic_can_be_turned_off():
    app = make_app(Behaviour.parse("magic=0,delivery=0"))
    send(app, to=[number(4775)])
    (item,) = ask(app, "GET", params={"destinationTn": number(4775)}).json()["messages"]
    assert item["messageStatus"] == "DELIVERED"


@pytest.mark.parametrize(
    ("share", "code"),
    [
        pytest.param("failed", 4720, id="failed"),
        pytest.param("opted_out", 4775, id="opted out"),
        pytest.param("landline", 4700, id="landline"),
    ],
)
def test_a_share_of_the_texts_fails_with_its_code(share, code):
    app = make_app(Behaviour.parse(f"{share}=0.25,delivery=0"), seed=3)
    for index in range(200):
        assert send(app, to=[number(index)]).status_code == 202

    assert 30 < app.state.ledger.summary().missed[str(code)] < 70


@pytest.mark.parametrize(
    "ending", [each for each in Ending if each is not Ending.UNRECEIPTED], ids=str
)
def test_a_share_of_one_ends_every_text_like_the_magic_number(ending):
    digits = {name: digits for digits, name in magic.ENDINGS.items()}[ending]
    statuses = []
    for to, spec in ((number(digits), ""), (number(123), f"{ending}=1")):
        with Stage(Behaviour.parse(spec)) as stage:
            stage.send(to)
            stage.pass_time(100)
            listed = [item["messageStatus"] for item in stage.listed(destinationTn=to)]
            statuses.append((listed, [kind for kind, *_ in stage.told]))

    assert statuses[0] == statuses[1]


def test_shares_of_endings_that_are_more_than_everything_are_refused():
    with pytest.raises(ValueError, match="end badly are more than 1"):
        Behaviour(failed=0.6, landline=0.6)
