"""The country of a number in three letters (ISO 3166-1 alpha-3), for the listing's country filters.

Calling codes are ITU-T E.164 assignments, those that bulk senders meet most. A +1 number is
Canadian by its area code, and otherwise of the USA: the islands that share +1 are not told apart.
"""

from __future__ import annotations

import re

_COUNTRIES = {
    "AUT": "43", "AUS": "61", "BEL": "32", "BRA": "55", "CHE": "41", "CZE": "420", "DEU": "49",
    "DNK": "45", "ESP": "34", "FIN": "358", "FRA": "33", "GBR": "44", "HKG": "852", "IND": "91",
    "IRL": "353", "ISR": "972", "ITA": "39", "JPN": "81", "MEX": "52", "NLD": "31", "NOR": "47",
    "NZL": "64", "POL": "48", "PRT": "351", "SGP": "65", "SWE": "46", "ZAF": "27",
}  # fmt: skip
_BY_CODE = {code: country for country, code in _COUNTRIES.items()}
_CANADA = re.compile(
    r"\+1(204|226|236|249|250|257|263|289|306|343|354|365|367|368|382|403|416|418|"
    r"428|431|437|438|450|460|468|474|506|514|519|537|548|568|579|581|584|587|"
    r"604|613|639|647|672|683|705|709|742|753|778|780|782|807|819|825|867|873|"
    r"879|902|905|942)",
    re.ASCII,
)


def country_of(number: str) -> str | None:
    """Return the country of a number in E.164 format; None where it is not known, or no number."""
    if number.startswith("+1"):
        return "CAN" if _CANADA.match(number) else "USA"

    if not number.startswith("+"):
        return None

    return _BY_CODE.get(number[1:3]) or _BY_CODE.get(number[1:4])
