"""A photograph made small enough to send: less quality first, then fewer pixels.

What is saved anew has the pixels only: the place and the camera that a telephone notes are gone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

#: Types that can be shrunk -> the format they are saved in.
SHRINKABLE = {"image/jpeg": "JPEG", "image/pjpeg": "JPEG", "image/png": "PNG"}

_QUALITIES = (85, 75, 60)
_STEP = 0.8
_FEWEST_PIXELS = 64  # a side; smaller is no picture any more


def shrunk(path: Path, content_type: str, most_bytes: int) -> bytes | None:
    """Return a picture of the same type with at most so many bytes; None where it cannot be.

    Raises:
        ValueError: the file is no picture of its type.
    """
    kind = SHRINKABLE[content_type]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=[kind]) as opened:
                picture = ImageOps.exif_transpose(opened)
                picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        raise ValueError("is no picture of the type that its name says, or a damaged one") from None

    if kind == "JPEG" and picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")

    return next((data for data in _smaller(picture, kind) if len(data) <= most_bytes), None)


def _smaller(picture: Image.Image, kind: str) -> Iterator[bytes]:
    while min(picture.size) >= _FEWEST_PIXELS:
        for quality in _QUALITIES if kind == "JPEG" else (None,):
            options = {"quality": quality} if quality else {}
            buffer = BytesIO()
            picture.save(buffer, kind, optimize=True, exif=b"", **options)
            yield buffer.getvalue()

        width, height = (max(round(side * _STEP), 1) for side in picture.size)
        picture = picture.resize((width, height))
