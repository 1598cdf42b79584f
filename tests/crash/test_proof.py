"""The proof, once round: every named point of a run with every fault, and more than 200 kills.

The same by hand, for as long as one likes: `python -m tests.crash --kills 2000`.
"""

import re
import subprocess
import sys

from tests.crash.launch import ROOT


def test_nobody_gets_two_and_nobody_is_lost_whatever_dies_wherever():
    command = [sys.executable, "-m", "tests.crash", "--at-once", "5"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(ended.stdout, ended.stderr)
    assert ended.returncode == 0, ended.stdout
    assert int(re.search(r"^kills +(\d+) in", ended.stdout, re.MULTILINE)[1]) >= 200
    assert "not come by        0 points" in ended.stdout
