"""The price list, as its owner writes it in TOML. Everything wrong with a card is reported at once.

name = "Contract 2026"            [[price]]
currency = "USD"                  channel = "sms"        sender = "10dlc"    prefix = "1"
                                  base = "0.004"         surcharge = "0.0045"
                                  effective = 2026-05-01
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT, Channel

#: Stands for every sender type, or every destination, that has no row of its own.
DEFAULT = "default"

#: The card that is used where the campaign names none.
LIST_PRICES = Path(__file__).with_name("list_prices.toml")

_CARD_KEYS = ("name", "currency", "price")
_PRICE_KEYS = ("channel", "sender", "prefix", "base", "surcharge", "effective")
_REQUIRED = ("channel", "sender", "prefix", "base")


class SenderType(StrEnum):
    """What kind of number sends; prices and limits differ."""

    TEN_DLC = "10dlc"  #: a ten-digit local number
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A row of the card."""

    channel: Channel
    #: None is `default`: every type without a row of its own.
    sender: SenderType | None
    #: Beginning of the destination in E.164 without its plus; '' is `default`.
    prefix: str
    #: Per segment, or per MMS, in the card's currency.
    base: Decimal
    #: What the carriers add, per segment or per MMS.
    surcharge: Decimal = Decimal(0)
    #: The first day it holds; None is always.
    effective: date | None = None

    @property
    def micros(self) -> int:
        """Return base and surcharge together in millionths."""
        return int((self.base + self.surcharge) * MICROS_PER_UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """A price list."""

    #: Shown wherever a cost is shown.
    name: str
    #: ISO 4217.
    currency: str
    prices: tuple[Price, ...]

    def micros_by_prefix(self, channel: Channel, sender: SenderType, on: date) -> dict[str, int]:
        """Return what one segment costs for each prefix on the card, longest prefix first."""
        offers: dict[str, list[Price]] = {}
        for price in self.prices:
            in_force = price.effective is None or price.effective <= on
            if in_force and price.channel is channel and price.sender in (sender, None):
                offers.setdefault(price.prefix, []).append(price)

        best = {prefix: max(rows, key=_precedence) for prefix, rows in offers.items()}
        return {prefix: best[prefix].micros for prefix in sorted(best, key=len, reverse=True)}


def load_card(path: Path | None) -> RateCard:
    """Read a rate card.

    Args:
        path: a TOML file; None is the built-in card of list prices, which says so in its name.

    Raises:
        RateCardError: it cannot be read or used; a line for every problem.
    """
    file = path or LIST_PRICES
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RateCardError(f"{file}: the rate card cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RateCardError(f"{file}: the rate card is not TOML: {error}") from error

    if problems := list(_problems(document)):
        raise RateCardError("\n".join(f"{file}: {problem}" for problem in problems))

    return RateCard(
        name=document["name"].strip(),
        currency=document["currency"],
        prices=tuple(_price(row) for row in document["price"]),
    )


def _precedence(price: Price) -> tuple[bool, date]:
    return price.sender is not None, price.effective or date.min


def _price(row: Mapping[str, Any]) -> Price:
    return Price(
        channel=Channel(row["channel"]),
        sender=None if row["sender"] == DEFAULT else SenderType(row["sender"]),
        prefix="" if row["prefix"] == DEFAULT else row["prefix"],
        base=Decimal(row["base"]),
        surcharge=Decimal(row.get("surcharge", "0")),
        effective=row.get("effective"),
    )


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown_keys(document, _CARD_KEYS)
    if not (isinstance(document.get("name"), str) and document["name"].strip()):
        yield 'write name = "...": it is shown with every cost'

    currency = document.get("currency")
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        yield 'write currency as three capital letters (ISO 4217), such as "USD"'

    rows = document.get("price")
    if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
        yield "the card has no prices: add a [[price]] row"
        return

    seen: dict[tuple[object, ...], int] = {}
    for number, row in enumerate(rows, start=1):
        problems = list(_price_problems(row))
        place = tuple(str(row.get(key)) for key in ("channel", "sender", "prefix", "effective"))
        if not problems and place in seen:
            problems = [f"says the same as [[price]] {seen[place]} with another price: remove one"]

        seen.setdefault(place, number)
        yield from (f"[[price]] {number}: {problem}" for problem in problems)


def _price_problems(row: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown_keys(row, _PRICE_KEYS)
    yield from (f"'{key}' is missing" for key in _REQUIRED if key not in row)
    yield from _unknown_word(row, "channel", list(Channel))
    yield from _unknown_word(row, "sender", [*SenderType, DEFAULT])
    prefix = row.get("prefix", DEFAULT)
    if prefix != DEFAULT and not re.fullmatch(r"[1-9][0-9]{0,14}", str(prefix)):
        yield 'prefix is the beginning of a number without its plus, such as "1" or "44"'
    elif not isinstance(prefix, str):
        yield f'write prefix in quotes: "{prefix}"'

    effective = row.get("effective")
    if effective is not None and (
        not isinstance(effective, date) or isinstance(effective, datetime)
    ):
        yield "effective is a date without quotes, such as 2026-05-01"

    for key in ("base", "surcharge"):
        yield from _amount_problems(key, row.get(key, "0"))


def _amount_problems(key: str, amount: object) -> Iterator[str]:
    if not isinstance(amount, str):
        yield f'write {key} in quotes, such as "0.004": a number without them is not exact'
    elif not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", amount):
        yield f'{key} is an amount such as "0.004", from 0 to 9999'
    elif Decimal(amount) * MICROS_PER_UNIT % 1:
        yield f"{key} has more than six decimals: a millionth is the smallest part"


def _unknown_word(row: Mapping[str, Any], key: str, words: Iterable[str]) -> Iterator[str]:
    if key in row and row[key] not in words:
        yield f"{key} is one of {', '.join(words)}, not {row[key]!r}"


def _unknown_keys(table: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[str]:
    for key in sorted(table.keys() - set(known)):
        near = difflib.get_close_matches(key, known, n=1, cutoff=0)
        yield f"there is no key '{key}': did you mean '{near[0]}'?"
