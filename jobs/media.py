"""bandcast media: the account's files at the provider, for messages with pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from jobs import console, options
from pipeline.account import load_account
from pipeline.bandwidth.client import client_of
from pipeline.bandwidth.media import MediaStore, Watch
from pipeline.bandwidth.media_types import content_type_of
from pipeline.errors import UsageError
from pipeline.tables import replacing
from pipeline.uploads import read_upload

#: Of a smaller file nobody watches the progress.
_BIG_BYTES = 512 * 1024
#: The most that any edition of the provider's documents allows: more is not worth the way.
_MOST_BYTES = 3_750_000


class Action(StrEnum):
    """What to do with the files."""

    UPLOAD = "upload"
    LIST = "list"
    GET = "get"
    DELETE = "delete"


def run(
    action: Annotated[Action, typer.Argument(help="upload, list, get or delete.")],
    what: Annotated[
        list[str] | None,
        typer.Argument(help="Files to upload, or names of media.", show_default=False),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="upload: the name there; with a / at its end a folder."),
    ] = None,
    content_type: Annotated[
        str | None,
        typer.Option("--content-type", help="upload: the type (default: by the file's name)."),
    ] = None,
    uploaded: Annotated[
        bool, typer.Option("--uploaded", help="delete: all that campaigns have uploaded.")
    ] = False,
    cache_control: Annotated[
        str | None, typer.Option("--cache-control", help="upload: such as no-cache.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="get: the folder that the files go to.")
    ] = Path(),
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Keep the account's media files; the provider deletes each after 48 hours."""
    given = what or []
    if uploaded and (given or action is not Action.DELETE):
        raise UsageError("--uploaded: is for media delete, and takes no names")

    if not given and action is not Action.LIST and not uploaded:
        raise UsageError(f"media {action}: say which files")

    if given and action is Action.LIST:
        raise UsageError("media list: lists every file, and takes no names")

    match action:
        case Action.UPLOAD:
            uploads = _uploads(given, name, content_type)
            found = _at_provider(lambda store: _upload(store, uploads, cache_control, quiet=quiet))
        case Action.LIST:
            found = _at_provider(_list)
        case Action.GET:
            targets = _targets(given, out)
            found = _at_provider(lambda store: _get(store, targets, quiet=quiet))
        case Action.DELETE:
            found = _at_provider(_delete_uploads if uploaded else lambda s: _delete(s, given))

    if as_json:
        console.print_json({_DONE[action]: found})
    elif not quiet:
        _print(action, found)


_DONE = {
    Action.UPLOAD: "uploaded",
    Action.LIST: "media",
    Action.GET: "downloaded",
    Action.DELETE: "deleted",
}

_Found = list[dict[str, Any]]


def _at_provider(talk: Callable[[MediaStore], Awaitable[_Found]]) -> _Found:
    account = load_account(os.environ, sends=False)

    async def talking() -> _Found:
        async with client_of(account) as client:
            return await talk(client.media)

    return anyio.run(talking)


def _uploads(
    files: list[str], name: str | None, content_type: str | None
) -> list[tuple[Path, str, str]]:
    """Return file, name and type of each, all of them checked before the first is sent."""
    if name and not name.endswith("/") and len(files) > 1:
        raise UsageError("media upload: --name is for one file, or ends with a / for several")

    uploads: list[tuple[Path, str, str]] = []
    for file in map(Path, files):
        if file.is_dir():
            raise UsageError(f"{file}: is a folder; name the files in it, as {file / '*'}")

        if not file.is_file():
            raise UsageError(f"{file}: there is no such file")

        _check_size(file, file.stat().st_size)

        given = content_type or content_type_of(file.name)
        if given is None:
            raise UsageError(
                f"{file}: the provider takes no files that are named like this; "
                "say what it is with --content-type, such as image/png"
            )

        whole = name and not name.endswith("/")
        uploads.append((file, name if name and whole else f"{name or ''}{file.name}", given))

    (there, count), *_ = Counter(name for _, name, _ in uploads).most_common(1)
    if count > 1:
        raise UsageError(
            f"media upload: {count} of these files would be '{there}' there, each in place of the "
            "one before: upload them one by one, with --name"
        )

    return uploads


def _check_size(file: Path, size: int) -> None:
    if not size:
        raise UsageError(f"{file}: is empty: there is nothing to upload")

    if size > _MOST_BYTES:
        raise UsageError(
            f"{file}: has {size:,} bytes, and the provider takes at most {_MOST_BYTES:,}: make it "
            "smaller"
        )


async def _upload(
    store: MediaStore, uploads: list[tuple[Path, str, str]], cache: str | None, *, quiet: bool
) -> _Found:
    done = []
    for file, name, content_type in uploads:
        size, address = file.stat().st_size, store.address(name)
        with _watched(name, size, quiet=quiet) as watch:
            try:
                await store.upload(
                    name, file, content_type=content_type, cache_control=cache, watch=watch
                )
            except OSError as error:
                raise UsageError(f"{file}: cannot be read: {error.strerror}") from None

        done.append({"name": name, "bytes": size, "content_type": content_type, "address": address})

    return done


async def _list(store: MediaStore) -> _Found:
    return [
        {"name": item.media_name, "bytes": item.content_length, "address": item.content}
        async for item in store.items()
    ]


def _targets(names: list[str], folder: Path) -> list[tuple[str, Path]]:
    targets = [(name, folder / (name.rstrip("/").rpartition("/")[2] or "media")) for name in names]
    for _, target in targets:
        if target.exists():
            raise UsageError(f"{target}: is there already; name another folder with --out")

    if len({target for _, target in targets}) < len(targets):
        raise UsageError("media get: two of these would become one file; get them one by one")

    return targets


async def _get(store: MediaStore, targets: list[tuple[str, Path]], *, quiet: bool) -> _Found:
    done = []
    for name, target in targets:
        try:
            with replacing(target) as temporary, _watched(name, None, quiet=quiet) as watch:
                size = await store.get(name, temporary, watch=watch)
        except OSError as error:
            raise UsageError(f"{target}: cannot be written: {error.strerror}") from None

        done.append({"name": name, "bytes": size, "file": str(target)})

    return done


async def _delete(store: MediaStore, names: list[str]) -> _Found:
    for name in names:
        await store.delete(name)

    return [{"name": name} for name in names]


async def _delete_uploads(store: MediaStore) -> _Found:
    names = [item.media_name async for item in store.items()]
    return await _delete(store, [name for name in names if read_upload(name)])


@contextmanager
def _watched(name: str, size: int | None, *, quiet: bool) -> Iterator[Watch | None]:
    """Show a bar while a big file travels, where somebody may look at it."""
    is_small = size is not None and size < _BIG_BYTES
    if quiet or is_small or not console.margin.is_terminal:
        yield None
        return

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console.margin, transient=True) as progress:
        task = progress.add_task(console.printable(name), total=size)
        yield lambda sent: progress.update(task, completed=sent)


def _print(action: Action, found: _Found) -> None:
    for each in found:
        size = f"{each['bytes']:>12,}  " if each.get("bytes") is not None else ""
        tail = each["address"] if action is Action.UPLOAD else each["name"]
        where = f" -> {each['file']}" if action is Action.GET else ""
        console.paper.print(console.printable(f"{size}{tail}{where}"), markup=False)

    if action is not Action.LIST:
        console.paper.print(f"{_DONE[action]}: {len(found):,}")
