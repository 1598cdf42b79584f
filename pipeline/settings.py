"""What the user decided: campaign.toml and options become frozen settings.

Every problem is found before anything is raised, and raised at once.
"""

from __future__ import annotations

import difflib
import glob
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import SettingsError
from pipeline.grouping import group_problems
from pipeline.model import Campaign, Channel, Columns, Delivery, FileFormat, Variant
from pipeline.sections import (
    DEFAULT_MEDIA_BYTES,
    DEFAULT_RATE_SEGMENTS_PER_SECOND,
    EXPECTED,
    Document,
    SettlingSection,
)

_OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in ("name", "template", "from", "rate", "smart", "smart_accents", "budget")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A campaign and how to send it, complete and checked."""

    campaign: Campaign
    #: Paths, patterns or addresses of the recipient files; their rows follow each other.
    recipients: tuple[str, ...]
    #: What the user says about how these files are written.
    file_format: FileFormat = field(default_factory=FileFormat)
    #: Refuse a file that would have to be repaired.
    strict: bool = False
    #: Files of numbers that get no texts.
    suppression: tuple[Path, ...] = ()
    #: The account's contract, in segments per second.
    rate_segments_per_second: float = DEFAULT_RATE_SEGMENTS_PER_SECOND
    #: The most that the campaign may cost, in the rate card's currency; None is no limit.
    budget: Decimal | None = None
    #: The most that the account may spend on one UTC day, by all its campaigns in this journal.
    daily_budget: Decimal | None = None
    #: What relative paths of pictures are relative to.
    folder: Path = Path()
    #: Of one local picture, as uploaded.
    most_media_bytes: int = DEFAULT_MEDIA_BYTES
    #: Make JPEG and PNG files that are too big fit.
    shrink_media: bool = False
    #: Priority and expiration.
    delivery: Delivery = field(default_factory=Delivery)
    #: How long evidence is waited for.
    settling: SettlingSection = field(default_factory=SettlingSection)
    #: The rate card; None is the built-in card of list prices.
    card: Path | None = None
    #: A table of prefixes or numbers with their carriers.
    carriers: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says about the campaign; None leaves campaign.toml as it is."""

    name: str | None = None
    template: str | None = None
    senders: tuple[str, ...] | None = None
    rate_segments_per_second: float | None = None
    #: As it was written.
    budget: str | None = None
    card: Path | None = None
    strict: bool = False
    smart: bool | None = None
    smart_accents: bool | None = None


def load_settings(path: Path, options: Options, *, needs_files: bool = True) -> Settings:
    """Read a campaign.toml, or take a recipient file with the rest from `options`.

    Files that the campaign names must be there, unless nobody is going to read them.

    Raises:
        SettingsError: with every problem there is, each one sentence.
    """
    if not exists(path):
        sentence = f"{path}: there is no such file; give a campaign.toml or a recipient file"
        raise SettingsError([sentence])

    is_toml = path.suffix.lower() == ".toml"
    document = read_toml(path) if is_toml else _document_of(path)
    said = _apply(options, document)
    _allow_other_texts(document)
    label = path.name if is_toml else None
    try:
        checked = Document.model_validate(document)
    except ValidationError as error:
        raise SettingsError([_sentence(label, said, part) for part in error.errors()]) from None

    base = path.parent if is_toml else Path()
    settings = _settings(checked, base, options)
    missing = _missing_files(settings) if needs_files else ()
    if problems := [f"{path.name}: {each}" for each in (*missing, *_problems(settings.campaign))]:
        raise SettingsError(problems)

    return settings


def exists(path: Path) -> bool:
    """Tell whether there is such a file or directory, as far as we may look."""
    try:
        return path.exists()
    except OSError:  # a name too long, or a directory that is closed to us
        return False


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file as it stands; raises SettingsError where it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError([f"{path}: the file cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: the text is not UTF-8; save the file as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: not valid TOML: {error}"]) from None


def _document_of(recipients: Path) -> dict[str, Any]:
    name = (
        re.sub(r"[^A-Za-z0-9._-]+", "-", recipients.name.split(".")[0]).strip("-._") or "campaign"
    )
    return {"campaign": {"name": name, "recipients": str(recipients)}}


def _apply(options: Options, document: dict[str, Any]) -> set[str]:
    """Put what the options say into the document; return the keys that they said."""
    said = {
        ("campaign", "name"): options.name,
        ("campaign", "template"): options.template,
        ("campaign", "from"): options.senders,
        ("campaign", "smart"): options.smart,
        ("campaign", "smart_accents"): options.smart_accents,
        ("sending", "rate"): options.rate_segments_per_second,
        ("sending", "budget"): options.budget,
    }
    for (section, key), value in said.items():
        table = document.setdefault(section, {})
        if value is not None and isinstance(table, dict):
            table[key] = value

    return {key for (_, key), value in said.items() if value is not None}


def _allow_other_texts(document: dict[str, Any]) -> None:
    campaign, columns = document.get("campaign"), document.get("columns")
    has_own_text = isinstance(columns, dict) and columns.get("text")
    if isinstance(campaign, dict) and (has_own_text or document.get("variants")):
        campaign.setdefault("template", None)


def _settings(checked: Document, base: Path, options: Options) -> Settings:
    part, listed = checked.campaign, checked.columns.recipients
    card = options.card or (base / checked.rates.card if checked.rates.card else None)
    return Settings(
        campaign=Campaign(
            name=part.name,
            senders=part.senders,
            template=part.template or "",
            channel=None if part.channel == "auto" else Channel(part.channel),
            media=part.media,
            region=part.region,
            columns=Columns(
                phone=part.phone or ((listed,) if listed else ()), **checked.columns.model_dump()
            ),
            all_numbers=part.all_numbers,
            group_limit=part.group_limit,
            variants=tuple(Variant(**each.model_dump()) for each in checked.variants),
            exclude=part.exclude,
            frequency_days=checked.frequency.days,
            smart=part.smart,
            smart_accents=part.smart_accents,
        ),
        recipients=tuple(_located(source, base) for source in part.recipients),
        file_format=FileFormat(**checked.file.model_dump()),
        strict=options.strict,
        suppression=tuple(base / file for file in checked.suppression.files),
        rate_segments_per_second=checked.sending.rate,
        budget=checked.sending.budget,
        daily_budget=checked.sending.daily_budget,
        folder=base,
        most_media_bytes=checked.media.max_bytes,
        shrink_media=checked.media.shrink,
        delivery=Delivery(
            is_urgent=checked.sending.priority == "high",
            expires_after=checked.sending.expires_after,
        ),
        settling=checked.settling,
        card=card,
        carriers=base / checked.rates.carriers if checked.rates.carriers else None,
    )


def _located(source: str, base: Path) -> str:
    return source if _is_address(source) else str(base / source)


def _is_address(source: str) -> bool:
    return "://" in source


def _missing_files(settings: Settings) -> Iterator[str]:
    recipients = (each for each in settings.recipients if not _is_address(each))
    named = [
        *(("recipients", Path(each)) for each in recipients if not glob.has_magic(each)),
        *(("[suppression] files", file) for file in settings.suppression),
        ("rate card", settings.card),
        ("[rates] carriers", settings.carriers),
    ]
    for what, file in named:
        if file and (not exists(file) or (file.is_dir() and what != "recipients")):
            yield f"{what}: there is no file '{file}'"


def _problems(campaign: Campaign) -> Iterator[str]:
    yield from _text_problems(campaign)
    yield from group_problems(campaign)
    if campaign.name in campaign.exclude:
        yield "exclude: a campaign cannot leave out its own recipients"

    has_media = campaign.media or campaign.columns.media
    if campaign.channel is Channel.MMS and not has_media:
        yield 'an MMS campaign needs media = ["https://..."]'

    if campaign.channel is None and not has_media:
        yield (
            'channel = "auto" needs media = ["https://..."]: the picture that goes with what is '
            "cheaper as MMS"
        )

    if campaign.channel is Channel.SMS and has_media:
        yield 'media is for MMS: write channel = "mms" or "auto", or take media out'


def _text_problems(campaign: Campaign) -> Iterator[str]:
    if campaign.template and campaign.variants:
        yield "there are a template and [[variants]]: write the template as one of the variants"

    names = [each.name for each in campaign.variants]
    if len(set(names)) < len(names):
        yield "[[variants]]: two of them have one name"


def _sentence(label: str | None, said: set[str], detail: ErrorDetails) -> str:
    """Say what is wrong, by its place in the file `label`, or by its option."""
    section, *keys = (str(part) for part in detail["loc"] if not isinstance(part, int))
    place = [section, *keys[:1]]
    key, where = place[-1], f"[{place[0]}] {place[1]}" if len(place) > 1 else place[0]
    if key in said or (label is None and key in _OPTIONS):
        where = _OPTIONS[key]
    elif label is not None:
        where = f"{label}: {where}"

    match detail["type"]:
        case "extra_forbidden":
            return f"{where} is an unknown key{_nearest(place)}"
        case "missing" if label is None:
            return f"{where} is missing: a recipient file needs --template and --from"
        case "missing":
            hint = f" (or option {_OPTIONS[key]})" if key in _OPTIONS else ""
            return f"{where} is missing{hint}"
        case "value_error":
            return f"{where}: {detail['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{where} must be {EXPECTED.get(key, 'another value')}"


def _nearest(place: list[str]) -> str:
    model: type[BaseModel] = Document
    for part in place[:-1]:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type):
            return ""

        model = field.annotation

    known = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else f"; known here: {', '.join(known)}"
