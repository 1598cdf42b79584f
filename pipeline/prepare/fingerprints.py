"""What a plan is made of, in short digests: the same input has the same, whatever its spelling.

Digests are in journals, and a campaign goes on only with its own: what is added to campaigns or to
rate cards enters a digest only where it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from pipeline.model import Campaign
from pipeline.prepare import smart
from pipeline.prepare.rate_card import Direction, Price, RateCard

_DIGEST_CHARACTERS = 16


def fingerprint(
    campaign: Campaign,
    card: RateCard,
    *,
    recipients_digest: str,
    suppression_digest: str = "",
    carriers_digest: str = "",
    own_pictures: Sequence[str] = (),
) -> dict[str, str]:
    """Name every part a plan is made of, with a short digest.

    Args:
        campaign: what is said.
        card: the prices.
        recipients_digest: SHA-256 of the recipient file, in hex.
        suppression_digest: of the suppression files.
        carriers_digest: of the table of carriers.
        own_pictures: references of the local files that rows name; those of the campaign's list
            stand in `campaign.media`.
    """
    variants = [asdict(variant) for variant in campaign.variants]
    replacements = smart.replacements_of(campaign)
    return {
        "recipients": recipients_digest[:_DIGEST_CHARACTERS],
        "template": _digest([campaign.template, variants]),
        **({"smart": _digest(replacements)} if replacements else {}),
        "senders": _digest(campaign.senders),
        "channel": _digest(campaign.channel),
        "media": _digest(
            [campaign.media, sorted(own_pictures)] if own_pictures else campaign.media
        ),
        "region": _digest(campaign.region),
        "columns": _digest(_roles(campaign)),
        "exclusions": _digest([campaign.exclude, campaign.frequency_days, suppression_digest]),
        "rate card": _digest(_prices(card, carriers_digest)),
    }


def _roles(campaign: Campaign) -> dict[str, object]:
    roles = asdict(campaign.columns) | ({"all_numbers": True} if campaign.all_numbers else {})
    for newer in ("carrier", "group", "recipients"):
        if roles[newer] is None:
            del roles[newer]

    is_grouped = campaign.columns.group or campaign.columns.recipients
    return roles | ({"group_limit": campaign.group_limit} if is_grouped else {})


def _prices(card: RateCard, carriers_digest: str) -> list[object]:
    more = [str(row) for row in (*card.carriers, *card.surcharges)]
    parts: list[object] = [card.name, card.currency, list(map(_spelled, card.prices))]
    return [*parts, more, carriers_digest] if more or carriers_digest else parts


def _spelled(price: Price) -> str:
    """Spell a price as it printed itself when the first campaigns were started."""
    surcharge = Decimal(0) if price.surcharge is None else price.surcharge
    inbound = "" if price.direction is Direction.OUTBOUND else f", direction={price.direction!r}"
    return (
        f"Price(channel={price.channel!r}, sender={price.sender!r}, prefix={price.prefix!r}, "
        f"base={price.base!r}, surcharge={surcharge!r}, effective={price.effective!r}{inbound})"
    )


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part).encode()).hexdigest()[:_DIGEST_CHARACTERS]
