"""A campaign's local pictures reach the provider before the messages that carry them.

    ready  the message's pictures are there, and stay long enough; only then it gets a slot
    send   references become addresses

The provider's own list is the memory of what was uploaded: the name there tells content and time,
``bandcast-<digest>-<yyyymmddThhmm>.png``. So rows, runs, campaigns and machines share one upload,
and what somebody deleted is uploaded again by the next run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import anyio
import anyio.to_thread

from pipeline.bandwidth.client import BandwidthClient
from pipeline.bandwidth.connection import RequestFailed
from pipeline.model import MEDIA_SCHEME, Message, NotSent, Outcome
from pipeline.pictures import Picture

#: The provider keeps a file 48 hours, and a message up to 4 hours in its queue.
REFRESH_AFTER = timedelta(hours=40)

_STAMP = "%Y%m%dT%H%M"
_OURS = re.compile(r"bandcast-([0-9a-f]{32})-([0-9]{8}T[0-9]{4})(\.[a-z0-9]+)")
#: How far another machine's clock may be ahead of ours.
_SKEW = timedelta(hours=1)


class Upload(NamedTuple):
    """A file that bandcast uploaded, as its name tells."""

    reference: str
    name: str
    #: When (aware, UTC).
    at: datetime


def read_upload(name: str) -> Upload | None:
    """Read the name of a media file; None where it is not one of ours."""
    match = _OURS.fullmatch(name)
    if match is None:
        return None

    digest, stamp, suffix = match.groups()
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None

    return Upload(f"{MEDIA_SCHEME}{digest}{suffix}", name, at)


class Uploading:
    """Sends messages whose pictures are local files: a wire for `dispatch.Sender`.

    Args:
        client: Uploads, and sends.
        pictures: Reference -> the file.
        clock: Aware UTC.
    """

    def __init__(
        self,
        client: BandwidthClient,
        pictures: Mapping[str, Picture],
        clock: Callable[[], datetime],
    ) -> None:
        self._client, self._pictures, self._clock = client, pictures, clock
        self._there: dict[str, Upload] = {}
        self._looking, self._has_looked = anyio.Lock(), False
        self._uploading: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def ready(self, message: Message, /) -> NotSent | None:
        """Make sure of the message's pictures, then of all else that a POST needs.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it.
            RequestFailed: it refuses a picture.
            UsageError: a file is gone or was changed.
        """
        try:
            for each in message.media:
                if each.startswith(MEDIA_SCHEME):
                    await self._provide(each)
        except RequestFailed as error:
            if not error.may_pass:
                raise

            return NotSent(
                reason="a picture cannot be uploaded",
                http_status=error.http_status,
                retry_after_seconds=error.retry_after_seconds,
            )

        return await self._client.ready(message)

    async def send(self, message: Message, *, tag: str) -> Outcome:
        """POST the message once, with the addresses of its pictures."""
        media = tuple(
            self._client.media.address(self._there[each].name)
            if each.startswith(MEDIA_SCHEME)
            else each
            for each in message.media
        )
        return await self._client.send(replace(message, media=media), tag=tag)

    async def _provide(self, reference: str) -> None:
        if self._is_fresh(reference):
            return

        await self._look()
        async with self._uploading[reference]:
            if not self._is_fresh(reference):
                self._there[reference] = await self._upload(reference)

    def _is_fresh(self, reference: str) -> bool:
        upload = self._there.get(reference)
        return upload is not None and self._clock() - upload.at < REFRESH_AFTER

    async def _look(self) -> None:
        """Find what earlier runs and other machines have uploaded, once."""
        async with self._looking:
            if self._has_looked:
                return

            latest = self._clock() + _SKEW
            async for item in self._client.media.items():
                upload = read_upload(item.media_name)
                if upload is None or upload.reference not in self._pictures or upload.at > latest:
                    continue

                known = self._there.get(upload.reference)
                if known is None or known.at < upload.at:
                    self._there[upload.reference] = upload

            self._has_looked = True

    async def _upload(self, reference: str) -> Upload:
        picture = self._pictures[reference]
        content = await anyio.to_thread.run_sync(picture.content)
        at = self._clock().replace(second=0, microsecond=0)
        digest, dot, suffix = reference.removeprefix(MEDIA_SCHEME).partition(".")
        name = f"bandcast-{digest}-{at.strftime(_STAMP)}{dot}{suffix}"
        await self._client.media.upload(name, content, content_type=picture.content_type)
        return Upload(reference, name, at)
