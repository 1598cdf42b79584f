"""The nouns of bandcast: what a message is, what became of an attempt, what a receipt says.

Standard library only, and no behaviour beyond spelling a tag: this page is the glossary in code.

    Recipient -> Message -> Attempt -> Outcome -> Receipt
    (a row)     (one text)  (one POST)  (answer)   (callback)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.members import USUAL_MEMBERS, Member

MICROS_PER_UNIT = 1_000_000  #: money inside frames and the journal is an integer of millionths
MEDIA_SCHEME = "media:"  #: begins the name of a local picture that is to be uploaded
MOST_MEDIA = 10  #: pictures of one message (API reference, create message)
EXAMPLE_ROWS = 5  #: how many rows a finding names


class Encoding(StrEnum):
    """How a text travels over the air (3GPP TS 23.038)."""

    GSM7 = "GSM-7"  #: 7-bit default alphabet with its extension table: 160, or 153 septets a part
    UCS2 = "UCS-2"  #: UTF-16 code units: 70, or 67 a part


class Channel(StrEnum):
    """The kind of message the provider is asked to send."""

    SMS = "sms"
    MMS = "mms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of the recipient file play a part; None is found by its name, or not used."""

    #: Columns with phone numbers, the preferred first; empty is the one that is named like it.
    phone: tuple[str, ...] = ()
    #: Tells several messages to one recipient apart; a column named ``key`` is used unasked.
    key: str | None = None
    #: A row's own sender, where the cell is not blank.
    sender: str | None = None
    #: A row's whole text, where the cell is not blank.
    text: str | None = None
    #: Addresses or paths of a row's own pictures, with blanks between, where the cell is not blank.
    media: str | None = None
    #: A row's ISO 3166 code: how its number is read, where the cell is not blank.
    region: str | None = None
    #: The name of the recipient's carrier, for its surcharge, where the cell is not blank.
    carrier: str | None = None
    #: Rows that have the same here, where the cell is not blank, get one message together.
    group: str | None = None
    #: Lists everybody who gets the row's message together; then it is the only phone column.
    recipients: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One of several texts that share a campaign; a recipient always gets the same one."""

    #: Shown in the column ``variant``.
    name: str
    template: str
    #: Its part of the recipients, in proportion to the others'.
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What is said, to which file of recipients, from which numbers."""

    #: Names the campaign in the journal, for ever: letters, digits, `-`, `_` and `.`.
    name: str
    #: Our numbers, short codes or alphanumeric senders; a recipient always gets the same one.
    senders: tuple[str, ...]
    #: Text with ``{column}``, ``{column|default}`` and ``{?column}...{/}``; ``{{`` and ``}}`` are
    #: braces. May be empty where `Columns.text` or `variants` say what is written.
    template: str
    #: None leaves it to the price: each message is what costs less.
    channel: Channel | None = Channel.SMS
    #: Addresses, or paths of local files, of pictures sent with every MMS.
    media: tuple[str, ...] = ()
    #: ISO 3166 code: how numbers without a country code are read.
    region: str = "US"
    columns: Columns = Columns()
    #: Each valid number of a cell that holds several gets a row of its own, instead of the first.
    all_numbers: bool = False
    #: The most recipients of one group message.
    group_limit: int = USUAL_MEMBERS
    #: Where there are some, `template` is not used.
    variants: tuple[Variant, ...] = ()
    #: Campaigns whose recipients are left out.
    exclude: tuple[str, ...] = ()
    #: Whoever was texted by another campaign in the last so many days is left out; 0 is nobody.
    frequency_days: int = 0
    #: Characters that look like GSM-7 ones are replaced where that makes the text GSM-7.
    smart: bool = False
    #: Letters lose accents that GSM-7 does not have, where that makes the text GSM-7.
    smart_accents: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text to one recipient or one group, ready to send."""

    #: 1-based data row of the recipient file.
    row: int
    #: Digest of campaign, recipient and the user's key column: unique in a campaign.
    key: str
    #: Recipients in E.164; more than one is a group message.
    to: tuple[str, ...]
    #: Of a group each recipient, in the order of `to`, the message's own row first.
    members: tuple[Member, ...] = ()
    #: Our number (E.164), short code or alphanumeric sender.
    sender: str
    #: The rendered text; may be empty for an MMS with media.
    text: str
    channel: Channel = Channel.SMS
    #: What the provider will bill and charge to the rate: 1 for an MMS, for each recipient.
    segments: int
    #: The most it may cost, in millionths of the rate card's currency: what a budget reserves.
    cost_micros: int = 0
    #: Addresses of pictures, or `MEDIA_SCHEME` with the name of one to upload (MMS).
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptId:
    """Names one permission to POST one message once. Travels to the provider and back as a tag."""

    #: The run: an opaque word that `enlist` was given, unique to this campaign in its journal.
    run: str
    row: int
    #: 1 for the first attempt of a message.
    number: int

    @property
    def tag(self) -> str:
        """Return ``run.row.number``: opaque, with no phone number in it."""
        return f"{self.run}.{self.row}.{self.number}"

    @classmethod
    def from_tag(cls, tag: str | None) -> AttemptId | None:
        """Read a tag back; None where it is not one of ours."""
        match (tag or "").split("."):
            case [str() as run, row, number] if (
                run and _is_ascii_digits(row) and _is_ascii_digits(number)
            ):
                return cls(run=run, row=int(row), number=int(number))

        return None


def _is_ascii_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18  # what an SQL integer holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How urgent messages are, and how long they are of use; said with every POST."""

    #: Ahead of the account's other messages in the provider's queue, for senders that may be.
    is_urgent: bool = False
    #: What waits in the provider's queue so long after its POST, or at that moment, fails unbilled.
    expires_after: timedelta | datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took the message: 202 with an id."""

    message_id: str
    #: The provider's own segmentCount.
    segments_billed: int | None = None
    http_status: int = 202


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The provider refused this very message. Final, not billed."""

    http_status: int
    #: The provider's `type`, for example ``request-validation``.
    error_code: str | None = None
    #: The provider's sentence. May name a number: never logged.
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Proof that the provider did not take it. The only outcome that may be tried again."""

    #: A short cause without personal data: ``connect refused``, ``429 queue full``.
    reason: str
    http_status: int | None = None
    #: How long the provider asked us to wait, in seconds.
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """Not sent, and no other message would be: credentials, permission or address are wrong."""

    reason: str
    http_status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Nobody can know whether the provider took it. Never sent again without evidence."""

    reason: str
    http_status: int | None = None


Outcome = Accepted | Rejected | NotSent | Halted | InDoubt


class ReceiptKind(StrEnum):
    """The `type` of a status callback (Bandwidth webhooks page)."""

    SENDING = "message-sending"  #: MMS only: on its way to the carrier
    SENT = "message-sent"  #: handed to the carrier
    DELIVERED = "message-delivered"
    FAILED = "message-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A status callback about a message of ours, normalised."""

    kind: ReceiptKind
    message_id: str
    #: The recipient it speaks of (E.164).
    to: str
    #: When the event happened, by the provider's clock (aware, UTC).
    time: datetime
    #: Our tag, where the provider returned one.
    tag: str | None = None
    #: Bandwidth's code for a failure (4xxx client, 5xxx server, 9xxx unknown).
    error_code: int | None = None
    description: str = ""
    carrier: str | None = None
    segments_billed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message that somebody sent to one of our numbers (`message-received`)."""

    message_id: str
    #: Our number.
    to: str
    sender: str
    text: str
    time: datetime
    media: tuple[str, ...] = ()


class Wish(StrEnum):
    """What somebody asks for with a message that is one word."""

    STOP = "stop"  #: no more texts
    START = "start"  #: texts again
    HELP = "help"  #: who is this?


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How the recipient files are written, where the user says so; None is found out."""

    #: A text encoding by Python's name for it.
    encoding: str | None = None
    #: One character between the cells of a text file.
    delimiter: str | None = None
    #: Whether the first line names the columns.
    header: bool | None = None
    #: The sheet of a workbook, by its name.
    sheet: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a recipient file that its owner should know before anything is sent."""

    #: A short name for machines: ``encoding``, ``short_rows``, ``duplicate_columns``.
    code: str
    #: For people; holds no phone number and no text.
    sentence: str
    #: How many rows, cells or columns it concerns.
    count: int
    #: Up to `EXAMPLE_ROWS` examples: 1-based data rows.
    rows: tuple[int, ...] = ()
    #: Something was mended or left out, which ``--strict`` refuses; False is for information.
    is_repair: bool = False
