"""People's own words: kept once, obeyed by the time they were said, whatever order they come in."""

from __future__ import annotations

from itertools import permutations

import pytest

from pipeline.journal import Heard, rules
from pipeline.model import Inbound, ReceiptKind, Wish
from tests.journal.builders import (
    NOW,
    begin,
    begin_one,
    enlist,
    intent,
    later,
    reasons,
    receipt,
    receive,
    take,
)

ANN = "+19195550123"
OURS = "+19195550100"


def said(text, *, seconds=0.0, message_id=None, to=OURS, sender=ANN):
    return Inbound(
        message_id=message_id or f"{text}-{seconds}",
        to=to,
        sender=sender,
        text=text,
        time=later(seconds),
    )


def hear(journal, *messages):
    return journal.hear([(each, each.text.encode()) for each in messages], now=later(9))


def failed(code, *, seconds=5.0):
    return receipt(ReceiptKind.FAILED, error_code=code, seconds=seconds)


# --- Kept once -----------------------------------------------------------------------------------


def test_a_message_is_kept_as_it_came_and_told_once(journal, store):
    message = said("Are you open on Sunday?")

    assert hear(journal, message) == [message]
    assert hear(journal, message, message) == []
    assert store.inbound() == [(message.message_id, OURS, b"Are you open on Sunday?")]


def test_what_was_said_is_told_again_in_the_order_in_which_it_came(journal):
    first, second = said("Open on Sunday?", seconds=5), said("Stop!", seconds=1)
    hear(journal, first, second)
    hear(journal, first)

    came, raw = later(9), b"Open on Sunday?"
    assert [each for page in journal.heard() for each in page] == [
        Heard(first.message_id, OURS, ANN, None, raw, first.time, came),
        Heard(second.message_id, OURS, ANN, Wish.STOP, b"Stop!", second.time, came),
    ]


def test_whatever_was_said_is_told_page_by_page(journal, monkeypatch):
    monkeypatch.setattr(rules, "PAGE_ROWS", 2)
    hear(journal, *(said("hi", message_id=f"m{number}") for number in range(5)))

    pages = [[each.message_id for each in page] for page in journal.heard()]
    assert pages == [["m0", "m1"], ["m2", "m3"], ["m4"]]


def test_a_group_message_comes_to_each_of_our_numbers_once(journal, store):
    both = [said("hi", message_id="id", to=OURS), said("hi", message_id="id", to="+19195550101")]

    assert hear(journal, *both) == both
    assert len(store.inbound()) == 2


def test_what_was_said_survives_the_process(store):
    first = store.open()
    hear(first, said("STOP"))
    first.close()
    again = store.open()

    assert hear(again, said("STOP")) == []
    assert list(store.suppressions()) == [ANN]


# --- STOP and START ------------------------------------------------------------------------------


def test_stop_suppresses_at_once_also_in_the_middle_of_a_campaign(journal):
    enlist(journal)
    grant = take(journal)
    begin_one(journal, grant, 1)

    hear(journal, said("Stop!"))

    assert reasons(begin(journal, grant, intent(2))) == ["suppressed"]


def test_start_lifts_what_somebody_asked_for_himself_and_says_so(journal, store):
    hear(journal, said("STOP"), said("START", seconds=1))

    assert store.suppressions() == {}
    assert store.lifted() == [(ANN, "reply", "texted STOP", "reply", "texted START")]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_word_counts_whatever_order_they_come_in(journal, store, order):
    words = [said("STOP"), said("UNSTOP", seconds=1), said("quit", seconds=2)]
    for index in order:
        hear(journal, words[index])

    assert list(store.suppressions()) == [ANN]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_start_is_not_undone_by_an_older_stop_that_comes_late(journal, store, order):
    words = [said("STOP"), said("STOP", seconds=1), said("START", seconds=2)]
    for index in order:
        hear(journal, words[index])

    assert store.suppressions() == {}


@pytest.mark.parametrize("order", [("STOP", "START"), ("START", "STOP")])
def test_of_two_words_at_one_moment_stop_counts(journal, store, order):
    hear(journal, *(said(word) for word in order))

    assert list(store.suppressions()) == [ANN]


def test_a_stop_that_comes_again_does_not_undo_what_an_operator_lifted(journal, store):
    hear(journal, said("STOP"))
    journal.lift([ANN], by="ana", because="asked on the phone", now=later(10))
    hear(journal, said("STOP"))

    assert store.suppressions() == {}


@pytest.mark.parametrize("stop_first", [True, False])
def test_start_does_not_lift_what_an_operator_or_a_list_put_there(journal, store, stop_first):
    if stop_first:
        hear(journal, said("STOP"))

    new = journal.suppress([ANN], source="court.csv", because="imported", now=NOW)
    hear(journal, said("STOP", seconds=1), said("START", seconds=2))

    assert new == (0 if stop_first else 1)
    assert store.suppressions() == {ANN: ("court.csv", "imported")}


@pytest.mark.parametrize("sender", ["", "12345", "Bank", "19195550123", "+1919555012345678"])
def test_a_word_of_nobody_who_can_be_texted_is_kept_and_suppresses_nobody(journal, store, sender):
    hear(journal, said("STOP", sender=sender))

    assert len(store.inbound()) == 1
    assert store.suppressions() == {}


# --- Failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "source"),
    [(4475, "opted_out"), (4775, "opted_out"), (4303, "dead_number"), (4720, "dead_number")],
)
def test_a_failure_that_says_so_suppresses_with_its_reason(journal, store, code, source):
    receive(journal, failed(code))

    ((number, (why, because)),) = store.suppressions().items()
    assert (number, why) == (ANN, source)
    assert because.startswith(f"error {code}: ")


@pytest.mark.parametrize("code", [None, 4770, 5600, 9902, 4432])
def test_any_other_failure_suppresses_nobody(journal, store, code):
    receive(journal, failed(code))

    assert store.suppressions() == {}


def test_a_delivery_with_a_code_suppresses_nobody(journal, store):
    receive(journal, receipt(ReceiptKind.DELIVERED, error_code=4720))

    assert store.suppressions() == {}


def test_a_failure_that_comes_again_does_not_undo_what_an_operator_lifted(journal, store):
    receive(journal, failed(4720))
    journal.lift([ANN], by="ana", because="it is a phone again", now=later(10))
    receive(journal, failed(4720))

    assert store.suppressions() == {}


def test_start_lifts_an_opt_out_at_the_carrier_and_no_dead_number(journal, store):
    receive(journal, failed(4775))
    hear(journal, said("START", seconds=6))
    assert store.suppressions() == {}

    receive(journal, failed(4721, seconds=7))
    hear(journal, said("START", seconds=8))
    assert [source for source, _ in store.suppressions().values()] == ["dead_number"]


def test_an_opt_out_from_before_a_start_changes_nothing(journal, store):
    hear(journal, said("START", seconds=6))
    receive(journal, failed(4775, seconds=5))

    assert store.suppressions() == {}


def test_all_of_it_is_one_transaction(journal, store):
    def half_way():
        with journal.transaction():
            hear(journal, said("STOP"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()

    assert store.inbound() == []
    assert store.suppressions() == {}
    assert hear(journal, said("STOP")) == [said("STOP")]
