"""What a budget means for a campaign: before its first message, and where it stopped the run."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from jobs import console
from pipeline.estimate import Estimate
from pipeline.journal import Spending, Sums
from pipeline.model import MICROS_PER_UNIT
from pipeline.spelling import being, counted

_PER_UNIT = float(MICROS_PER_UNIT)


def print_warnings(estimate: Estimate) -> None:
    """Say on stderr which budgets are under the estimate."""
    for sentence in warnings(estimate):
        console.margin.print(f"[bold yellow]warning[/]: {sentence}")


def warnings(estimate: Estimate) -> list[str]:
    """Say which budgets are under what the campaign may cost: the run may stop, and when."""
    settings, said = estimate.settings, list[str]()
    most = Decimal(estimate.totals.cost_high_micros) / MICROS_PER_UNIT
    whole = "the estimate of" if most == estimate.cost else "the highest cost, which is reserved:"
    over = f"is under {whole} {_money(most, estimate)}"
    if settings.budget is not None and settings.budget < most:
        said.append(
            f"the budget of {_money(settings.budget, estimate)} {over}: sending will stop before "
            "the end, with messages left"
        )

    if settings.daily_budget is not None and settings.daily_budget < most:
        days = math.ceil(most / settings.daily_budget)
        said.append(
            f"the daily budget of {_money(settings.daily_budget, estimate)} {over}: sending will "
            f"stop every day (UTC) and take {counted(days, 'day')} or more"
        )

    return said


def spending_json(estimate: Estimate, spending: Spending) -> dict[str, Any]:
    """Return the money of the campaign and of the account's day, against their budgets."""
    settings = estimate.settings
    return {
        "campaign": _sums_json(spending.campaign, settings.budget),
        "day": _sums_json(spending.day, settings.daily_budget),
        "currency": estimate.totals.currency,
    }


def standing(estimate: Estimate, spending: Spending, *, left: int) -> str:
    """Say what was spent, what is reserved and what remains of each budget that there is."""
    settings = estimate.settings
    budgets = (
        ("budget", "", settings.budget, spending.campaign),
        ("daily budget", " by the account today (UTC)", settings.daily_budget, spending.day),
    )
    parts = [
        f"of the {name} of {_money(limit, estimate)}, {_micros(sums.spent, estimate)} are spent"
        f"{whose}, {_micros(sums.in_doubt + sums.sending, estimate)} are reserved by messages in "
        f"doubt, and {_micros(_remaining(sums, limit), estimate)} remain"
        for name, whose, limit, sums in budgets
        if limit is not None
    ]
    return f"{'; '.join(parts)}; {being(left, 'message')} left"


def _remaining(sums: Sums, limit: Decimal) -> int:
    return max(int(limit * MICROS_PER_UNIT) - sums.total, 0)


def _sums_json(sums: Sums, limit: Decimal | None) -> dict[str, float | None]:
    return {
        "budget": None if limit is None else float(limit),
        "spent": sums.spent / _PER_UNIT,
        "in_doubt": (sums.in_doubt + sums.sending) / _PER_UNIT,
        "remaining": None if limit is None else _remaining(sums, limit) / _PER_UNIT,
    }


def _micros(micros: int, estimate: Estimate) -> str:
    return _money(Decimal(micros) / MICROS_PER_UNIT, estimate)


def _money(amount: Decimal, estimate: Estimate) -> str:
    return console.money(float(amount), estimate.totals.currency)
