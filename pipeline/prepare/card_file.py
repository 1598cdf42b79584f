"""A rate card as its owner writes it in TOML. Everything wrong with one is reported at once.

name = "Contract 2026"         [[price]]                    [[carrier]]           [[surcharge]]
currency = "USD"               channel = "sms"              name = "AT&T"         carrier = "AT&T"
                               sender = "10dlc"             prefix = "1"          channel = "sms"
                               prefix = "1"                 share = "0.4"         sender = "default"
                               base = "0.004"                                     amount = "0.0035"
                               effective = 2026-05-01

Optional are `effective`, `direction` ("inbound"), a `surcharge` in a price (then the carriers'
rows do not count for it) and `share`; `default` stands for every sender type, prefix or carrier
without a row of its own.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.errors import RateCardError
from pipeline.model import MICROS_PER_UNIT, Channel
from pipeline.prepare import columns
from pipeline.prepare.rate_card import (
    DEFAULT,
    Carrier,
    Direction,
    Price,
    RateCard,
    SenderType,
    Surcharge,
)

#: The card that is used where the campaign names none.
LIST_PRICES = Path(__file__).with_name("list_prices.toml")

_CARD_KEYS = ("name", "currency", "price", "carrier", "surcharge")

#: Table -> its keys, and whether a row must have them.
_KEYS = {
    "price": {"channel": True, "sender": True, "prefix": True, "base": True, "surcharge": False,
              "direction": False, "effective": False},
    "carrier": {"name": True, "prefix": True, "share": False},
    "surcharge": {"carrier": True, "channel": True, "sender": True, "amount": True,
                  "direction": False, "effective": False},
}  # fmt: skip

#: What tells the rows of a table apart.
_PLACES = {
    "price": ("channel", "sender", "prefix", "direction", "effective"),
    "carrier": ("name", "prefix"),
    "surcharge": ("carrier", "channel", "sender", "direction", "effective"),
}


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

    names = {columns.fold(row["name"]): row["name"] for row in document.get("carrier", ())}
    return RateCard(
        name=document["name"].strip(),
        currency=document["currency"],
        prices=tuple(Price(**_values(row)) for row in document["price"]),
        carriers=tuple(Carrier(**_values(row)) for row in document.get("carrier", ())),
        surcharges=tuple(
            Surcharge(
                **_values({**row, "carrier": names.get(columns.fold(row["carrier"]), DEFAULT)})
            )
            for row in document.get("surcharge", ())
        ),
    )


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _VALUES[key](value) if key in _VALUES else value for key, value in row.items()}


_VALUES: dict[str, Callable[[Any], Any]] = {
    "channel": Channel,
    "direction": Direction,
    "sender": lambda word: None if word == DEFAULT else SenderType(word),
    "prefix": lambda word: "" if word == DEFAULT else word,
    "base": Decimal,
    "surcharge": Decimal,
    "amount": Decimal,
    "share": Decimal,
}


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown_keys(document, _CARD_KEYS)
    if not (isinstance(document.get("name"), str) and document["name"].strip()):
        yield 'write name = "...": it is shown with every cost'

    currency = document.get("currency")
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        yield 'write currency as three capital letters (ISO 4217), such as "USD"'

    if not document.get("price"):
        yield "the card has no prices: add a [[price]] row"

    whole = {}
    for table in _KEYS:
        rows = document.get(table, [])
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            whole[table] = rows
            yield from _table_problems(table, rows)
        else:
            yield f"'{table}' must be rows: add a [[{table}]] row"

    carriers = whole.get("carrier", [])
    yield from _unknown_carriers(whole.get("surcharge", []), carriers)
    yield from _share_problems(carriers)


def _table_problems(table: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    seen: dict[tuple[object, ...], int] = {}
    for number, row in enumerate(rows, start=1):
        problems = list(_row_problems(table, row))
        place = tuple(columns.fold(str(row.get(key))) for key in _PLACES[table])
        if not problems and place in seen:
            problems = [f"says the same as [[{table}]] {seen[place]} again: remove one"]

        seen.setdefault(place, number)
        yield from (f"[[{table}]] {number}: {problem}" for problem in problems)


def _row_problems(table: str, row: Mapping[str, Any]) -> Iterator[str]:
    keys = _KEYS[table]
    yield from _unknown_keys(row, keys)
    for key, is_required in keys.items():
        if key in row:
            yield from _CHECKS[key](key, row[key])
        elif is_required:
            yield f"'{key}' is missing"


def _unknown_carriers(
    surcharges: Iterable[Mapping[str, Any]], carriers: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    names = [name for row in carriers if isinstance(name := row.get("name"), str)]
    known = {columns.fold(name) for name in (*names, DEFAULT)}
    for number, row in enumerate(surcharges, start=1):
        carrier = row.get("carrier")
        if isinstance(carrier, str) and columns.fold(carrier) not in known:
            near = difflib.get_close_matches(carrier, names, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else "add one, or take the row out"
            yield f"[[surcharge]] {number}: there is no [[carrier]] '{carrier}': {hint}"


def _share_problems(carriers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    by_prefix: dict[str, list[Decimal | None]] = {}
    for row in carriers:
        share = row.get("share")
        if share is not None and list(_share("share", share)):
            return  # said already

        by_prefix.setdefault(str(row.get("prefix")), []).append(share and Decimal(share))

    for prefix, shares in by_prefix.items():
        stated = [share for share in shares if share is not None]
        if stated and len(stated) < len(shares):
            yield f"prefix {prefix}: give every [[carrier]] a share, or none of them"
        elif stated and sum(stated) != 1:
            yield f"prefix {prefix}: the shares of its carriers come to {sum(stated)}, not to 1"


def _words(words: list[str]) -> Callable[[str, object], Iterator[str]]:
    def check(key: str, value: object) -> Iterator[str]:
        if value not in words:
            yield f"{key} is one of {', '.join(words)}, not {value!r}"

    return check


def _prefix(_: str, prefix: object) -> Iterator[str]:
    if prefix != DEFAULT and not re.fullmatch(r"[1-9][0-9]{0,14}", str(prefix)):
        yield 'prefix is the beginning of a number without its plus, such as "1" or "44"'
    elif not isinstance(prefix, str):
        yield f'write prefix in quotes: "{prefix}"'


def _day(_: str, effective: object) -> Iterator[str]:
    if not isinstance(effective, date) or isinstance(effective, datetime):
        yield "effective is a date without quotes, such as 2026-05-01"


def _amount(key: str, amount: object) -> Iterator[str]:
    if not isinstance(amount, str):
        yield f'write {key} in quotes, such as "0.004": a number without them is not exact'
    elif not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", amount):
        yield f'{key} is an amount such as "0.004", from 0 to 9999'
    elif Decimal(amount) * MICROS_PER_UNIT % 1:
        yield f"{key} has more than six decimals: a millionth is the smallest part"


def _share(key: str, share: object) -> Iterator[str]:
    yield from (problems := list(_amount(key, share)))
    if not problems and Decimal(str(share)) > 1:
        yield 'share is a part of the recipients such as "0.25", from 0 to 1'


def _name(key: str, name: object) -> Iterator[str]:
    if not (isinstance(name, str) and name.strip()):
        yield f'write the name of a carrier in quotes, as in {key} = "AT&T"'


_CHECKS: dict[str, Callable[[str, object], Iterator[str]]] = {
    "channel": _words(list(Channel)),
    "sender": _words([*SenderType, DEFAULT]),
    "direction": _words(list(Direction)),
    "prefix": _prefix,
    "effective": _day,
    "base": _amount,
    "surcharge": _amount,
    "amount": _amount,
    "share": _share,
    "name": _name,
    "carrier": _name,
}


def _unknown_keys(table: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    for key in sorted(table.keys() - set(known)):
        near = difflib.get_close_matches(key, known, n=1, cutoff=0)
        yield f"there is no key '{key}': did you mean '{near[0]}'?"
