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
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import SettingsError
from pipeline.model import Campaign, Channel, Columns, FileFormat, Variant
from pipeline.sections import DEFAULT_RATE_SEGMENTS_PER_SECOND, Document


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
    #: The rate card; None is the built-in card of list prices.
    card: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says about the campaign; None leaves campaign.toml as it is."""

    name: str | None = None
    template: str | None = None
    senders: tuple[str, ...] | None = None
    rate_segments_per_second: float | None = None
    card: Path | None = None
    strict: bool = False


def load_settings(path: Path, options: Options) -> Settings:
    """Read a campaign.toml, or take a recipient file with the rest from `options`.

    Raises:
        SettingsError: with every problem there is, each one sentence.
    """
    is_toml = path.suffix.lower() == ".toml"
    document = _read_toml(path) if is_toml else _document_of(path)
    _apply(options, document)
    _allow_other_texts(document)
    label = path.name if is_toml else "options"
    try:
        checked = Document.model_validate(document)
    except ValidationError as error:
        problems = [_sentence(label, detail) for detail in error.errors()]
        if not path.exists():
            problems.insert(0, f"there is no file '{path}'")

        raise SettingsError(problems) from None

    base = path.parent if is_toml else Path()
    settings = _settings(checked, base, options)
    if problems := list(_problems(label, settings)):
        raise SettingsError(problems)

    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            [f"{path}: there is no such file; give a campaign.toml or a recipient file"]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"{path}: cannot be read as UTF-8 text ({type(error).__name__})"]
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: not valid TOML: {error}"]) from None


def _document_of(recipients: Path) -> dict[str, Any]:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", recipients.name.split(".")[0]).strip("-.") or "campaign"
    return {"campaign": {"name": name, "recipients": str(recipients)}}


def _apply(options: Options, document: dict[str, Any]) -> None:
    said = {
        ("campaign", "name"): options.name,
        ("campaign", "template"): options.template,
        ("campaign", "from"): options.senders,
        ("sending", "rate"): options.rate_segments_per_second,
    }
    for (section, key), value in said.items():
        table = document.setdefault(section, {})
        if value is not None and isinstance(table, dict):
            table[key] = value


def _allow_other_texts(document: dict[str, Any]) -> None:
    campaign, columns = document.get("campaign"), document.get("columns")
    has_own_text = isinstance(columns, dict) and columns.get("text")
    if isinstance(campaign, dict) and (has_own_text or document.get("variants")):
        campaign.setdefault("template", None)


def _settings(checked: Document, base: Path, options: Options) -> Settings:
    part = checked.campaign
    card = options.card or (base / checked.rates.card if checked.rates.card else None)
    return Settings(
        campaign=Campaign(
            name=part.name,
            senders=part.senders,
            template=part.template or "",
            channel=part.channel,
            media=part.media,
            region=part.region,
            columns=Columns(phone=part.phone, **checked.columns.model_dump()),
            variants=tuple(Variant(**each.model_dump()) for each in checked.variants),
            exclude=part.exclude,
            frequency_days=checked.frequency.days,
        ),
        recipients=tuple(_located(source, base) for source in part.recipients),
        file_format=FileFormat(**checked.file.model_dump()),
        strict=options.strict,
        suppression=tuple(base / file for file in checked.suppression.files),
        rate_segments_per_second=checked.sending.rate,
        card=card,
    )


def _located(source: str, base: Path) -> str:
    return source if _is_address(source) else str(base / source)


def _is_address(source: str) -> bool:
    return "://" in source


def _problems(label: str, settings: Settings) -> Iterator[str]:
    campaign = settings.campaign
    for source in settings.recipients:
        if not (_is_address(source) or glob.has_magic(source) or Path(source).exists()):
            yield f"{label}: recipients: there is no file '{source}'"

    for file in settings.suppression:
        if not file.is_file():
            yield f"{label}: [suppression] files: there is no file '{file}'"

    yield from (f"{label}: {problem}" for problem in _text_problems(campaign))
    if campaign.name in campaign.exclude:
        yield f"{label}: exclude: a campaign cannot leave out its own recipients"

    if settings.card and not settings.card.exists():
        yield f"{label}: rate card: there is no file '{settings.card}'"

    has_media = campaign.media or campaign.columns.media
    if campaign.channel is Channel.MMS and not has_media:
        yield f'{label}: an MMS campaign needs media = ["https://..."]'

    if campaign.channel is Channel.SMS and has_media:
        yield f'{label}: media is for MMS: write channel = "mms", or take media out'


def _text_problems(campaign: Campaign) -> Iterator[str]:
    if campaign.template and campaign.variants:
        yield "there are a template and [[variants]]: write the template as one of the variants"

    names = [each.name for each in campaign.variants]
    if len(set(names)) < len(names):
        yield "[[variants]]: two of them have one name"


def _sentence(label: str, detail: ErrorDetails) -> str:
    place = [str(part) for part in detail["loc"] if part != "senders"]
    where = f"[{place[0]}] {'.'.join(place[1:])}".rstrip() if len(place) > 1 else place[0]
    if detail["type"] == "extra_forbidden":
        return f"{label}: {where} is an unknown key{_nearest(place)}"

    if detail["type"] == "missing":
        options = {"template": "--template", "from": "--from"}
        hint = f" (or option {options[place[-1]]})" if place[-1] in options else ""
        return f"{label}: {where} is missing{hint}"

    message = detail["msg"].removeprefix("Value error, ")
    return f"{label}: {where}: {message[0].lower()}{message[1:]}"


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
