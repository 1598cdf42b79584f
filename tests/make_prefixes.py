"""Writes pipeline/prepare/prefixes.csv and north_america.txt from the data of phonenumbers.

    python -m tests.make_prefixes

prefixes.csv: the beginning of a number in E.164 without its plus, its country (ISO 3166; empty
where a prefix has several), its time zones (IANA, joined by `|`) and its area in English. The
longest prefix of a number holds. north_america.txt: the area codes of the US and Canada under which
every exchange from 200 to 999 is an ordinary number.
"""

import csv
import re
from pathlib import Path

import phonenumbers
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

PREPARE = Path(__file__).resolve().parent.parent / "pipeline" / "prepare"


def country_of(prefix):
    """Return the one country that numbers with this prefix belong to, or ''."""
    code = next(
        code
        for code in (int(prefix[:length]) for length in (1, 2, 3))
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    )
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if prefix == str(code) and len(regions) > 1:
        return ""

    if len(regions) == 1:
        return regions[0] if regions[0] != "001" else ""

    found = {region for region in regions if owns(region, prefix.removeprefix(str(code)))}
    return found.pop() if len(found) == 1 else ""


def owns(region, national):
    """Tell whether some number with this national beginning is an ordinary one of the region."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    patterns = (metadata.fixed_line, metadata.mobile)
    return any(
        reach(each.national_number_pattern, national)
        for each in patterns
        if each is not None and each.national_number_pattern
    )


def reach(pattern, beginning):
    """Tell whether a text that `pattern` matches can begin like this: some filling completes it."""
    fillings = ("2345678901", "0000000000", "5555555555", "9999999999", "7654321098")
    return any(
        re.fullmatch(pattern, (beginning + filling)[:length])
        for filling in fillings
        for length in range(max(len(beginning), 6), 13)
    )


def area_of(prefix):
    return GEOCODE_DATA.get(prefix, {}).get("en", "")


def ordinary_areas():
    """List the area codes that phonenumbers' patterns accept with any exchange and line.

    A pattern looks at no more than eight digits, so all beginnings of that length are tried.
    """
    patterns = [
        re.compile(
            phonenumbers.PhoneMetadata.metadata_for_region(
                region
            ).fixed_line.national_number_pattern
        )
        for region in ("US", "CA")
    ]
    return [
        area
        for area in range(200, 1000)
        if any(pattern.fullmatch(f"{area}2345678") for pattern in patterns)
        and all(
            any(pattern.fullmatch(f"{area}{rest}00") for pattern in patterns)
            for rest in range(20_000, 100_000)
        )
    ]


def write_prefixes():
    names = set(TIMEZONE_DATA) | {
        prefix for prefix in GEOCODE_DATA if len(prefix) == 4 and prefix[0] == "1"
    }
    with (PREPARE / "prefixes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("prefix", "country", "zones", "area"))
        for prefix in sorted(names):
            zones = "|".join(TIMEZONE_DATA.get(prefix, ()))
            writer.writerow((prefix, country_of(prefix), zones, area_of(prefix)))


if __name__ == "__main__":
    areas = ordinary_areas()
    lines = (" ".join(map(str, areas[start : start + 20])) for start in range(0, len(areas), 20))
    (PREPARE / "north_america.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    write_prefixes()
