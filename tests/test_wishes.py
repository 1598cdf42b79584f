"""Whole messages that ask for something, and failures that say not to text again."""

import pytest

from pipeline.bandwidth.error_codes import error_codes
from pipeline.model import Receipt, ReceiptKind, Wish
from pipeline.wishes import bar_of, is_person, wish_of
from tests.journal.builders import NOW

STOP, START, HELP = Wish.STOP, Wish.START, Wish.HELP


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        *((word, STOP) for word in ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT")),
        *((word, STOP) for word in ("REVOKE", "OPTOUT", "stop", "Stop.", " stop\n", "STOP!!!")),
        *((word, STOP) for word in ("Opt-out", "opt out", "STOP ALL", "“Stop”", "ＳＴＯＰ")),
        ("stop 🛑", STOP),
        *((word, START) for word in ("START", "unstop", "Start!")),
        *((word, HELP) for word in ("HELP", "help?", "info")),
        *((word, None) for word in ("", "!", "please stop by", "stopp", "don't stop", "the end")),
        pytest.param("stop " + "x" * 5_000, None, id="long"),
    ],
)  # fmt: skip
def test_a_whole_message_is_a_word_and_a_word_in_a_sentence_is_none(text, wish):
    assert wish_of(text) == wish


def failed(code):
    return Receipt(
        kind=ReceiptKind.FAILED, message_id="x", to="+19195550123", time=NOW, error_code=code
    )


def test_the_codes_that_bar_are_those_of_opted_out_and_dead_numbers():
    barred = {code: bar_of(failed(code)).source for code in error_codes() if bar_of(failed(code))}
    opted_out = dict.fromkeys((4475, 4775), "opted_out")
    assert barred == opted_out | dict.fromkeys((4303, 4350, 4404, 4406, 4720, 4721), "dead_number")


def test_a_code_nobody_knows_bars_nobody():
    assert bar_of(failed(4999)) is None


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("+19195550123", True), ("+4915112345678", True), ("12345", False), ("+0123456", False),
     ("+1919555012a", False), ("+19195550123\n", False), ("+١٢٣٤٥٦٧", False)],
)  # fmt: skip
def test_only_phone_numbers_are_people(number, is_one):
    assert is_person(number) is is_one
