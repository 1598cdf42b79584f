"""What Bandwidth's codes of failed messages mean: `error_codes.csv`, in this project's own words.

The codes, their names and who bills what are those of Bandwidth's "Messaging error codes" page: 76
of the edition of 2023, six newer ones that are known by name, seven historic or unconfirmed ones.

    4x.. permanent, 5x.. transient: a second try ends alike, or may end otherwise
    .7.. of 4, .6.. of 5, and 9...   found by the carrier, and billed
    all others                       found by Bandwidth before any carrier, and free but for 4470

The table overrules this where the meaning of a code does: a limit that passes, a message that the
carrier may still hold, a receipt or an acknowledgement that never came. What no edition says is
billed is `unknown`, and counted as billed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class ErrorClass(StrEnum):
    """What a second try would come to."""

    PERMANENT = "permanent"  #: the same again, until something is changed
    TRANSIENT = "transient"  #: perhaps a delivery
    AMBIGUOUS = "ambiguous"  #: perhaps a second text: the first may have arrived


class Billed(StrEnum):
    """Whether Bandwidth bills a message that failed so."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  #: no edition says; budgets and costs count it as billed


class Detector(StrEnum):
    """Who found out that the message fails."""

    BANDWIDTH = "bandwidth"
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """One way for a message to fail after it was accepted."""

    #: Bandwidth's number for it (`errorCode` of a `message-failed` callback).
    code: int
    #: Bandwidth's name for it, or ``historic``.
    name: str
    error_class: ErrorClass
    billed: Billed
    detected_by: Detector
    #: In plain words: the first part of a sentence.
    means: str
    #: And what to do about it.
    remedy: str

    @property
    def sentence(self) -> str:
        """Return what it means and what to do, for a row of the results."""
        return f"{self.means}; {self.remedy}"


@cache
def error_codes() -> Mapping[int, ErrorCode]:
    """Return every code of the table, in order."""
    text = files("pipeline.bandwidth").joinpath("error_codes.csv").read_text(encoding="utf-8")
    return {int(row["code"]): _read(row) for row in csv.DictReader(text.splitlines())}


def find(code: int) -> ErrorCode | None:
    """Return what the table has about a code, None where it is not there."""
    return error_codes().get(code)


def presume(code: int) -> ErrorCode:
    """Return what the number alone tells about a code that is not in the table.

    The class and the detector follow Bandwidth's numbering (see the module); whether it is billed
    does not, so that is `Billed.UNKNOWN`.
    """
    kind, detail = divmod(code // 100, 10)
    by_carrier = kind == 9 or (kind, detail) in {(4, 7), (5, 6)}
    classes = {4: ErrorClass.PERMANENT, 5: ErrorClass.TRANSIENT}
    return ErrorCode(
        code=code,
        name="unknown",
        error_class=classes.get(kind, ErrorClass.AMBIGUOUS),
        billed=Billed.UNKNOWN,
        detected_by=Detector.CARRIER if by_carrier else Detector.BANDWIDTH,
        means="a code that bandcast does not know: it goes by the number",
        remedy="ask Bandwidth what it means before sending more like it",
    )


def is_billed(code: int | None) -> bool:
    """Tell whether to count a failed message as billed; what nobody has said, is.

    Args:
        code: None where a message failed without one.
    """
    known = None if code is None else find(code)
    return known is None or known.billed is not Billed.NO


def _read(row: Mapping[str, str]) -> ErrorCode:
    return ErrorCode(
        code=int(row["code"]),
        name=row["name"],
        error_class=ErrorClass(row["class"]),
        billed=Billed(row["billed"]),
        detected_by=Detector(row["detected_by"]),
        means=row["means"],
        remedy=row["remedy"],
    )
