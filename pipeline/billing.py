"""What Bandwidth bills: a message that it took, by its own count of segments, with exceptions.

A refused request (any 4xx or 5xx answer) is free, and so is a failure that Bandwidth itself found
after the 202, but for 4470 (spam). What a carrier reported is billed. Where nobody has written
whether a code is billed, it is: what might have cost counts as spent. (Error code pages of the
Messaging API, column "Billable".)
"""

from __future__ import annotations

import re

#: Codes of failures that Bandwidth found: 4001 to 4699, and 51xx, 52xx, 55xx for its own faults.
FOUND_BY_BANDWIDTH = r"^(?:4[0-6]|5[125])[0-9]{2}$"
#: Of these, what is billed all the same (4121, 4470), or what nobody has said it of.
BILLED_ALL_THE_SAME = frozenset({"4121", "4470", "4475", "4476", "5229"})

_FOUND_BY_BANDWIDTH = re.compile(FOUND_BY_BANDWIDTH)


def is_free(error_code: str | None) -> bool:
    """Tell whether a message that failed with this code costs nothing."""
    code = error_code or ""
    return code not in BILLED_ALL_THE_SAME and _FOUND_BY_BANDWIDTH.match(code) is not None


def billed_micros(estimated_micros: int, *, segments: int, counted: int | None) -> int:
    """Return what a message costs by the provider's count, in millionths.

    Args:
        estimated_micros: its price by our count.
        segments: our count.
        counted: the provider's; None is ours.
    """
    if counted is None or counted == segments:
        return estimated_micros

    return -(-estimated_micros * counted // segments)  # rounded up, where a price is per message
