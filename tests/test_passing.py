"""What a killed process left is removed, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.passing import own_name, passing

ALONE = ("unshare", "--map-root-user", "--pid", "--fork", "--mount-proc")
NEXT = """
import sys
from pathlib import Path
from pipeline.passing import own_name, passing
with passing(lambda: Path(sys.argv[1]) / own_name("plan.parquet")):
    pass
"""


def can_be_alone():
    try:
        return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_be_alone(), reason="needs namespaces of processes")
def test_a_container_of_the_same_host_name_leaves_what_a_live_process_outside_uses(tmp_path):
    """Its numbers of processes are its own: by them, ours would be dead."""
    with passing(lambda: tmp_path / own_name("plan.parquet")) as ours:
        ours.write_bytes(b"a plan")
        subprocess.run([*ALONE, sys.executable, "-c", NEXT, tmp_path], check=True)
        assert ours.exists()


def test_what_a_dead_process_left_is_removed_by_the_next(tmp_path):
    left = subprocess.run(
        [sys.executable, "-c", "from pipeline.passing import own_name; print(own_name('plan'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    stale = tmp_path / left.stdout.strip()
    stale.write_bytes(b"a plan")
    with passing(lambda: tmp_path / own_name("plan")):
        assert not stale.exists()


def test_a_live_file_of_ours_stays_however_its_folder_is_spelled(tmp_path, monkeypatch):
    """The output folder may be the one for temporary files, and be called by another name."""
    monkeypatch.chdir(tmp_path)
    with passing(lambda: tmp_path / own_name("copy")) as ours:
        ours.mkdir()
        with passing(lambda: Path() / own_name("plan.parquet")):
            assert ours.exists()
