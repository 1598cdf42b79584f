"""What a plan is made of, in short digests: the same input has the same, whatever its spelling."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.model import Campaign
from pipeline.prepare import smart
from pipeline.prepare.rate_card import RateCard

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
    prices = [str(row) for row in (*card.prices, *card.carriers, *card.surcharges)]
    variants = [asdict(variant) for variant in campaign.variants]
    roles = asdict(campaign.columns) | ({"all_numbers": True} if campaign.all_numbers else {})
    return {
        "recipients": recipients_digest[:_DIGEST_CHARACTERS],
        "template": _digest([campaign.template, variants]),
        "smart": _digest(smart.replacements_of(campaign)),
        "senders": _digest(campaign.senders),
        "channel": _digest(campaign.channel),
        "media": _digest(
            [campaign.media, sorted(own_pictures)] if own_pictures else campaign.media
        ),
        "region": _digest(campaign.region),
        "columns": _digest(roles),
        "exclusions": _digest([campaign.exclude, campaign.frequency_days, suppression_digest]),
        "rate card": _digest([card.name, card.currency, prices, carriers_digest]),
    }


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part).encode()).hexdigest()[:_DIGEST_CHARACTERS]
