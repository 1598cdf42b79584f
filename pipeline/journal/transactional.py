"""How transactions nest in every store: the outermost begins and ends, the inner ones join."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import Fenced, JournalError


class Transactional(ABC):
    """A store that can begin, commit and undo; this class decides when."""

    def __init__(self) -> None:
        self._depth = 0
        self._failed = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls inside one durable transaction, as `Journal.transaction` says.

        Raises:
            JournalError: a call inside failed with something else than `Fenced`, and the caller
                went on: nothing of the transaction was recorded.
        """
        if self._depth == 0:
            self._start()
            self._failed = False

        self._depth += 1
        try:
            yield
        except Fenced:
            self._leave()
            raise
        except BaseException:
            self._failed = True
            self._leave()
            raise

        self._leave()
        if self._failed and self._depth == 0:
            raise JournalError("a call inside this transaction failed: nothing of it was recorded")

    def _leave(self) -> None:
        self._depth -= 1
        if self._depth:
            return

        if self._failed:
            self._undo()
        else:
            self._commit()

    @abstractmethod
    def _start(self) -> None:
        """Begin."""

    @abstractmethod
    def _commit(self) -> None:
        """Make what was done since `_start` durable, or raise and keep nothing of it."""

    @abstractmethod
    def _undo(self) -> None:
        """Forget what was done since `_start`."""
