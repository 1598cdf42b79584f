"""Which files the media resource takes: the types of Bandwidth's API reference, uploadMedia."""

from __future__ import annotations

from pathlib import PurePath

#: How a file's name ends -> its documented type.
TYPE_OF_SUFFIX = {
    ".json": "application/json",
    ".ogx": "application/ogg",
    ".pdf": "application/pdf",
    ".rtf": "application/rtf",
    ".zip": "application/zip",
    ".tar": "application/x-tar",
    ".gz": "application/gzip",
    ".bz2": "application/x-bzip2",
    ".smil": "application/smil",
    ".smi": "application/smil",
    ".js": "application/javascript",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".weba": "audio/webm",
    ".wav": "audio/wav",
    ".amr": "audio/amr",
    ".3ga": "audio/3gpp",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".pjpeg": "image/pjpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".css": "text/css",
    ".csv": "text/csv",
    ".ics": "text/calendar",
    ".htm": "text/html",
    ".html": "text/html",
    ".txt": "text/plain",
    ".vcf": "text/vcard",
    ".wml": "text/vnd.wap.wml",
    ".xml": "text/xml",
    ".avi": "video/avi",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".ogv": "video/ogg",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
    ".flv": "video/x-flv",
}

#: Other names of documented types: a caller may say them, no suffix comes to them.
_OTHER_TYPES = frozenset({"application/xml", "application/x-gzip", "text/javascript"})

DOCUMENTED_TYPES = frozenset(TYPE_OF_SUFFIX.values()) | _OTHER_TYPES


def content_type_of(name: str) -> str | None:
    """Return the type of a file by how its name ends; None where the provider takes no such."""
    return TYPE_OF_SUFFIX.get(PurePath(name).suffix.lower())
