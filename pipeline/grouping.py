"""What a campaign with group messages may not ask for at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model import Campaign


def group_problems(campaign: Campaign) -> Iterator[str]:
    """Say what keeps a campaign's groups from being sent, each in one sentence."""
    roles = campaign.columns
    if not (roles.group or roles.recipients):
        return

    if roles.group and roles.recipients:
        yield (
            "[columns] has group and recipients: rows make a group, or the cell of a row does; "
            "write one of them"
        )

    if roles.recipients and roles.phone != (roles.recipients,):
        yield "[columns] recipients names the column of the phone numbers: take phone out"

    if roles.recipients and campaign.all_numbers:
        yield "all_numbers is for messages of their own, [columns] recipients for one: take one out"

    for sender in campaign.senders:
        if not sender.startswith("+"):
            yield (
                f"from: a group message comes from a phone number such as +19195550123, and not "
                f"from '{sender}'"
            )
