"""Who gets a message together: the recipients of a group message, each with a row of its own.

The provider sends a group as one MMS; it counts, bills and reports it for each recipient.
"""

from __future__ import annotations

from typing import NamedTuple

USUAL_MEMBERS = 10  #: of a group (Bandwidth's guides; error 4435)
MOST_MEMBERS = 50  #: that an older document of the API allows


class Member(NamedTuple):
    """One recipient of a group message."""

    #: 1-based data row of the recipient file.
    row: int
    #: The key of a message to this recipient alone: nobody is in two messages of a campaign.
    key: str
    #: E.164.
    to: str
    #: The most that the recipient's part may cost, in millionths.
    cost_micros: int = 0
