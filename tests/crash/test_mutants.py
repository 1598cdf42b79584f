"""A proof that cannot fail is worth nothing: each weakened bandcast breaks a promise in a story.

`mutants` says what is taken out of each; here stands which story notices, and by which promise.
One more, a journal that does not wait for the disk, needs a power cut to be noticed, and no kill.
"""

import pytest

from tests.crash.__main__ import KINDS
from tests.crash.kinds import tell_points
from tests.crash.launch import Tampering
from tests.crash.mutants import MUTANTS
from tests.crash.promises import Broken

#: Mutant -> story, its particulars, and the promises by which it may be noticed first.
CAUGHT = {
    "unrecorded": ("points", {"wanted": ("post-after",)}, {"recorded"}),
    "early": ("points", {"wanted": ("intent-before-commit",)}, {"recorded", "step"}),
    "retries_timeouts": ("points", {"wanted": (), "fault": "silent"}, {"once"}),
    "believes_transports": ("points", {"wanted": (), "fault": "lost"}, {"once"}),
    "believes_proxies": ("points", {"wanted": (), "fault": "gateway"}, {"once"}),
    "resets_doubt": ("points", {"wanted": ("post-during", "post-before")}, {"once", "doubt"}),
    "drops_on_cancel": ("stopped", {}, {"complete"}),
    "trusts_its_lease": ("broken", {}, {"once", "recorded", "exclusive"}),
    "skips_tokens": ("broken", {}, {"exclusive"}),
    "ignores_holds": ("frozen", {}, {"exclusive"}),
    "ignores_keys": ("points", {"wanted": ()}, {"once"}),
    "misdirects_receipts": ("receipts", {}, {"explained", "doubt"}),
    "enlists_in_pieces": ("points", {"wanted": ("enlist-shard",)}, {"step"}),
    "writes_in_place": ("points", {"wanted": ("results-writing",)}, {"complete"}),
    "ignores_slots": ("points", {"wanted": ()}, {"rate"}),
    "paces_alone": ("shared", {}, {"rate"}),
    "looks_first": ("budget", {"kills": 0, "budget": "1.0"}, {"budget"}),
    "forgetful": ("budget", {"budget": "12.0"}, {"budget"}),
}
HARMLESS = {"repeats_pass"}


def test_every_mutant_has_a_story_that_notices_it():
    assert CAUGHT.keys() | HARMLESS == MUTANTS.keys()


@pytest.mark.parametrize("mutant", CAUGHT)
def test_a_weakened_bandcast_breaks_its_promise(tmp_path, mutant):
    kind, particulars, promises = CAUGHT[mutant]
    with pytest.raises(Broken) as broken:
        KINDS[kind](tmp_path, 1, tampering=Tampering(mutant=mutant), **particulars)

    assert broken.value.promise in promises, broken.value


def test_the_journal_refuses_a_second_text_to_a_number_that_the_plan_let_through(tmp_path):
    tell_points(tmp_path, 1, wanted=("post-during",), tampering=Tampering(mutant="repeats_pass"))
