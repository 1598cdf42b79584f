"""The answer to HELP: at most one for each message that asks, and never a second try.

An answer takes its slot of the account's rate like every message, and belongs to no campaign, so to
no budget: one that stopped it would leave people without the answer that they have a right to.

`Journal.hear` tells of a message once, durably, before anything is posted. Whatever the wire then
answers, and also where the process dies in between, nobody gets the answer twice. The id of an
answer is told: the listing has it beside the texts of campaigns, and it must settle no doubt.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from pipeline.errors import BandcastError
from pipeline.model import Accepted, Inbound, Message, Outcome, Wish
from pipeline.wishes import is_person, wish_of

log = logging.getLogger(__name__)

#: Questions that wait for their answer; more of them are not answered.
MOST_WAITING = 1_000
#: Comes back in callbacks about answers; belongs to no campaign.
TAG = "help"


class Wire(Protocol):
    """Whatever sends one message."""

    async def send(self, message: Message, *, tag: str) -> Outcome:
        """POST one message once."""


#: Waits for a slot of the account's rate, for so many segments.
Slot = Callable[[int], Awaitable[None]]
#: Keeps the message id of an answer.
Taken = Callable[[str], Awaitable[None]]


class HelpDesk:
    """Answers HELP with one text, one after the other, while `run` runs."""

    def __init__(self, wire: Wire, *, slot: Slot, taken: Taken, text: str, segments: int) -> None:
        #: Kind of outcome -> how many answers came to it; ``dropped`` were never tried.
        self.answers: Counter[str] = Counter()
        self._wire, self._slot, self._taken = wire, slot, taken
        self._text, self._segments = text, segments
        self._send, self._receive = anyio.create_memory_object_stream[Inbound](MOST_WAITING)

    def ask(self, message: Inbound) -> None:
        """Take a message that came for the first time; one that is not HELP is left alone."""
        if wish_of(message.text) is not Wish.HELP or not is_person(message.sender):
            return

        try:
            self._send.send_nowait(message)
        except anyio.WouldBlock:
            self.answers["dropped"] += 1

    def close(self) -> None:
        """Take no more; `run` ends when what waits is answered."""
        self._send.close()

    async def run(self) -> None:
        """Answer what is asked until `close`; what is left where it is cancelled is dropped."""
        with self._receive:
            try:
                async for question in self._receive:
                    await self._attend(question)
            finally:
                if left := self._receive.statistics().current_buffer_used:
                    self.answers["dropped"] += left

    async def _attend(self, question: Inbound) -> None:
        came_to = "dropped"
        try:
            await self._slot(self._segments)
            came_to = "indoubt"
            came_to = await self._answer(question)
        finally:
            self.answers[came_to] += 1

    async def _answer(self, question: Inbound) -> str:
        answer = Message(
            row=0,
            key="",
            to=(question.sender,),
            sender=question.to,
            text=self._text,
            segments=self._segments,
        )
        try:
            outcome = await self._wire.send(answer, tag=TAG)
        except BandcastError as error:
            log.warning("HELP was not answered: %s", error, extra={"action": "help"})
            return "refused"

        if isinstance(outcome, Accepted):
            await self._taken(outcome.message_id)

        return type(outcome).__name__.lower()
