"""Magic numbers: recipients whose texts always end in the same way, and all the ways to end.

    +1 NPA 555-4001 ... 9999    ending in an error code: fails with it, so
    +1 NPA 555-4775             has opted out
    +1 NPA 555-4700             is a landline
    +1 NPA 555-9902             gets it; fails after 73 h without receipt
    +1 NPA 555-7001             gets it a minute late (slow_delivery_ms)
    +1 NPA 555-7002             gets it, but no receipt is ever posted
    +1 NPA 555-7003             gets it, but it is never listed
    +1 NPA 555-7004             gets nothing, and nobody is ever told
    +1 NPA 555-7005             both fails (failed_code) and is delivered

NPA is any area code; all other numbers are numbers like any other. A group's recipients end each in
its own way. With Bandwidth, nobody is told anything where an application belongs to no location,
and members of groups may be said to have failed and got it.
"""

from __future__ import annotations

import re
from enum import StrEnum

OPTED_OUT = 4775
LANDLINE = 4700
EXPIRED = 4360  #: the expiration passed in the queue
NO_MEDIA = 4410  #: a picture is not in the account's media
TOO_HEAVY = 4411  #: pictures from a toll-free number have more together than ...
TOLL_FREE_BYTES = 525_000  #: ... this (support article 360034303574)
NO_RECEIPT = 9902  #: the carrier never said what became of it


class Ending(StrEnum):
    """How a text to a magic number ends, other than by a code."""

    SLOW_DELIVERY = "slow_delivery"
    UNRECEIPTED = "unreceipted"
    UNLISTED = "unlisted"
    SWALLOWED = "swallowed"
    CONTRADICTED = "contradicted"


ENDINGS = {
    7001: Ending.SLOW_DELIVERY,
    7002: Ending.UNRECEIPTED,
    7003: Ending.UNLISTED,
    7004: Ending.SWALLOWED,
    7005: Ending.CONTRADICTED,
}

#: Code -> name, of Bandwidth's "Messaging error codes" page; not taken from the sender's table.
CODES = {
    4001: "service-not-allowed",
    4121: "historic",
    4301: "malformed-invalid-encoding",
    4302: "malformed-invalid-from-number",
    4303: "malformed-invalid-to-number",
    4350: "malformed-for-destination",
    4360: "message-not-sent-expiration-date-passed",
    4401: "rejected-routing-error",
    4403: "rejected-forbidden-from-number",
    4404: "rejected-forbidden-to-number",
    4405: "rejected-unallocated-from-number",
    4406: "rejected-unallocated-to-number",
    4407: "rejected-account-not-defined-from-number",
    4408: "rejected-account-not-defined-to-number",
    4409: "rejected-invalid-from-profile",
    4410: "media-unavailable",
    4411: "rejected-message-size-limit-exceeded",
    4412: "media-content-invalid",
    4420: "rejected-carrier-does-not-exist",
    4421: "rejected-forbidden-no-destination",
    4431: "rejected-forbidden-shortcode",
    4432: "rejected-forbidden-country",
    4433: "rejected-forbidden-tollfree",
    4434: "rejected-forbidden-tollfree-for-recipient",
    4435: "forbidden-too-many-recipients",
    4451: "rejected-wrong-user-id",
    4452: "rejected-wrong-application-id",
    4470: "rejected-spam-detected",
    4475: "destination-rejected-due-to-user-opt-out",
    4476: "blocked-unregistered",
    4481: "rejected-from-number-in-blacklist",
    4482: "rejected-to-number-in-blacklist",
    4492: "reject-emergency",
    4493: "rejected-unauthorized",
    4700: "invalid-service-type",
    4701: "destination-service-unavailable",
    4702: "destination-subscriber-unavailable",
    4710: "media-unavailable",
    4711: "rejected-message-size-limit-exceeded",
    4712: "media-content-invalid",
    4720: "invalid-destination-address",
    4721: "destination-tn-deactivated",
    4730: "no-route-to-destination-carrier",
    4735: "too-many-recipients",
    4740: "invalid-source-address-address",
    4750: "destination-rejected-message",
    4751: "destination-rejected-message-size-invalid",
    4752: "destination-rejected-malformed",
    4753: "destination-rejected-handset",
    4754: "unsupported-channel",
    4770: "destination-spam-detected",
    4771: "rejected-shortened-url",
    4772: "rejected-tn-blocked",
    4773: "inactive-campaign",
    4774: "provisioning-issue",
    4775: "destination-rejected-due-to-user-opt-out",
    4780: "volume-violation-tmo",
    4781: "volume-violation-att",
    4785: "volumetric-violation",
    4790: "destination-rejected-sc-not-allowed",
    4791: "destination-rejected-campaign-not-allowed",
    4792: "destination-rejected-sc-not-provisioned",
    4793: "destination-rejected-sc-expired",
    4794: "destination-rejected-expired",
    4795: "tfn-not-verified",
    5100: "temporary-app-error",
    5101: "temporary-app-shutdown",
    5106: "impossible-to-route",
    5111: "temporary-app-connection-closed",
    5112: "historic",
    5143: "historic",
    5144: "historic",
    5146: "historic",
    5201: "temporary-rout-error-retries-exceeded",
    5211: "temporary-app-error-app-busy",
    5220: "temporary-store-error",
    5229: "tn-campaign-provisioning-error",
    5231: "discarded-concatenation-timeout",
    5500: "message-send-failed",
    5501: "message-send-failed",
    5503: "historic",
    5600: "destination-carrier-queue-full",
    5610: "submit_sm-or-submit_multi-failed",
    5620: "destination-app-error",
    5630: "message-not-acknowledged",
    5650: "destination-failed",
    5999: "unknown-error",
    9902: "delivery-receipt-expired",
    9999: "unknown-error",
}

#: The carrier may hold it for later, or never said that it took it.
_PERHAPS_RECEIVED = frozenset({4702, 5630})

_MAGIC = re.compile(r"\+1[2-9][0-9]{2}555([4-9][0-9]{3})", re.ASCII)


def ending_of(recipient: str) -> Ending | int | None:
    """Return how texts to this number end: an error code, or an ending; None: like any other."""
    found = _MAGIC.fullmatch(recipient)
    if found is None:
        return None

    digits = int(found[1])
    return digits if digits in CODES else ENDINGS.get(digits)


def found_by_carrier(code: int) -> bool:
    """Tell whether the message had left Bandwidth when it failed with this code."""
    return code // 100 in {47, 56} or code >= 9000


def is_received(code: int) -> bool:
    """Tell whether a handset may have the text although it failed with this code."""
    return code >= 9000 or code in _PERHAPS_RECEIVED
