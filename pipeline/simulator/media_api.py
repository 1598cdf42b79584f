"""The addresses of media: list, upload, download, delete.

Whoever uploads or deletes changes what messages in the queue find, so those that had left are
settled first. The provider documents no answer to a file that is too large; here it is a 400 that
names the limit, since 413 is not among its documented answers. A full store (the simulator's own
bound) is a 429.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from pipeline.bandwidth.wire import FieldError, MediaItem, encode
from pipeline.simulator import answers
from pipeline.simulator.access import Gate
from pipeline.simulator.account import Account
from pipeline.simulator.behaviour import Fault
from pipeline.simulator.door import JSON, media_type, refusal, wants
from pipeline.simulator.media import (
    CONTENT_TYPES,
    MEGABYTE,
    BadToken,
    MediaFile,
    MediaStore,
    StoreFull,
)


class MediaName(PathConvertor):
    """All the rest of a path, also where a name has a line break."""

    regex = "(?s:.*)"


register_url_convertor("media_name", MediaName())

_ANYTHING = "application/octet-stream"


class MediaApi:
    """The handlers, over one store. Of the faults only `busy` and `error` happen to media."""

    def __init__(self, store: MediaStore, account: Account, gate: Gate) -> None:
        self._store, self._account, self._gate = store, account, gate

    async def list(self, request: Request) -> Response:
        """GET media: a page of names, in order."""
        now, account_id = self._account.clock.seconds(), request.path_params["account_id"]
        if refused := refusal(request, self._gate, now=now) or self._fault(request, ""):
            return refused

        if not wants(request, JSON):
            return answers.not_acceptable()

        try:
            page = self._store.page(account_id, request.headers.get("continuation-token"), now=now)
        except BadToken:
            return answers.refused(
                400, "request-validation", "'Continuation-Token' is none that was given out"
            )

        base = str(request.url.replace(query="")).rstrip("/")
        items = [
            MediaItem(media_name=name, content_length=size, content=f"{base}/{quote(name)}")
            for name, size in page.files
        ]
        headers = {"continuation-token": page.token} if page.token else None
        return Response(encode(items), media_type=JSON, headers=headers)

    async def file(self, request: Request) -> Response:
        """GET, PUT, DELETE media/{mediaId}: the name is decoded once and may have slashes."""
        now, name = self._account.clock.seconds(), request.path_params["media_id"]
        if refused := refusal(request, self._gate, now=now) or self._fault(request, name):
            return refused

        self._account.queue.settle(now)
        if not name:
            return answers.not_found(request.url.path, self._account.clock.moment().at)

        if b"%2f" in request.scope.get("raw_path", b"").lower():
            return answers.refused(
                400, "request-validation", "a slash in a media name must not be percent-encoded"
            )

        if request.method == "PUT":
            return await self._put(request, name, now)

        if request.method == "DELETE":
            return self._delete(request, name, now)

        return self._get(request, name, now)

    async def _put(self, request: Request, name: str, now: float) -> Response:
        content_type = request.headers.get("content-type", "")
        limit = self._store.limits.file_bytes
        content = await _read(request, limit)
        if not content_type and content == b"":
            return _invalid("'media' is required")

        if not wants(request, JSON):
            return answers.not_acceptable()

        content_type = content_type or _ANYTHING
        if media_type(content_type) not in CONTENT_TYPES:
            return answers.unsupported_media(content_type)

        if content is None:
            return _invalid(f"'media' must be at most {limit / MEGABYTE:g} MB")

        file = MediaFile(
            content=content,
            content_type=content_type,
            cache_control=request.headers.get("cache-control"),
            uploaded_at=now,
        )
        try:
            self._store.put(request.path_params["account_id"], name, file)
        except StoreFull:
            return answers.store_full(self._store.limits.total_bytes / MEGABYTE)

        return Response(status_code=204)

    def _get(self, request: Request, name: str, now: float) -> Response:
        file = self._store.get(request.path_params["account_id"], name, now=now)
        if file is None:
            return answers.no_such_media()

        # The document calls every file an octet stream, and the provider's own client says that it
        # wants JSON (the errors) whatever it downloads: both get any file.
        kinds = (media_type(file.content_type), _ANYTHING, JSON)
        if not any(wants(request, kind) for kind in kinds):
            return answers.not_acceptable()

        headers = {"content-type": file.content_type}
        if file.cache_control is not None:
            headers["cache-control"] = file.cache_control

        return Response(file.content, headers=headers)

    def _delete(self, request: Request, name: str, now: float) -> Response:
        if not wants(request, JSON):
            return answers.not_acceptable()

        if not self._store.delete(request.path_params["account_id"], name, now=now):
            return answers.no_such_media()

        return Response(status_code=204)

    def _fault(self, request: Request, name: str) -> Response | None:
        account = self._account
        occasion = account.dice.occasion(f"{request.method} media/{name}")
        fault = account.behaviour.fault(account.dice.roll("answer", occasion))
        if fault is Fault.BUSY:
            account.ledger.faults[fault] += 1
            return answers.too_many_requests()

        if fault is Fault.ERROR:
            account.ledger.faults[fault] += 1
            return answers.internal_error("The request could not be processed")

        return None


def _invalid(sentence: str) -> Response:
    return answers.invalid([FieldError(field_name="media", description=sentence)])


async def _read(request: Request, limit: int) -> bytes | None:
    """Read the whole body; None where it is more than `limit`, of which no more is kept."""
    content = bytearray()
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total <= limit:
            content += chunk

    return bytes(content) if total <= limit else None
