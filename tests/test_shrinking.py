"""A picture is made to fit, upright, and says nothing about where it was taken."""

import random

import pytest
from PIL import Image

from pipeline.shrinking import shrunk

ORIENTATION, GPS = 0x0112, 0x8825


def photograph(path, size=(600, 400), kind="JPEG", **options):
    pixels = random.Random(1).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, pixels).save(path, kind, **options)
    return path


def opened(data, tmp_path):
    made = tmp_path / "made"
    made.write_bytes(data)
    with Image.open(made) as picture:
        picture.load()
        return picture


def test_place_and_camera_are_gone_and_the_picture_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # lying on its side
    exif.get_ifd(GPS)[1] = "N"
    path = photograph(tmp_path / "a.jpg", exif=exif)
    assert b"Exif" in path.read_bytes()

    data = shrunk(path, "image/jpeg", 60_000)

    assert len(data) <= 60_000
    assert b"Exif" not in data
    width, height = opened(data, tmp_path).size
    assert height > width


def test_quality_goes_before_pixels(tmp_path):
    path = photograph(tmp_path / "a.jpg", quality=98)
    assert opened(shrunk(path, "image/jpeg", 150_000), tmp_path).size == (600, 400)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_every_kind_of_png_stays_one(tmp_path, mode):
    Image.open(photograph(tmp_path / "a.png", kind="PNG")).convert(mode).save(tmp_path / "b.png")

    assert opened(shrunk(tmp_path / "b.png", "image/png", 20_000), tmp_path).format == "PNG"


def test_a_picture_in_printers_colours_becomes_one_for_screens(tmp_path):
    Image.new("CMYK", (300, 300)).save(tmp_path / "a.jpg", "JPEG")

    assert opened(shrunk(tmp_path / "a.jpg", "image/jpeg", 50_000), tmp_path).mode == "RGB"


def test_what_cannot_be_made_to_fit_is_none(tmp_path):
    assert shrunk(photograph(tmp_path / "a.jpg"), "image/jpeg", 100) is None


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, kind):
    with pytest.raises(ValueError, match="no picture of the type"):
        shrunk(photograph(tmp_path / "a.jpg", kind=kind), "image/jpeg", 50_000)


def test_a_bomb_is_refused_and_not_unpacked(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "a.png")

    with pytest.raises(ValueError, match="no picture of the type"):
        shrunk(tmp_path / "a.png", "image/png", 50_000)
