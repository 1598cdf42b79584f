"""What campaign.toml may say: its sections and keys, each value checked by itself."""

from __future__ import annotations

import codecs
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.members import MOST_MEMBERS, USUAL_MEMBERS
from pipeline.model import MOST_MEDIA
from pipeline.spelling import counted

#: What a new Bandwidth account may send (support article 360014169214).
DEFAULT_RATE_SEGMENTS_PER_SECOND = 1.0

#: What the provider takes of one file (support article 12823216).
DEFAULT_MEDIA_BYTES = 3_500_000

#: What each key holds, for the sentence about one that does not.
EXPECTED = {
    "campaign": "a section: write [campaign] on a line of its own",
    "sending": "a section: write [sending] on a line of its own",
    "rates": "a section: write [rates] on a line of its own",
    "file": "a section: write [file] on a line of its own",
    "name": "up to 100 letters, digits, '-', '_' and '.', the first of them a letter or digit",
    "recipients": "the path of a recipient file, in quotes, or a list of them",
    "from": 'a list of senders, such as ["+19195550123"]',
    "template": "a text in quotes, and not blank",
    "channel": '"sms", "mms" or "auto"',
    "media": 'a list of addresses or files, such as ["https://example.com/a.png", "logo.png"]',
    "shrink": "true or false",
    "max_bytes": "a whole number of bytes from 1000 to 100000000",
    "region": 'a country code of two capital letters, such as "US"',
    "rate": "a number of segments per second above 0, at most 10000",
    "budget": "an amount above 0 in the rate card's currency, such as 500.00",
    "daily_budget": "an amount above 0 in the rate card's currency, such as 200.00",
    "card": "the path of a rate card, in quotes",
    "priority": '"default" or "high"',
    "expires_after": "minutes above 0, at most 20160, or a moment such as 2026-11-24T18:00:00Z",
    "carriers": "the path of a table of carriers, in quotes",
    "carrier": "the name of a column, in quotes",
    "encoding": 'the name of an encoding, such as "cp1252"',
    "delimiter": 'one character, such as ";", or "tab"',
    "header": "true or false",
    "sheet": "the name of a sheet, in quotes",
    "columns": "a section: write [columns] on a line of its own",
    "variants": "sections: write [[variants]] above each",
    "suppression": "a section: write [suppression] on a line of its own",
    "frequency": "a section: write [frequency] on a line of its own",
    "phone": "the name of a column in quotes, or a list of them, the preferred first",
    "all_numbers": "true or false",
    "group": "the name of a column, in quotes",
    "group_limit": f"a whole number from 2 to {MOST_MEMBERS}",
    "exclude": 'a list of campaigns, such as ["spring-sale"]',
    "smart": "true or false; smart_accents = true is for letters",
    "smart_accents": "true or false",
    "key": "the name of a column, in quotes",
    "text": "the name of a column, in quotes",
    "weight": "a whole number from 1 to 1000000",
    "files": "the path of a file in quotes, or a list of them",
    "days": "a whole number of days from 0 to 3650",
    "settling": "a section: write [settling] on a line of its own",
    "seconds": "a list of up to 20 numbers of seconds from 0 to 86400, such as [30, 120, 600]",
    "receipt_hours": "a number of hours above 0, at most 720",
    "callback_hours": "a number of hours from 0 to 720",
}

_MOST_MINUTES = 14 * 24 * 60

_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 \-+_&]{1,11}")


def _senders(senders: tuple[str, ...]) -> tuple[str, ...]:
    if not senders:
        raise ValueError("name at least one sender")

    for sender in senders:
        if not _SENDER.fullmatch(sender):
            raise ValueError(
                f"'{sender}' is no sender: write a number as +19195550123, a short code of 5 or 6 "
                "digits, or a name of up to 11 letters and digits"
            )

    return senders


def _as_list(recipients: object) -> object:
    return [recipients] if isinstance(recipients, str) else recipients


def _some(recipients: tuple[str, ...]) -> tuple[str, ...]:
    if not recipients:
        raise ValueError("name at least one file")

    return recipients


def _few_pictures(media: tuple[str, ...]) -> tuple[str, ...]:
    if len(media) > MOST_MEDIA:
        raise ValueError(
            f"{counted(len(media), 'picture')}; the provider takes at most {MOST_MEDIA}"
        )

    return media


def _text_encoding(encoding: str) -> str:
    try:
        is_text = codecs.lookup(encoding)._is_text_encoding  # noqa: SLF001 - nothing else tells
    except (LookupError, ValueError):
        is_text = False

    if not is_text:
        raise ValueError(f"nobody knows an encoding '{encoding}'; write one such as cp1252")

    return encoding


def _one_character(delimiter: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if (
        len(delimiter) != 1
        or delimiter in '"\r\n\0'
        or not (delimiter.isprintable() or delimiter == "\t")
    ):
        raise ValueError("write one character, or tab")

    return delimiter


def _expiry(after: object) -> object:
    """Read minutes or a moment; what is neither is refused with what `EXPECTED` says."""
    if isinstance(after, int | float) and not isinstance(after, bool):
        if 0 < after <= _MOST_MINUTES:
            return timedelta(minutes=after)

    elif (moment := _moment(after)) is not None:
        return moment

    raise ValueError(f"write {EXPECTED['expires_after']}")


def _moment(written: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else written
    except ValueError:
        return None

    return moment if isinstance(moment, datetime) and moment.tzinfo else None


#: What people will read; more than blanks.
Template = Annotated[str, Field(pattern=r"\S")]
#: Money in the rate card's currency.
Amount = Annotated[Decimal, Field(gt=0, le=1_000_000_000, decimal_places=6)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)


class CampaignSection(_Section):
    """What is said, to whom, from whom."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    recipients: Annotated[tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_some)]
    senders: Annotated[tuple[str, ...], AfterValidator(_senders), Field(alias="from")]
    template: Template | None  # None where `variants` or a column of texts say what is written
    channel: Literal["sms", "mms", "auto"] = "sms"
    media: Annotated[tuple[str, ...], AfterValidator(_few_pictures)] = ()
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "US"
    phone: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    all_numbers: Annotated[bool, Field(strict=True)] = False
    group_limit: Annotated[int, Field(ge=2, le=MOST_MEMBERS, strict=True)] = USUAL_MEMBERS
    exclude: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    smart: Annotated[bool, Field(strict=True)] = False
    smart_accents: Annotated[bool, Field(strict=True)] = False


class ColumnsSection(_Section):
    """Columns of the recipient file that say something about their row."""

    key: str | None = None
    sender: Annotated[str | None, Field(alias="from")] = None
    text: str | None = None
    media: str | None = None
    region: str | None = None
    carrier: str | None = None
    group: str | None = None
    recipients: str | None = None


class VariantSection(_Section):
    """One of several texts."""

    name: Annotated[str, Field(max_length=100)]
    template: Template
    weight: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1


class SuppressionSection(_Section):
    """Lists of numbers that get no texts, besides the journal's own."""

    files: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()


class FrequencySection(_Section):
    """How often anybody may be texted."""

    days: Annotated[int, Field(ge=0, le=3_650, strict=True)] = 0


class SendingSection(_Section):
    """How it is sent, and for how much at most."""

    rate: Annotated[float, Field(gt=0, le=10_000, strict=True)] = DEFAULT_RATE_SEGMENTS_PER_SECOND
    budget: Amount | None = None
    daily_budget: Amount | None = None
    priority: Literal["default", "high"] = "default"
    expires_after: Annotated[timedelta | datetime | None, BeforeValidator(_expiry)] = None


class SettlingSection(_Section):
    """How long evidence is waited for."""

    #: When the listing is asked about doubts, after the last of their attempts was begun.
    seconds: Annotated[
        tuple[Annotated[float, Field(ge=0, le=86_400, strict=True)], ...], Field(max_length=20)
    ] = (30.0, 120.0, 600.0)
    #: How long a carrier may take to confirm, and how long a callback is repeated after that.
    receipt_hours: Annotated[float, Field(gt=0, le=720, strict=True)] = 73.0
    callback_hours: Annotated[float, Field(ge=0, le=720, strict=True)] = 24.0

    @property
    def silence(self) -> timedelta:
        """After how long an accepted message without a receipt is unconfirmed."""
        return timedelta(hours=self.receipt_hours + self.callback_hours)


class MediaSection(_Section):
    """Pictures from local files."""

    shrink: Annotated[bool, Field(strict=True)] = False
    max_bytes: Annotated[int, Field(ge=1_000, le=100_000_000, strict=True)] = DEFAULT_MEDIA_BYTES


class FileSection(_Section):
    """How the recipient files are written; what is missing is found out."""

    encoding: Annotated[str, AfterValidator(_text_encoding)] | None = None
    delimiter: Annotated[str, AfterValidator(_one_character)] | None = None
    header: Annotated[bool | None, Field(strict=True)] = None
    sheet: str | None = None


class RatesSection(_Section):
    """What it costs."""

    card: str | None = None
    carriers: str | None = None


class Document(_Section):
    """A campaign.toml."""

    campaign: CampaignSection
    sending: SendingSection = SendingSection()
    rates: RatesSection = RatesSection()
    columns: ColumnsSection = ColumnsSection()
    variants: tuple[VariantSection, ...] = ()
    suppression: SuppressionSection = SuppressionSection()
    frequency: FrequencySection = FrequencySection()
    media: MediaSection = MediaSection()
    settling: SettlingSection = SettlingSection()
    file: FileSection = FileSection()
