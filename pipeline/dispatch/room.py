"""Room in the budget: what an open attempt holds may come back, so a run waits before it ends.

One lane at a time asks again, whenever an attempt of this process has ended; the answer that comes
while no other attempt is open is final. Attempts of other processes are not waited for: nobody here
knows whether they still live.
"""

from __future__ import annotations

import anyio

from pipeline.dispatch.stop import Stop, StopReason
from pipeline.journal import Answer, Grant, Intent, OverBudget, Permit
from pipeline.journal.committer import Committer


class Room:
    """Asks the journal for permits, and knows how many attempts of this process are open."""

    def __init__(self, committer: Committer, stop: Stop) -> None:
        self._committer, self._stop = committer, stop
        self._open = 0
        self._turn = anyio.Lock()
        self._change = anyio.Event()

    async def ask(self, grant: Grant, intent: Intent) -> Answer:
        """Return a permit or why there is none; `OverBudget` only where nothing could make room.

        Such an answer has stopped the run. A permit is open until `closed`.

        Raises:
            Fenced: see `Committer.begin`.
            JournalError: see `Committer.begin`.
        """
        self._open += 1
        answer: Answer | None = None
        try:
            answer = await self._committer.begin(grant, intent)
        finally:
            if not isinstance(answer, Permit):
                self.closed()

        if isinstance(answer, OverBudget):
            async with self._turn:
                return await self._ask_again(grant, intent, answer)

        return answer

    def closed(self) -> None:
        """Note that an attempt has ended: its money may have come back."""
        self._open -= 1
        self._change.set()
        self._change = anyio.Event()

    async def _ask_again(self, grant: Grant, intent: Intent, answer: OverBudget) -> Answer:
        while not self._stop.requested:
            change, others = self._change, self._open
            latest = await self._committer.begin(grant, intent)
            if isinstance(latest, Permit):
                self._open += 1

            if not isinstance(latest, OverBudget):
                return latest

            answer = latest
            if not others:
                because = f"the budget of the {answer.budget} has no room for the next message"
                self._stop.request(StopReason.BUDGET, because)
                break

            await change.wait()

        return answer
