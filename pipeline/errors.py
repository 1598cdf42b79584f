"""Every error bandcast raises on purpose, each with the exit code it ends a command with.

    BandcastError (1)
    ├── UsageError (2)             what the user wrote or gave cannot be used
    │   ├── InputError             a recipient file: file, row, column
    │   ├── SettingsError          campaign.toml, options, environment: every problem at once
    │   ├── TemplateError          a placeholder nobody can fill
    │   ├── RateCardError          a price that is not on the card
    │   └── PlanMismatch           the campaign exists, with another plan
    ├── CredentialsError (4)       the provider does not know us, or does not allow it
    ├── CampaignHeld (7)           another run holds this campaign
    ├── NotNow (5)                 the campaign is paused, or its time is over
    └── JournalError (1)           the truth cannot be written or read
        ├── NotAJournal (2)        the file that was named is something else
        ├── Fenced                 somebody else has this shard now
        └── InvalidTransition      the lifecycle does not allow this

The message of each is one sentence for people that says what to do. Expected ends of one message
are not errors but outcomes (`model.Outcome`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

#: Asks about a first line that does not fit those below.
TITLE_HINT = "or is the first line a title? Delete what is above the names of the columns"


class BandcastError(Exception):
    """Root of the tree. `exit_code` is what the process ends with."""

    exit_code = 1


class UsageError(BandcastError):
    """The user's input, settings or options cannot be used; nothing was written."""

    exit_code = 2


class InputError(UsageError):
    """A recipient file that cannot be read: says which file, row and column, where known."""

    def __init__(
        self, sentence: str, *, file: str, row: int | None = None, column: str | None = None
    ) -> None:
        self.file, self.row, self.column = file, row, column
        place = file
        if row is not None:
            place += f", row {row}"

        if column is not None:
            place += f", column '{column}'"

        super().__init__(f"{place}: {sentence}")


class SettingsError(UsageError):
    """Campaign settings that do not hold together; `problems` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class TemplateError(UsageError):
    """A template that cannot be compiled or names a column the file does not have."""


class RateCardError(UsageError):
    """A rate card that cannot be read or lacks a needed price. A missing price is never zero."""


#: What a part of a plan's fingerprint is called where its name alone leads nobody to it.
_IN_WORDS = {"provider": "provider (BW_ACCOUNT_ID or BW_MESSAGING_URL)"}


class PlanMismatch(UsageError):
    """The journal holds this campaign with another plan; `changed` names the parts that differ."""

    def __init__(self, campaign: str, changed: Sequence[str], *, file: str = "") -> None:
        """Say what changed; `file` names the recipients, where that is known."""
        self.campaign, self.changed = campaign, tuple(changed)
        words = _IN_WORDS | ({"recipients": f"recipients ({file})"} if file else {})
        listed = ", ".join(words.get(part, part) for part in changed)
        one = len(self.changed) == 1 and self.changed != ("recipients",)
        has, it = ("has", "it back as it was") if one else ("have", "them back as they were")
        new = "new rows need" if "recipients" in self.changed else "what is new needs"
        another = f"exclude = [{json.dumps(campaign, ensure_ascii=False)}]"
        super().__init__(
            f"campaign '{campaign}' has begun, and its {listed} {has} changed since: put {it}; "
            f"{new} a campaign of another name, with {another} (without that it texts everybody "
            "in the file, also those who have the text; `bandcast status` counts them)"
        )


class CredentialsError(BandcastError):
    """The provider refused our credentials or permission, or none were given."""

    exit_code = 4


class CampaignHeld(BandcastError):
    """Another process is running this campaign."""

    exit_code = 7


class NotNow(BandcastError):
    """The campaign is not to be sent at this moment; nobody was texted."""

    exit_code = 5


class JournalError(BandcastError):
    """The journal cannot be opened, written or read. Nothing is sent that it cannot record."""


class NotAJournal(JournalError):
    """The file that was named as the journal is none; it was left alone."""

    exit_code = 2


class Fenced(JournalError):
    """The shard was taken by somebody else: its token moved on. Send nothing more from it."""


class InvalidTransition(JournalError):
    """The lifecycle has no such step: a defect of ours, never the user's fault."""
