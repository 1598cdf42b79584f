"""A panic of a native reader over a damaged file is a refusal like any other, and as quiet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import InputError

_STDERR = 2


@contextmanager
def refusing(sentence: str, *expected: type[Exception], file: str) -> Iterator[None]:
    """Turn panics, and the errors `expected`, into an `InputError` with this sentence.

    Every native module has a PanicException of its own, which is no Exception; and prints a
    traceback that helps nobody, so stderr is closed meanwhile.
    """
    try:
        with _silence():
            yield
    except expected:
        raise InputError(sentence, file=file) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise

        raise InputError(sentence, file=file) from None


@contextmanager
def _silence() -> Iterator[None]:
    kept, nothing = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nothing)
