"""Writes recipients.csv: a thousand people as a real file has them, with nobody real among them.

North American numbers are 555-0100 to 555-0199, which are set aside for fiction; the foreign ones
are from the ranges that the British and the German regulator keep for film. Same seed, same file.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

FILE = Path(__file__).with_name("recipients.csv")
SEED = 20260601
PEOPLE = 1000

CITIES = {
    "Raleigh": "919", "Durham": "984", "Charlotte": "704", "New York": "212", "Brooklyn": "718",
    "Boston": "617", "Chicago": "312", "Denver": "303", "San Francisco": "415", "Austin": "512",
    "Los Angeles": "213", "San Diego": "619", "Seattle": "206", "Portland": "503", "Houston": "713",
    "Dallas": "214", "Phoenix": "602", "Atlanta": "404", "Miami": "305", "Orlando": "407",
    "Nashville": "615", "Philadelphia": "215", "Pittsburgh": "412", "Detroit": "313",
    "Minneapolis": "612", "St. Louis": "314", "New Orleans": "504", "Las Vegas": "702",
    "Toronto": "416", "Montréal": "514", "Vancouver": "604", "Calgary": "403",
}  # fmt: skip
PLAIN_NAMES = (  # all of them GSM-7
    "Ann", "Bob", "Carla", "David", "Emma", "Frank", "Grace", "Henry", "Irene", "Jack", "Karen",
    "Liam", "Mia", "Noah", "Olivia", "Paul", "Quinn", "Ruth", "Sam", "Tina", "Uma", "Victor",
    "Wendy", "Xavier", "Yara", "Zach", "José", "André", "Søren", "Jürgen", "Åsa", "Begoña",
)  # fmt: skip
RARE_NAMES = (  # none of them
    "Zoë", "François", "Chloé 🌸", "Małgorzata", "D’Angelo", "“Skip”", "João", "Łukasz", "Nguyễn",
)  # fmt: skip
SPELLINGS = (
    "+1{0}{1}{2}", "{0}{1}{2}", "({0}) {1}-{2}", "{0}-{1}-{2}", "{0}.{1}.{2}", "1-{0}-{1}-{2}",
    "+1 {0} {1} {2}", "1{0}{1}{2}", "+1 ({0}) {1}-{2}", "{0} {1} {2}",
)  # fmt: skip
ABROAD = ("+44 20 7946 0123", "020 7946 0456", "+44 20 7946 0789", "+49 30 23125 042")
BAD_NUMBERS = (
    "n/a",
    "555-0142",
    "",
    "(919) 555-01",
    "call the office",
    "919-555-0199-0",
    "000 000 0000",
)


def main() -> None:
    """Write the file."""
    chance = random.Random(SEED)
    rows = [*people(chance), *oddities(chance)]
    repeated = [respell(row, chance) for row in chance.sample(rows[:PEOPLE], PEOPLE * 4 // 100)]
    rows += repeated
    chance.shuffle(rows)
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["first_name", "phone", "city", "code"])
        writer.writerows(rows)

    print(f"{FILE.name}: {len(rows)} rows")


def people(chance: random.Random) -> list[list[str]]:
    """Return one row for each of `PEOPLE` different numbers."""
    numbers = [(city, f"{line:04}") for city in CITIES for line in range(100, 200)]
    return [
        [first_name(chance), spell(CITIES[city], line, chance), city, code(chance)]
        for city, line in chance.sample(numbers, PEOPLE)
    ]


def oddities(chance: random.Random) -> list[list[str]]:
    """Return rows with numbers from abroad and with no number that could be called."""
    return [
        [first_name(chance), number, chance.choice(list(CITIES)), code(chance)]
        for number in (*ABROAD, *BAD_NUMBERS, *BAD_NUMBERS)
    ]


def first_name(chance: random.Random) -> str:
    """Return a name; some are missing, some need UCS-2."""
    draw = chance.random()
    if draw < 0.04:
        return ""

    return chance.choice(RARE_NAMES if draw < 0.13 else PLAIN_NAMES)


def spell(area: str, line: str, chance: random.Random) -> str:
    """Write a number as one of the many people do."""
    return chance.choice(SPELLINGS).format(area, "555", line)


def respell(row: list[str], chance: random.Random) -> list[str]:
    """Return the same person once more, the number written in another way."""
    digits = "".join(filter(str.isdigit, row[1]))[-10:]
    return [row[0], f" {spell(digits[:3], digits[6:], chance)}", row[2], code(chance)]


def code(chance: random.Random) -> str:
    """Return a voucher code."""
    return "".join(chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6))


if __name__ == "__main__":
    main()
