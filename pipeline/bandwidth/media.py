"""The account's files: upload, list, download, delete. For MMS; the provider keeps each 48 hours.

Each verb is harmless to repeat, and is repeated while its failure may pass (`patience`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import httpx

from pipeline.bandwidth import wire
from pipeline.bandwidth.connection import Connection, RequestFailed
from pipeline.bandwidth.patience import asked_again
from pipeline.bandwidth.transport import LIVE
from pipeline.errors import UsageError

#: Told how many bytes of the file have been sent, or have come, so far.
Watch = Callable[[int], object]

_CHUNK_BYTES = 64 * 1024
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 30.0
#: A slower upload is given up.
_SLOWEST_BYTES_PER_SECOND = 10_000
_NOT_FOUND = 404


class MediaStore:
    """The files of one account."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def address(self, name: str) -> str:
        """Return the address by which the account's own messages name a file.

        Raises:
            UsageError: no file can have this name.
        """
        return str(self._url(name))

    async def upload(
        self,
        name: str,
        source: Path | bytes,
        *,
        content_type: str,
        cache_control: str | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Store a file under a name; one that is there under that name is written over.

        Args:
            name: May have slashes; holds no personal data.
            source: The file, read as it is sent and once more for every further try; or what is
                in it.
            content_type: Returned with the file whenever it is downloaded.
            cache_control: The directives of HTTP's header of this name.
            watch: Told of the progress.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it.
            RequestFailed: the file was not stored, as far as we know.
            UsageError: no file can have this name, type or directive.
            OSError: `source` cannot be read.
        """
        url = self._url(name)
        for value in (content_type, cache_control or ""):
            if not (value.isascii() and value.isprintable()):
                raise UsageError(f"{value!r} cannot stand in a header: write plain letters")

        size = len(source) if isinstance(source, bytes) else await _size_of(source)
        headers = [
            (b"Content-Type", content_type.encode()),
            (b"Content-Length", b"%d" % size),
            *([(b"Cache-Control", cache_control.encode())] if cache_control else []),
        ]
        patience = {
            "connect": _CONNECT_SECONDS,
            "read": _READ_SECONDS,
            "write": size / _SLOWEST_BYTES_PER_SECOND,
        }
        await asked_again(
            lambda: self._connection.ask(
                "PUT",
                url,
                failure=f"'{name}' cannot be uploaded",
                headers=headers,
                content=_Pieces(source, size, watch),
                extensions={"timeout": patience},
            )
        )

    async def items(self) -> AsyncIterator[wire.MediaItem]:
        """Yield every file of the account, a page of up to 1,000 at a time.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it.
            RequestFailed: a page did not come.
        """
        failure, token = "media cannot be listed", ""
        while True:
            headers = [(b"Continuation-Token", token.encode())] if token else []
            answer = await asked_again(
                lambda headers=headers: self._connection.ask(  # type: ignore[misc]
                    "GET", self._connection.url("media"), failure=failure, headers=headers
                )
            )
            try:
                page = wire.decode_media(answer.body)
            except wire.Unreadable as error:
                raise RequestFailed(f"{failure}: {error}", http_status=answer.status) from None

            for item in page:
                yield item

            before, token = token, answer.headers.get("continuation-token", "")
            if not token or token == before:
                return

    async def get(self, name: str, target: Path, *, watch: Watch | None = None) -> int:
        """Download a file into `target`, piece by piece as it comes.

        Args:
            name: As `upload` was given it, or what follows ``media/`` in an address.
            target: Written over from its beginning with every try.
            watch: Told of the progress.

        Returns:
            How many bytes it has.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it.
            RequestFailed: it is not there, or did not come whole.
            OSError: `target` cannot be written.
        """
        failure = f"'{name}' cannot be downloaded"
        url = self._url(name)

        async def download() -> int:
            extensions = {LIVE: True}
            try:
                response = await self._connection.open(
                    "GET",
                    url,
                    failure=failure,
                    headers=[(b"Accept-Encoding", b"identity")],
                    extensions=extensions,
                )
            except RequestFailed as error:
                raise _missing(name, error) from None

            try:
                return await _save(response, target, watch)
            except httpx.HTTPError as error:
                raise RequestFailed(f"{failure}: it broke off ({type(error).__name__})") from None
            finally:
                await response.aclose()

        return await asked_again(download)

    async def delete(self, name: str) -> None:
        """Delete a file; after a try that found no answer, one that is gone is deleted.

        Raises:
            CredentialsError: the provider does not know us, or does not allow it.
            RequestFailed: it is not there, or the provider does not answer.
        """
        url, tries = self._url(name), 0

        async def delete() -> None:
            nonlocal tries
            tries += 1
            try:
                await self._connection.ask("DELETE", url, failure=f"'{name}' cannot be deleted")
            except RequestFailed as error:
                if error.http_status == _NOT_FOUND and tries > 1:
                    return

                raise _missing(name, error) from None

        await asked_again(delete)

    def _url(self, name: str) -> httpx.URL:
        parts = name.split("/")
        if not name.isprintable() or any(part in ("", ".", "..") for part in parts):
            raise UsageError(
                f"{name!r} is no name for a media file: write one such as spring/logo.png"
            )

        return self._connection.url(f"media/{name}")


class _Pieces(httpx.AsyncByteStream):
    """What a file holds as the body of a request; every reading begins at its beginning.

    The file is not open between two pieces: who stops reading does not say so.
    """

    def __init__(self, source: Path | bytes, size: int, watch: Watch | None) -> None:
        self._source, self._size, self._watch = source, size, watch

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        while chunk := await anyio.to_thread.run_sync(self._piece, sent):
            sent += len(chunk)
            if self._watch:
                self._watch(sent)

            yield chunk

    def _piece(self, start: int) -> bytes:
        end = min(start + _CHUNK_BYTES, self._size)
        if isinstance(self._source, bytes):
            return self._source[start:end]

        with self._source.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


async def _size_of(path: Path) -> int:
    return (await anyio.Path(path).stat()).st_size


async def _save(response: httpx.Response, target: Path, watch: Watch | None) -> int:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    written = 0
    async with await anyio.open_file(target, "wb") as file:
        async for chunk in response.stream:
            await file.write(chunk)
            written += len(chunk)
            if watch:
                watch(written)

    return written


def _missing(name: str, error: RequestFailed) -> RequestFailed:
    if error.http_status != _NOT_FOUND:
        return error

    return RequestFailed(f"there is no media file '{name}'", http_status=_NOT_FOUND)
