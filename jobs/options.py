"""The options that several commands share, and the settings they come to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.barring import Bars, BarsOf, bars_of, find_bars
from pipeline.errors import SettingsError
from pipeline.journal.opening import find_journal, find_path
from pipeline.sections import CampaignSection
from pipeline.settings import Options, Settings, load_settings, read_toml

CampaignFile = Annotated[
    Path,
    typer.Argument(
        metavar="CAMPAIGN",
        help="A campaign.toml, or a recipient file together with --template and --from.",
        show_default=False,
    ),
]
Template = Annotated[
    str | None, typer.Option("--template", help="The text, with {column} and {column|default}.")
]
Senders = Annotated[
    list[str] | None,
    typer.Option("--from", help="Our number, short code or name; repeat it for several."),
]
Name = Annotated[
    str | None, typer.Option("--name", help="Name of the campaign (default: of the file).")
]
Rate = Annotated[
    float | None, typer.Option("--rate", help="Segments per second that the account may send.")
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", help="The most the campaign may cost, in the rate card's currency."),
]
Card = Annotated[
    Path | None,
    typer.Option("--rates", help="Rate card (default: the campaign's, or list prices)."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for plan and results (default: out/<campaign>)."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse a file that would have to be repaired.")
]
Smart = Annotated[
    bool | None,
    typer.Option(
        "--smart/--no-smart",
        help="Replace quotes, dashes, spaces ... that only look like GSM-7 ones.",
        show_default=False,
    ),
]
SmartAccents = Annotated[
    bool | None,
    typer.Option(
        "--smart-accents/--no-smart-accents",
        help="Take accents off letters where GSM-7 does not have them.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]

_SQLITE = "sqlite:///"
DEFAULT_JOURNAL = "bandcast.db"


def settings_from(
    campaign: Path,
    *,
    template: str | None,
    senders: list[str] | None,
    name: str | None,
    rate: float | None,
    budget: str | None = None,
    card: Path | None,
    strict: bool = False,
    smart: bool | None = None,
    smart_accents: bool | None = None,
) -> Settings:
    """Read the campaign with what the command line says about it.

    Raises:
        SettingsError: with every problem at once.
    """
    options = Options(
        name=name,
        template=template,
        senders=tuple(senders) if senders else None,
        rate_segments_per_second=rate,
        budget=budget,
        card=card,
        strict=strict,
        smart=smart,
        smart_accents=smart_accents,
    )
    return load_settings(campaign, options)


def out_folder(out: Path | None, settings: Settings) -> Path:
    """Return where plan and results of the campaign go."""
    return out or usual_folder(settings.campaign.name)


def usual_folder(campaign: str) -> Path:
    """Return where plan and results of a campaign go that names no other place."""
    return Path("out") / campaign


def journal_url(campaign: Path | None = None) -> str:
    """Return the journal that the environment names, or the one beside the campaign's file.

    Beside the file and not in the current folder: the same command from another folder would else
    find an empty journal, and text everybody again.

    Raises:
        SettingsError: a real run cannot keep its promise with it.
    """
    folder = campaign.parent if campaign else Path()
    url = os.environ.get("BANDCAST_JOURNAL") or f"{_SQLITE}{folder.absolute() / DEFAULT_JOURNAL}"
    if not url.startswith(_SQLITE) or url == _SQLITE:
        forms = f"{_SQLITE}relative.db or {_SQLITE}/absolute/path.db"
        raise SettingsError([f"BANDCAST_JOURNAL must be {forms}: a file that outlives the run"])

    folder = Path(url.removeprefix(_SQLITE)).parent
    if not folder.is_dir():
        raise SettingsError([f"BANDCAST_JOURNAL: there is no directory '{folder}': make it first"])

    return url


def region_of(campaign: Path | None) -> str:
    """Return how a campaign reads numbers without a country code, however unfinished it is.

    Args:
        campaign: a campaign.toml; for another file, as for None, it is the default.

    Raises:
        SettingsError: the file is not TOML.
    """
    is_toml = campaign is not None and campaign.suffix.lower() == ".toml"
    section = read_toml(campaign).get("campaign") if campaign and is_toml else None
    region = section.get("region") if isinstance(section, dict) else None
    usual = str(CampaignSection.model_fields["region"].default)
    return region if isinstance(region, str) else usual


def sending_url(campaign: Path) -> str:
    """Return the journal of a campaign that is to be sent, or that would be.

    Raises:
        SettingsError: as `journal_url`; or the current folder has a journal with a suppression
            list, and it is another one: somebody on that list would be texted.
    """
    url, here = journal_url(campaign), Path(DEFAULT_JOURNAL).absolute()
    ours = find_path(url)
    if os.environ.get("BANDCAST_JOURNAL") or ours.resolve() == here.resolve() or not here.exists():
        return url

    journal = find_journal(f"{_SQLITE}{here}")
    assert journal is not None  # it exists
    with closing(journal):
        if next(journal.suppressions(), None):
            sentence = (
                f"there is a suppression list in {here}, which the campaign's own journal {ours} "
                "does not have: say with BANDCAST_JOURNAL which of them counts"
            )
            raise SettingsError([sentence])

    return url


def bars_by(settings: Settings, url: str, *, now: datetime) -> BarsOf:
    """Return what says whom a plan of the campaign leaves out, by the journal at an address."""

    def found(fingerprint: Mapping[str, str]) -> Bars:
        journal = find_journal(url)
        if journal is None:
            return find_bars(settings, None, now=now)

        with closing(journal):
            return bars_of(settings, journal, fingerprint, now=now)

    return found
