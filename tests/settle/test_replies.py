"""HELP is answered once for each message that asks, whatever the wire says."""

import asyncio
from dataclasses import replace

import anyio
import pytest

from pipeline.errors import CredentialsError
from pipeline.model import Accepted, Inbound, InDoubt, NotSent
from pipeline.settle.replies import MOST_WAITING, HelpDesk
from tests.journal.builders import NOW

QUESTION = Inbound(message_id="x", to="+19195550100", sender="+19195550123", text="help!", time=NOW)


class Line:
    """A wire that answers every message alike."""

    def __init__(self, outcome):
        self.outcome, self.sent, self.slots, self.ids = outcome, [], [], []

    async def slot(self, segments):
        self.slots.append((len(self.sent), segments))

    async def taken(self, message_id):
        self.ids.append(message_id)

    async def send(self, message, *, tag):
        self.sent.append((message.to, message.sender, message.text, tag))
        if isinstance(self.outcome, Exception):
            raise self.outcome

        return self.outcome


def answered(line, *questions):
    async def story():
        desk = HelpDesk(line, slot=line.slot, taken=line.taken, text="Acme, 555-0100", segments=2)
        async with anyio.create_task_group() as tasks:
            for question in questions:
                desk.ask(question)

            desk.close()
            tasks.start_soon(desk.run)

        return dict(desk.answers)

    return asyncio.run(story())


def test_help_is_answered_from_the_number_that_was_asked():
    line = Line(Accepted(message_id="y"))
    assert answered(line, QUESTION) == {"accepted": 1}
    assert line.sent == [(("+19195550123",), "+19195550100", "Acme, 555-0100", "help")]


def test_the_id_of_an_answer_that_was_taken_is_told_and_no_other():
    line = Line(Accepted(message_id="y"))
    answered(line, QUESTION)
    assert line.ids == ["y"]
    lost = Line(InDoubt(reason="no answer in time"))
    answered(lost, QUESTION)
    assert lost.ids == []


def test_each_answer_waits_for_its_slot_of_the_account_s_rate():
    line = Line(Accepted(message_id="y"))
    answered(line, QUESTION, QUESTION)
    assert line.slots == [(0, 2), (1, 2)]


@pytest.mark.parametrize(
    "outcome",
    [
        NotSent(reason="429"),
        InDoubt(reason="read timeout"),
        CredentialsError("no"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_an_answer_that_may_not_have_left_is_never_tried_again(outcome):
    line = Line(outcome)
    answered(line, QUESTION)
    assert len(line.sent) == 1


@pytest.mark.parametrize("text", ["STOP", "START", "", "please help me", "Sunday?"])
def test_anything_but_help_is_not_answered(text):
    line = Line(Accepted(message_id="y"))
    assert answered(line, replace(QUESTION, text=text)) == {}
    assert line.sent == []


def test_a_short_code_or_a_name_that_asks_is_not_answered():
    assert answered(Line(None), replace(QUESTION, sender="12345")) == {}


def test_more_questions_than_can_wait_are_dropped_and_counted():
    line = Line(Accepted(message_id="y"))
    assert answered(line, *[QUESTION] * (MOST_WAITING + 5)) == {
        "accepted": MOST_WAITING,
        "dropped": 5,
    }


def test_what_waits_when_it_has_to_end_is_dropped_and_counted():
    async def story():
        async def never(_segments):
            await anyio.sleep_forever()

        line = Line(None)
        desk = HelpDesk(line, slot=never, taken=line.taken, text="Acme", segments=1)
        with anyio.move_on_after(0.05):
            for _ in range(3):
                desk.ask(QUESTION)

            await desk.run()

        desk.close()
        return dict(desk.answers)

    assert asyncio.run(story()) == {"dropped": 3}
