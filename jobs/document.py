"""The estimate as a JSON document: all of `estimate --json`, the beginning of `send --json`."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pipeline.estimate import Estimate
from pipeline.model import MICROS_PER_UNIT, Encoding
from pipeline.prepare.plan import Share


def estimate_json(found: Estimate) -> dict[str, Any]:
    """Return the document that ``estimate --json`` prints."""
    totals = found.totals
    return {
        "campaign": found.settings.campaign.name,
        "rows": totals.rows,
        "messages": totals.messages,
        "skipped": dict(totals.skipped),
        "encodings": {each.value: totals.encodings.get(each, 0) for each in Encoding},
        "segments": totals.segments,
        "cost": {
            "total": float(found.cost),
            "low": _amount(totals.cost_low_micros),
            "high": _amount(totals.cost_high_micros),
            "currency": totals.currency,
            "rate_card": found.card.name,
            "mix": {
                prefix: {name: float(share) for name, share in shares.items()}
                for prefix, shares in found.card.mix.items()
            },
        },
        "budget": _budget_json(found),
        "seconds_at_rate": round(found.seconds_at_rate, 3),
        **_costs_json(found),
        "fingerprint": found.digest,
        "file": _file_json(found),
        **_smart_json(found),
        **_pictures_json(found),
        **({} if found.groups is None else {"groups": asdict(found.groups)}),
    }


def _budget_json(found: Estimate) -> dict[str, Any]:
    budget, daily = found.settings.budget, found.settings.daily_budget
    most = Decimal(found.totals.cost_high_micros) / MICROS_PER_UNIT
    return {
        "campaign": None if budget is None else float(budget),
        "daily": None if daily is None else float(daily),
        "covers_estimate": not any(limit is not None and limit < most for limit in (budget, daily)),
    }


def _costs_json(found: Estimate) -> dict[str, Any]:
    return {
        "breakdown": {
            name: [_share_json(found, share) for share in shares]
            for name, shares in found.totals.shares.items()
        },
        "dearest": [
            {"row": row, "segments": segments, "cost": _amount(micros)}
            for row, segments, micros in found.totals.dearest
        ],
        "advice": [
            {
                "code": each.code,
                "sentence": each.sentence,
                "messages": each.messages,
                "saving": _amount(each.saving_micros),
            }
            for each in found.advice
        ],
    }


def _file_json(found: Estimate) -> dict[str, Any]:
    return {
        **found.file,
        "findings": [asdict(finding) for finding in found.findings],
        "refusals": {
            reason: {"count": count, "rows": list(found.examples.get(reason, ()))}
            for reason, count in found.totals.skipped.items()
        },
    }


def _smart_json(found: Estimate) -> dict[str, Any]:
    if found.replaced is None:
        return {}

    return {"smart": [each.as_json() for each in found.replaced]}


def _pictures_json(found: Estimate) -> dict[str, Any]:
    """Return what would be uploaded at most: what is there already is not uploaded again."""
    pictures = found.pictures
    if not pictures.of:
        return {}

    return {"uploads": {"files": len(pictures.by_reference), "bytes": pictures.size_bytes}}


def _share_json(found: Estimate, share: Share) -> dict[str, Any]:
    return {
        "value": share.value,
        "messages": share.messages,
        "segments": share.segments,
        "cost": _amount(share.cost_micros),
        "low": _amount(share.cost_low_micros),
        "high": _amount(share.cost_high_micros),
        "seconds_at_rate": round(found.seconds_of(share.segments), 3),
    }


def _amount(micros: int) -> float:
    return micros / MICROS_PER_UNIT
