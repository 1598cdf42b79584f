"""Media files in memory: overwritten, forgotten after their retention, and bounded altogether.

Pages of the list stand in order of name, and a page's token is its last name: what is uploaded or
deleted between two pages moves no other file. Time is passed in, by the clock.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

PAGE_FILES = 1_000  #: files on one page of the list
MEGABYTE = 1_000_000

#: What the provider takes; any image, sound, film, text or archive that a phone or page shows.
CONTENT_TYPES = frozenset(
    {
        *(f"application/{name}" for name in ("json", "ogg", "pdf", "rtf", "zip", "x-tar", "xml")),
        *(f"application/{name}" for name in ("gzip", "x-bzip2", "x-gzip", "smil", "javascript")),
        "application/octet-stream",  # only older documents name it
        *(f"audio/{name}" for name in ("mp4", "mpeg", "ogg", "flac", "webm", "wav", "amr", "3gpp")),
        *(f"image/{name}" for name in ("bmp", "gif", "heic", "heif", "jpeg", "pjpeg", "png")),
        *(f"image/{name}" for name in ("svg+xml", "tiff", "webp", "x-icon")),
        *(f"text/{name}" for name in ("css", "csv", "calendar", "html", "plain", "javascript")),
        *(f"text/{name}" for name in ("vcard", "vnd.wap.wml", "xml")),
        *(f"video/{name}" for name in ("avi", "mp4", "mpeg", "ogg", "quicktime", "webm")),
        *(f"video/{name}" for name in ("x-ms-wmv", "x-flv")),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """How much is kept for how long.

    Raises:
        ValueError: a limit that is not above 0.
    """

    #: Bytes of one file: 3.5 MB today; older documents say 3.75 MB.
    file_bytes: int = 3_500_000
    #: Seconds (clock) from its upload until a file is gone.
    retention_seconds: float = 48 * 3_600.0
    #: Bytes of all files of all accounts: the simulator's own bound, the provider names none.
    total_bytes: int = 256 * MEGABYTE

    def __post_init__(self) -> None:
        for name in ("file_bytes", "retention_seconds", "total_bytes"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"'{name}' must be a number above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One file as it was uploaded."""

    content: bytes
    #: As it came, with its parameters.
    content_type: str
    cache_control: str | None
    #: By the clock.
    uploaded_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPage:
    """A page of the list."""

    #: (name, bytes) in order of name.
    files: list[tuple[str, int]]
    #: Asks for what follows; None on the last page.
    token: str | None


class StoreFull(Exception):
    """There is no room for the file under `MediaLimits.total_bytes`."""


class BadToken(ValueError):
    """A continuation token that was never given out."""


class MediaStore:
    """The files of every account."""

    def __init__(self, limits: MediaLimits) -> None:
        self.limits = limits
        # In order of upload, so what is over its time stands first.
        self._files: dict[tuple[str, str], MediaFile] = {}
        self._bytes = 0

    def put(self, account_id: str, name: str, file: MediaFile) -> None:
        """Keep the file from now on, in place of one of the same name.

        Raises:
            StoreFull: it and the others are too much; the file of the same name stays.
        """
        self._forget_old(file.uploaded_at)
        key = (account_id, name)
        before = len(self._files[key].content) if key in self._files else 0
        if self._bytes - before + len(file.content) > self.limits.total_bytes:
            raise StoreFull

        self._files.pop(key, None)
        self._files[key] = file
        self._bytes += len(file.content) - before

    def get(self, account_id: str, name: str, *, now: float) -> MediaFile | None:
        """Return the file; None where it never was, was deleted, or is over its time."""
        self._forget_old(now)
        return self._files.get((account_id, name))

    def delete(self, account_id: str, name: str, *, now: float) -> bool:
        """Forget the file; say whether there was one."""
        self._forget_old(now)
        file = self._files.pop((account_id, name), None)
        if file is not None:
            self._bytes -= len(file.content)

        return file is not None

    def page(self, account_id: str, token: str | None, *, now: float) -> MediaPage:
        """Return the first page, or the one that follows the page of `token`.

        Raises:
            BadToken: the token cannot be read.
        """
        self._forget_old(now)
        names = sorted(name for owner, name in self._files if owner == account_id)
        begin = bisect_right(names, _last_name(token)) if token is not None else 0
        shown = names[begin : begin + PAGE_FILES]
        return MediaPage(
            files=[(name, len(self._files[account_id, name].content)) for name in shown],
            token=_token(shown[-1]) if begin + PAGE_FILES < len(names) else None,
        )

    def reset(self) -> None:
        """Forget everything."""
        self._files, self._bytes = {}, 0

    def _forget_old(self, now: float) -> None:
        while self._files:
            key, oldest = next(iter(self._files.items()))
            if now - oldest.uploaded_at < self.limits.retention_seconds:
                return

            del self._files[key]
            self._bytes -= len(oldest.content)


def names_below(url: str, addresses: Iterable[str]) -> list[str]:
    """Return the names of the files whose addresses begin with `url`, the list's own address."""
    begin = f"{url}/"
    return [unquote(each.removeprefix(begin)) for each in addresses if each.startswith(begin)]


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(f"after:{name}".encode()).decode()


def _last_name(token: str) -> str:
    try:
        kind, colon, name = (
            base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        raise BadToken from None

    if (kind, colon) != ("after", ":"):
        raise BadToken

    return name
