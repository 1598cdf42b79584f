"""Named accounts in a file without secrets: what a profile says stands for variables.

    [shop]                          # bandcast send campaign.toml --profile shop
    account_id = "9900000"
    application_id = "93de2206-9669-4e07-948d-329f4b722ee2"
    client_id = "..."
    messaging_url = "https://..."   # may be missing, as all others may
    token_url = "https://..."

The secret comes from the environment or from the system's keyring; a file that holds one is
refused.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import SettingsError

#: Key of a profile -> the variable of the environment that it stands for.
VARIABLES = {
    "account_id": "BW_ACCOUNT_ID",
    "application_id": "BW_APPLICATION_ID",
    "client_id": "BW_CLIENT_ID",
    "messaging_url": "BW_MESSAGING_URL",
    "token_url": "BW_TOKEN_URL",
}
_CLIENT_ID, SECRET = "BW_CLIENT_ID", "BW_CLIENT_SECRET"
#: The name of the service under which the keyring has the secret of each profile.
KEYRING_SERVICE = "bandcast"

_SECRET_KEY = re.compile(r"secret|passw|pwd|token(?!_url$)|api_?key|bearer", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named account."""

    name: str
    #: Variable -> value.
    variables: Mapping[str, str]


def read_profile(path: Path, name: str) -> Profile:
    """Read one profile of a file; the whole file is checked.

    Raises:
        SettingsError: with every problem at once: no such file or profile, unknown keys, a secret.
            Values are not repeated.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            [f"profile '{name}': {path} cannot be read: {error.strerror}"]
        ) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path} is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path} is not TOML: {error}"]) from None

    if problems := [f"{path}: {problem}" for problem in _problems(document)]:
        raise SettingsError(problems)

    if name not in document:
        known = ", ".join(document) or "none"
        raise SettingsError([f"{path} has no profile '{name}'; known there: {known}"])

    values = document[name].items()
    return Profile(name=name, variables={VARIABLES[key]: value for key, value in values})


def with_profile(
    environ: Mapping[str, str], profile: Profile, *, secret_of: Callable[[str], str]
) -> dict[str, str]:
    """Return the environment with what a profile says, for `account.load_account`.

    Args:
        environ: the environment; where it has the secret, nobody else is asked.
        profile: which account.
        secret_of: returns the client secret of a profile, or raises a CredentialsError.

    Raises:
        SettingsError: the environment names another account than the profile: neither is guessed.
        CredentialsError: the secret is nowhere.
    """
    differing = [
        variable
        for variable, value in profile.variables.items()
        if environ.get(variable) not in (None, "", value)
    ]
    if differing:
        raise SettingsError(
            [
                f"{variable} is set to something else than profile '{profile.name}' says: "
                "unset it, or send without the profile"
                for variable in differing
            ]
        )

    merged = {**environ, **profile.variables}
    if _CLIENT_ID in profile.variables and not merged.get(SECRET):
        merged[SECRET] = secret_of(profile.name)

    return merged


def _problems(document: Mapping[str, object]) -> Iterator[str]:
    for name, profile in document.items():
        if isinstance(profile, dict):
            for key, value in profile.items():
                if problem := _problem(name, key, value):
                    yield f"[{name}] {problem}"
        elif _SECRET_KEY.search(name):
            yield f"'{name}' {_misplaced('NAME')}"
        else:
            yield f"'{name}' stands outside of a profile: put it below a line [name-of-profile]"


def _problem(name: str, key: str, value: object) -> str | None:
    """Say what is wrong with a key of a profile, None where nothing is."""
    if _SECRET_KEY.search(key):
        return f"'{key}' {_misplaced(name)}"

    if key not in VARIABLES:
        near = difflib.get_close_matches(key, VARIABLES, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(VARIABLES)}"
        return f"'{key}' is an unknown key; {hint}"

    if not isinstance(value, str) or not value:
        return f"'{key}' must be a text in quotation marks"

    return f"'{key}' {_misplaced(name)}" if _holds_password(value) else None


def _misplaced(name: str) -> str:
    return (
        "holds a secret, and no secret belongs in this file: take it out, and set "
        f"{SECRET} in the environment or run: keyring set {KEYRING_SERVICE} {name}"
    )


def _holds_password(value: str) -> bool:
    try:
        return "://" in value and "@" in urlsplit(value).netloc
    except ValueError:
        return False
