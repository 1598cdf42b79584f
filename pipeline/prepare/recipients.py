"""Who is written to: finds the phone columns, reads every number once and marks those seen before.

Only twelve bytes a row are kept; the wide frame is never looked at.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from pipeline.errors import TITLE_HINT, InputError
from pipeline.model import EXAMPLE_ROWS, Columns, Finding
from pipeline.prepare import columns, phones, readings
from pipeline.prepare.readings import READING, Fault, packed
from pipeline.prepare.repeats import Barred, add_verdicts

#: Names of a phone column, as `_bare` leaves them: of mobile phones, and of others.
_MOBILE_NAMES = frozenset(
    {
        *("mobile", "mobiles", "mobilephone", "mobilephonenumber", "mobilenumber", "mobileno"),
        "mobilephoneno",
        *("cell", "cellphone", "cellphonenumber", "cellnumber", "cellno"),
        *("handy", "handynummer", "handynr", "mobilnummer", "mobilnr", "mobiltelefon"),
        *("portable", "telephoneportable", "telephonemobile", "numerodeportable"),
        *("movil", "telefonomovil", "numerodemovil", "celular", "numerodecelular"),
        *("cellulare", "telefonocellulare", "numerodicellulare"),
    }
)
_OTHER_NAMES = frozenset(
    {
        *("phone", "phonenumber", "phonenumbers", "phoneno", "phone#", "primaryphone"),
        *("telephone", "telephonenumber", "telephoneno", "tel", "telno", "to", "msisdn"),
        "contactnumber",  # but "Contact No." is the key of a person in Business Central
        *("telefon", "telefonnummer", "telefonnr", "rufnummer", "numerodetelephone"),
        *("telefono", "numerodetelefono", "numeroditelefono", "telefoon", "telefoonnummer"),
    }
)

#: The columns of a file that has nothing but numbers, and no header (`reading.headers`).
_BARE_NUMBERS = ("column_1",)

_MADE_UP = re.compile(r"column_\d+_*")

_KEY, _BEST = columns.WORKING + "user_key", columns.WORKING + "best"
_COUNT, _CODE, _ROWS = columns.WORKING + "count", columns.WORKING + "code", columns.WORKING + "rows"


def find_phone_columns(names: Sequence[str], wanted: Sequence[str], *, file: str) -> list[str]:
    """Return the columns that hold the phone numbers, the preferred first.

    Args:
        names: the columns of the file.
        wanted: what the user says; empty is the one that is named like it, or the only one of a
            file without a header.
        file: names the recipients in an error.

    Raises:
        InputError: a wanted column is not there; or none, or more than one, is named like it.
    """
    if wanted:
        return [find_named(name, names, file=file) for name in wanted]

    if tuple(names) == _BARE_NUMBERS:
        return list(names)

    found = [name for name in names if is_phone_name(name)]
    if len(found) == 1:
        return found

    listed = ", ".join(f"'{name}'" for name in found or names)
    if found:
        mobile_first = sorted(found, key=lambda name: _bare(name) not in _MOBILE_NAMES)
        raise InputError(
            f"{len(found)} columns could hold the phone numbers ({listed}): name the ones to use "
            "under [campaign] in a campaign.toml, the preferred first, as in "
            f"phone = {json.dumps(mobile_first, ensure_ascii=False)}",
            file=file,
        )

    if all(map(is_made_up, names)):
        raise InputError(
            f"the file has no header, so none of its columns ({listed}) is known to hold "
            "the phone numbers: write under [campaign] in a campaign.toml the one that does, as in "
            f'phone = ["{names[0]}"]',
            file=file,
        )

    raise InputError(
        f"no column is named like phone numbers; there are {listed}: name one of them 'phone', "
        f'or write phone = ["..."]{_title_hint(names)}',
        file=file,
    )


def is_phone_name(name: str) -> bool:
    """Tell whether a column is named like phone numbers, in one of several languages."""
    return _bare(name) in _MOBILE_NAMES | _OTHER_NAMES


def is_made_up(name: str) -> bool:
    """Tell whether a name is one that a nameless column was given (`reading.headers`)."""
    return _MADE_UP.fullmatch(name) is not None


def _bare(name: str) -> str:
    """Return `name` without case, accents, spaces and what abbreviates a word."""
    letters = unicodedata.normalize("NFKD", columns.fold(name).replace(".", ""))
    return "".join(each for each in letters if not unicodedata.combining(each))


def find_named(name: str, names: Sequence[str], *, file: str) -> str:
    """Return the column that the user names: exactly, or but for case, spaces and underscores.

    Raises:
        InputError: there is none, or more than one.
    """
    same = [each for each in names if columns.fold(each) == columns.fold(name)]
    if name in names or len(same) == 1:
        return name if name in names else same[0]

    listed = ", ".join(f"'{each}'" for each in same or names)
    near = "" if same else columns.nearest(name, names)
    raise InputError(
        f"there is no column '{name}', only {listed}; {near or 'spell it like one of them'}"
        f"{_title_hint(names)}",
        file=file,
    )


def _title_hint(names: Sequence[str]) -> str:
    """Ask about a header that is one cell above nameless columns."""
    given = [name for name in names if not is_made_up(name)]
    return f"; {TITLE_HINT}" if len(given) == 1 < len(names) else ""


def find_key_column(names: Sequence[str], wanted: str | None, *, file: str) -> str | None:
    """Return the column that tells messages to one recipient apart; None where there is none."""
    if wanted:
        return find_named(wanted, names, file=file)

    return next((name for name in names if columns.fold(name) == columns.USER_KEY), None)


def read_numbers(
    recipients: pl.LazyFrame,
    views: Mapping[str, pl.Expr],
    *,
    roles: Columns,
    region: str,
    file: str,
    barred: Sequence[Barred] = (),
    strict: bool = False,
) -> pl.DataFrame:
    """Read the phone columns, once.

    Args:
        recipients: the user's columns; read, in streaming mode.
        views: for each column that can be read as text, the String expression of its value.
        roles: which columns play a part.
        region: how numbers without a country code are read.
        file: names the recipients in an error.
        barred: numbers that must not be texted.
        strict: refuse a number that had to be repaired.

    Returns:
        A frame with a row per recipient, in order: `readings.READING` (Int64) and
        `repeats.VERDICT` (UInt32).

    Raises:
        InputError: a column is missing or ambiguous.
    """
    names = list(views)
    phone = find_phone_columns(names, roles.phone, file=file)
    key = find_key_column(names, roles.key, file=file)
    narrow = [views[name].alias(_cell(position)) for position, name in enumerate(phone)]
    if roles.region:
        narrow.append(views[find_named(roles.region, names, file=file)].alias(phones.REGION))

    if key:
        narrow.append(views[key].str.strip_chars().fill_null("").alias(_KEY))

    table = (
        recipients.select(narrow)
        .pipe(_add_best_reading, len(phone), region)
        .with_columns(_strict(pl.col(READING)) if strict else pl.col(READING))
        .select(READING, *([_KEY] if key else []))
        .collect(engine="streaming")
    )
    return add_verdicts(table, barred, key=_KEY if key else None).drop(_KEY, strict=False)


def find_repairs(numbers: pl.DataFrame, phone: Sequence[str]) -> Iterator[Finding]:
    """Tell what was mended in the numbers, and which columns they come from.

    Args:
        numbers: `read_numbers`' frame.
        phone: `find_phone_columns`' answer.
    """
    reading = pl.col(READING)
    for position, count, rows in _counted(numbers, readings.repair_of(reading)):
        repair = readings.REPAIRS[position - 1]
        yield Finding(
            code=repair.code, sentence=repair.value, count=count, rows=rows, is_repair=True
        )

    if len(phone) > 1:
        for position, count, rows in _counted(numbers, readings.column_of(reading) + 1):
            yield Finding(
                code="phone_column",
                sentence=f"numbers are from the column '{phone[position - 1]}'",
                count=count,
                rows=rows,
            )


def _counted(numbers: pl.DataFrame, code: pl.Expr) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield each code above 0, how many rows have it, and the first of them."""
    row = (pl.col(_ROWS) + 1).sort().head(EXAMPLE_ROWS)
    found = (
        numbers.lazy()
        .select(code.alias(_CODE))
        .with_row_index(_ROWS)
        .filter(pl.col(_CODE) > 0)
        .group_by(_CODE)
        .agg(pl.len().alias(_COUNT), row)
        .sort(_CODE)
        .collect(engine="streaming")
    )
    for position, count, rows in found.iter_rows():
        yield position, count, tuple(rows)


def _cell(position: int) -> str:
    return phones.CELL if position == 0 else f"{phones.CELL}_{position}"


def _add_best_reading(lf: pl.LazyFrame, phone_columns: int, region: str) -> pl.LazyFrame:
    """Add the reading of the first column with a valid number, else of the first that is filled."""
    missing = packed(Fault.MISSING)
    lf = phones.add_readings(lf, region)
    for position in range(1, phone_columns):
        best, reading = pl.col(_BEST), readings.in_column(pl.col(READING), position)
        undecided = pl.when(best < 0).then(_cell(position))
        keep = (best >= 0) | ((reading < 0) & (best != missing))
        lf = (
            lf.rename({READING: _BEST})
            .with_columns(undecided.alias(phones.CELL))
            .pipe(phones.add_readings, region)
            .with_columns(pl.when(keep).then(best).otherwise(reading).alias(READING))
            .drop(_BEST)
        )

    return lf


def _strict(reading: pl.Expr) -> pl.Expr:
    repaired = readings.repair_of(reading) > 0
    return pl.when(repaired).then(packed(Fault.REPAIRED)).otherwise(reading).alias(READING)
