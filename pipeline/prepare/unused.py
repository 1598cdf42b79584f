"""Columns that look as if they said something about their row, and are not used unasked.

A column named ``from`` may be a sender, a date or a city: only the campaign can tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from pipeline.model import Campaign, Finding
from pipeline.prepare import columns
from pipeline.prepare.template import placeholders

#: The key of [columns], and what it takes from each row.
_OFFERS = {
    "from": "sender",
    "text": "whole text",
    "media": "pictures (MMS)",
    "region": "country, to read its number",
}


def find_unused(names: Sequence[str], campaign: Campaign) -> Iterator[Finding]:
    """Tell of columns named like a key of [columns] that the campaign uses in no way.

    Raises:
        TemplateError: a template cannot be parsed.
    """
    phone, *roles = asdict(campaign.columns).values()
    templates = (campaign.template, *(each.template for each in campaign.variants))
    said = [
        *phone,
        *filter(None, roles),
        *(name for each in templates for name in placeholders(each)),
    ]
    used = {columns.fold(name) for name in said}
    for name in names:
        key = columns.fold(name)
        if key in _OFFERS and key not in used:
            sentence = (
                f"the column '{' '.join(name.split())}' is not used; to take each row's "
                f"{_OFFERS[key]} from it, write {key} = {json.dumps(name)} under [columns]"
            )
            yield Finding(code="unused_column", sentence=sentence, count=1)
