"""What the provider's list tells of earlier uploads, and nothing more than that."""

from datetime import UTC, datetime

import pytest

from pipeline.uploads import Upload, read_upload

DIGEST = "9f86d081884c7d659a2feaa0c55ad015"


def test_the_name_of_an_upload_tells_content_and_time():
    name = f"bandcast-{DIGEST}-20261125T0838.png"

    assert read_upload(name) == Upload(
        f"media:{DIGEST}.png", name, datetime(2026, 11, 25, 8, 38, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "name",
    [
        "logo.png",
        f"bandcast-{DIGEST}.png",
        f"bandcast-{DIGEST}-20261125T0838",
        f"bandcast-{DIGEST}-20269925T0838.png",
        f"bandcast-{DIGEST[1:]}-20261125T0838.png",
        f"inbound/bandcast-{DIGEST}-20261125T0838.png",
    ],
)
def test_other_files_are_not_ours(name):
    assert read_upload(name) is None
