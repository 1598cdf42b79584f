"""What a message holds of a budget, and whether the next one fits: the same in every store. Pure.

READY ──> SENDING ──> IN_DOUBT ──> taken            each message is in one sum at a time,
nothing   `sending`   `in_doubt`   `spent`          and leaves it with what it brought

A doubt that an operator releases or writes off stays in `spent` until there is evidence about it,
and a failure that is sent again keeps what it cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from pipeline.billing import billed_micros, is_free
from pipeline.journal.words import Budget, Intent, MessageRecord, Spending, Sums
from pipeline.lifecycle import TAKEN, MessageState

#: The budgets of `OverBudget`.
OF_CAMPAIGN, OF_DAY = "campaign", "day"

_NOTHING, _UNKNOWN = Sums(), Spending()
#: What a released or retried message may become without any news of its latest attempt.
_UNPROVEN = frozenset({MessageState.READY, MessageState.CANCELLED})


class Price(NamedTuple):
    """What a message costs by our own count of segments; its latest intent said so."""

    segments: int = 1
    cost_micros: int = 0
    #: An operator released the doubt about the latest attempt: it may be billed all the same.
    is_released: bool = False


def price_of(intent: Intent) -> Price:
    """Return what the intent says that its message costs."""
    return Price(intent.segments, intent.cost_micros)


def held(record: MessageRecord, price: Price) -> Sums:
    """Return what a message has reserved or spent in its state."""
    state = record.state
    if state == MessageState.SENDING:
        return Sums(sending=price.cost_micros)

    if state == MessageState.IN_DOUBT:
        return Sums(in_doubt=price.cost_micros)

    if state == MessageState.WRITTEN_OFF or (price.is_released and state in _UNPROVEN):
        return Sums(spent=price.cost_micros)

    has_failed = state == MessageState.FAILED or is_retried(record)
    if (state not in TAKEN and not has_failed) or (has_failed and is_free(record.error_code)):
        return _NOTHING

    segments, counted = price.segments, record.segments_billed
    return Sums(spent=billed_micros(price.cost_micros, segments=segments, counted=counted))


def is_retried(record: MessageRecord) -> bool:
    """Tell whether the latest attempt has failed, and the message was to be sent again."""
    return record.error_code is not None and record.state in _UNPROVEN


def moved(before: MessageRecord, after: MessageRecord, was: Price, price: Price) -> Sums:
    """Return what a change of a message adds to the sums; negative where it takes away."""
    return held(after, price).minus(held(before, was))


def released(price: Price) -> Price:
    """Return the price of a message whose doubt is released: nobody proved it was not billed."""
    return price._replace(is_released=True)


def day_of(now: datetime) -> int:
    """Return the UTC day of a moment, in days since year 1."""
    return now.astimezone(UTC).toordinal()


def over(budget: Budget, known: Spending, cost_micros: int) -> str | None:
    """Name the budget that `cost_micros` more would pass; None where there is room."""
    campaign, day = budget.campaign_micros, budget.day_micros
    if campaign is not None and known.campaign.total + cost_micros > campaign:
        return OF_CAMPAIGN

    if day is not None and known.day.total + cost_micros > day:
        return OF_DAY

    return None


@dataclass(slots=True, kw_only=True)
class Till:
    """One `begin` of a store at its work: what there was, and what it has reserved since."""

    #: The number of the purse that pays.
    purse: int
    budget: Budget
    #: Before this `begin`; read only where there is a budget.
    known: Spending = _UNKNOWN
    #: By this `begin`.
    reserved: Sums = _NOTHING

    def over(self, intent: Intent) -> str | None:
        """Name the budget that the message would pass; None where there is room."""
        return over(self.budget, self.known, self.reserved.total + intent.cost_micros)

    def reserve(self, intent: Intent) -> None:
        """Take the message's cost."""
        self.reserved = self.reserved.plus(Sums(sending=intent.cost_micros))
