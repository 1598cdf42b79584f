"""A story of money: no budget is passed, whatever dies, by the provider's own ledger.

200 lanes, kills and restarts; three prices, by area; a tenth of the messages is refused (more
pictures than the provider takes), some are not taken, some answers are lost.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from tests.crash.kinds import Told
from tests.crash.launch import NOTHING
from tests.crash.promises import demand
from tests.crash.story import AREAS, Story, simulating
from tests.crash.witnesses import read_journal

FAULTS = "latency=100,lost=0.02,reset=0.01,busy=0.01,error=0.02"
PRICES = {"1": Decimal("0.010"), "1212": Decimal("0.017"), "1917": Decimal("0.043")}
DEAREST = max(PRICES.values())
CARD = 'name = "three prices"\ncurrency = "USD"\n' + "".join(
    f'[[price]]\nchannel = "mms"\nsender = "default"\nprefix = "{prefix}"\nbase = "{price}"\n'
    for prefix, price in PRICES.items()
)
REFUSED = f"https://example.com/{'x' * 4_096}.png"  # longer than the provider takes


@dataclass
class Budgeted(Story):
    """A story with a budget."""

    budget: Decimal = Decimal(0)

    def write(self):
        rows = [
            f"p{number},+1{AREAS[number % len(AREAS)]}555{number // len(AREAS):04d},"
            f"{REFUSED if number % 10 == 3 else ''}"
            for number in range(self.messages)
        ]
        (self.folder / "people.csv").write_text("\n".join(["name,phone,pictures", *rows]) + "\n")
        (self.folder / "card.toml").write_text(CARD)
        self.campaign.write_text(
            '[campaign]\nname = "crash"\nrecipients = "people.csv"\nfrom = ["+19195550123"]\n'
            'template = "Hi {name}"\nchannel = "mms"\nmedia = ["https://example.com/a.png"]\n'
            '[columns]\nmedia = "pictures"\n[rates]\ncard = "card.toml"\n'
            f"[sending]\nrate = {self.rate}\nbudget = {self.budget}\n"
            "[settling]\nseconds = []\n"  # doubt is what is looked for
        )

    def billed(self):
        """What the provider will bill, by its own ledger and the card."""
        texts = self.ledger(texts=True)["texts"]
        return sum(price_of(number) for text in texts for number in text["to"])

    def check_the_budget(self):
        self.open_at_death |= read_journal(self).open
        demand("budget", (spent := self.billed()) <= self.budget, f"{spent} of {self.budget}")


def price_of(number):
    digits = number.removeprefix("+")
    return PRICES[max((each for each in PRICES if digits.startswith(each)), key=len)]


@contextmanager
def budgeted(folder, seed, budget, *, tampering=NOTHING, messages=3_000):
    with simulating(faults=FAULTS, seed=seed) as url:
        story = Budgeted(
            folder=folder,
            url=url,
            messages=messages,
            rate=1030.0,
            seed=seed,
            tampering=tampering,
            faults=FAULTS,
            budget=Decimal(budget),
        )
        story.write()
        assert story.lanes >= 200
        yield story


def tell_budget(folder, seed, *, kills=3, budget="28", tampering=NOTHING):
    """Die a few times with little money left, end at the budget, then be given more."""
    told = Told()
    with budgeted(folder, seed, budget, tampering=tampering) as story:
        story.kill_until(kills, check=Budgeted.check_the_budget)
        told.kills["a random moment", "a budget"] = story.kills
        summary = story.finish()
        story.check_the_budget()
        money = summary["spending"]["campaign"]
        spent, in_doubt = (Decimal(str(money[name])) for name in ("spent", "in_doubt"))
        demand("budget", "no room for the next message" in (summary["stopped"] or ""), "no stop")
        booked = spent <= story.billed() <= spent + in_doubt <= story.budget
        demand("budget", booked, f"billed {story.billed()}: {spent} spent, {in_doubt} in doubt")
        unused = story.budget - spent - in_doubt
        demand("budget", unused < DEAREST, f"{unused} were left, for which a message could be had")
        story.finish("--budget", "1000", "--rate", "2000")
        demand("once", not story.doubled(), f"{len(story.doubled())} handsets have two texts")
        states = set(story.results()["state"])
        demand(
            "complete",
            states <= {"accepted", "delivered", "in_doubt", "rejected"},
            f"left {states}",
        )
        results = story.results()
        doubts = set(results.filter(results["state"] == "in_doubt")["row"])
        told.sum_up(story, {"in_doubt": doubts})

    return told
