"""What the listing said of a message in doubt: for people, and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.journal import Evidence
from pipeline.spelling import counted


def sentence_of(evidence: Evidence) -> str:
    """Say in a sentence why the listing did not settle it; holds no phone number."""
    looked = f"the listing of {evidence.looked_at:%Y-%m-%dT%H:%M:%SZ}"
    if not evidence.candidates:
        return f"{looked} had no text that may be it, which proves nothing"

    texts = ", ".join(
        f"{each.message_id} (taken {_written(each.taken_at)})" for each in evidence.candidates
    )
    count = len(evidence.candidates)
    also = f"; so may {evidence.rivals} other in doubt" if evidence.rivals else ""
    return f"{looked} had {counted(count, 'text')} that may be it: {texts}{also}"


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "row": evidence.row,
        "looked_at": evidence.looked_at.isoformat(),
        "candidates": [
            {"message_id": each.message_id, "taken_at": _written(each.taken_at)}
            for each in evidence.candidates
        ],
        "other_messages": evidence.rivals,
    }


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
