"""Whose account a command sends with: the environment's, or that of a named profile."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from pipeline.account import Account, load_account
from pipeline.errors import CredentialsError
from pipeline.profiles import KEYRING_SERVICE, SECRET, read_profile, with_profile

Profile = Annotated[
    str | None,
    typer.Option("--profile", help="The account of this name in the file of profiles."),
]

_DEFAULT_CONFIG = ".config/bandcast/profiles.toml"


def account_of(profile: str | None, *, sends: bool = True) -> Account:
    """Return the account of a profile, of `BANDCAST_PROFILE`, or of the environment alone.

    Without `sends` it needs no application.

    Raises:
        CredentialsError: something is missing; says what.
        SettingsError: the file of profiles cannot be used, or an address is not https.
    """
    name = profile or os.environ.get("BANDCAST_PROFILE")
    if not name:
        return load_account(os.environ, sends=sends)

    path = os.environ.get("BANDCAST_CONFIG") or Path.home() / _DEFAULT_CONFIG
    found = read_profile(Path(path), name)
    return load_account(with_profile(os.environ, found, secret_of=_from_keyring), sends=sends)


def _from_keyring(profile: str) -> str:
    """Return the client secret that the system's keyring has for a profile."""
    missing = f"profile '{profile}' has no secret: set {SECRET}, or"
    try:
        keyring, errors = import_module("keyring"), import_module("keyring.errors")
    except ModuleNotFoundError:
        raise CredentialsError(
            f"{missing} keep it in the system's keyring: pip install 'bandcast[keyring]', "
            f"then: keyring set {KEYRING_SERVICE} {profile}"
        ) from None

    try:
        secret = keyring.get_password(KEYRING_SERVICE, profile)
    except errors.KeyringError as error:
        raise CredentialsError(
            f"{missing} unlock the system's keyring, which cannot be read ({type(error).__name__})"
        ) from None

    if not secret:
        raise CredentialsError(f"{missing} run: keyring set {KEYRING_SERVICE} {profile}")

    return str(secret)
