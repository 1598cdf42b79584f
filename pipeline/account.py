"""Whose account sends: the environment becomes an account, with every missing variable named.

The environment is an argument; secrets are `SecretStr` and print as stars.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline.errors import CredentialsError, SettingsError

PRODUCTION_URL = "https://messaging.bandwidth.com/api/v2"
PRODUCTION_TOKEN_URL = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105 - an address

#: What the provider shows to our receiver: set for an application's callbacks (CallbackCreds).
CALLBACK_USERNAME = "BW_CALLBACK_USERNAME"
CALLBACK_PASSWORD = "BW_CALLBACK_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """OAuth2 client credentials (RFC 6749 section 4.4): the way Bandwidth prefers."""

    client_id: str
    client_secret: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicCredentials:
    """User name and password (RFC 7617); Bandwidth removes them on 2026-12-02."""

    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose account sends, and where its API listens."""

    account_id: str
    application_id: str
    credentials: ClientCredentials | BasicCredentials
    #: Base address, without a slash at its end; plain http only for loopback.
    messaging_url: str = PRODUCTION_URL
    token_url: str = PRODUCTION_TOKEN_URL


def load_account(environ: Mapping[str, str], *, sends: bool = True) -> Account:
    """Read account and credentials from the environment.

    Args:
        environ: The environment.
        sends: Without it no application is needed: only messages belong to one.

    Raises:
        CredentialsError: something is not set; names every variable that is missing.
        SettingsError: an address is not https (plain http is for loopback only).
    """
    needed = ("BW_ACCOUNT_ID", "BW_APPLICATION_ID") if sends else ("BW_ACCOUNT_ID",)
    missing = [name for name in needed if not environ.get(name)]
    credentials = _credentials(environ)
    if credentials is None:
        missing.append("BW_CLIENT_ID with BW_CLIENT_SECRET (or BW_USERNAME with BW_PASSWORD)")

    if missing or credentials is None:
        raise CredentialsError(
            f"no credentials to send with: set {', '.join(missing)}; "
            "or try without an account: --simulate"
            if sends
            else f"no credentials to ask Bandwidth with: set {', '.join(missing)}"
        )

    urls = {
        "BW_MESSAGING_URL": environ.get("BW_MESSAGING_URL") or PRODUCTION_URL,
        "BW_TOKEN_URL": environ.get("BW_TOKEN_URL") or PRODUCTION_TOKEN_URL,
    }
    if problems := [f"{name}: {why}" for name, url in urls.items() if (why := _url_problem(url))]:
        raise SettingsError(problems)

    return Account(
        account_id=environ["BW_ACCOUNT_ID"],
        application_id=environ.get("BW_APPLICATION_ID", ""),
        credentials=credentials,
        messaging_url=urls["BW_MESSAGING_URL"].rstrip("/"),
        token_url=urls["BW_TOKEN_URL"],
    )


def load_callback_credentials(environ: Mapping[str, str]) -> BasicCredentials | None:
    """Read what the provider has to show when it posts a callback; None where nothing is set.

    Raises:
        CredentialsError: one of the two is missing, or they cannot be what RFC 7617 allows.
    """
    username, password = environ.get(CALLBACK_USERNAME), environ.get(CALLBACK_PASSWORD)
    if not username and not password:
        return None

    if not username or not password:
        missing = CALLBACK_PASSWORD if username else CALLBACK_USERNAME
        raise CredentialsError(f"{missing} is not set: set both, as in the application's settings")

    if ":" in username:
        raise CredentialsError(f"{CALLBACK_USERNAME} holds a colon, which no user name may")

    return BasicCredentials(username=username, password=SecretStr(password))


def _credentials(environ: Mapping[str, str]) -> ClientCredentials | BasicCredentials | None:
    if environ.get("BW_CLIENT_ID") and environ.get("BW_CLIENT_SECRET"):
        return ClientCredentials(
            client_id=environ["BW_CLIENT_ID"], client_secret=SecretStr(environ["BW_CLIENT_SECRET"])
        )

    if environ.get("BW_USERNAME") and environ.get("BW_PASSWORD"):
        return BasicCredentials(
            username=environ["BW_USERNAME"], password=SecretStr(environ["BW_PASSWORD"])
        )

    return None


def _url_problem(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return None

    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return None

    shown = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "this address"
    return f"{shown} is refused: write https:// (plain http is only for this machine itself)"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
