"""No budget is passed, whatever dies: 200 lanes, kills and restarts, by the provider's own ledger.

Three prices, by area; a tenth of the messages is refused (more pictures than the provider takes),
some are not taken, some answers are lost.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest

from tests.crash.story import AREAS, BANDCAST, MUTANTS, Story, simulating

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


def price_of(number):
    digits = number.removeprefix("+")
    return PRICES[max((each for each in PRICES if digits.startswith(each)), key=len)]


@contextmanager
def told(folder, budget, *, messages, seed=1, command=(BANDCAST,)):
    with simulating(faults=FAULTS, seed=seed) as url:
        story = Budgeted(
            folder=folder,
            url=url,
            messages=messages,
            rate=1030.0,
            seed=seed,
            command=command,
            budget=Decimal(budget),
        )
        story.write()
        assert story.lanes >= 200
        yield story


def kill_within_the_budget(story, kills):
    for kill in range(1, kills + 1):
        story.kill_until(kill)
        assert story.billed() <= story.budget

    assert story.kills == kills


def test_no_kill_and_no_lane_passes_the_budget_and_the_run_ends_within_one_message_of_it(tmp_path):
    with told(tmp_path, "28", messages=3_000) as story:
        kill_within_the_budget(story, 3)
        summary = story.finish()
        money = summary["spending"]["campaign"]
        spent, in_doubt = (Decimal(str(money[name])) for name in ("spent", "in_doubt"))
        assert "no room for the next message" in summary["stopped"]
        assert summary["states"]["rejected"] > 0
        assert summary["in_doubt"] > 0
        assert spent <= story.billed() <= spent + in_doubt <= story.budget
        assert spent + in_doubt > story.budget - DEAREST
        assert story.exit_codes == [6]

        story.finish("--budget", "1000", "--rate", "2000")
        assert story.doubled() == []
        assert set(story.results()["state"]) == {"accepted", "in_doubt", "rejected"}


@pytest.mark.parametrize(
    ("mutant", "kills", "budget"),
    [("looks_first", 0, "3.0"), ("forgetful", 3, "12.0")],
)
def test_the_story_can_fail_a_sender_that_does_not_reserve_passes_the_budget(
    tmp_path, mutant, kills, budget
):
    with told(tmp_path, budget, messages=3_000, command=(*MUTANTS, mutant)) as story:
        story.kill_until(kills)
        story.finish()
        assert story.billed() > story.budget, "the proof is blind: it did not notice the spending"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_more_stories(tmp_path, seed):
    with told(tmp_path, "28", messages=3_000, seed=seed) as story:
        kill_within_the_budget(story, 3)
        money = story.finish()["spending"]["campaign"]
        reserved = Decimal(str(money["spent"])) + Decimal(str(money["in_doubt"]))
        assert story.billed() <= reserved <= story.budget < reserved + DEAREST
