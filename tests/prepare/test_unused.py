"""A column named like a key of [columns] is not used unasked, and that is said."""

import pytest

from pipeline.model import Campaign, Columns, Variant
from pipeline.prepare.unused import find_unused

NAMES = ["phone", "From", "text", "Media", "re gion", "from_city"]


def sentences(names=NAMES, **changes):
    said = {"name": "spring", "senders": ("+19195550100",), "template": "Hi"} | changes
    return [each.sentence for each in find_unused(names, Campaign(**said))]


def test_each_such_column_has_a_sentence_with_the_line_that_would_use_it():
    found = sentences()
    assert len(found) == 4
    for sentence, line in zip(
        found,
        ['from = "From"', 'text = "text"', 'media = "Media"', 'region = "re gion"'],
        strict=True,
    ):
        assert "is not used" in sentence
        assert f"write {line} under [columns]" in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": Columns(sender="from")},
        {"columns": Columns(key="FROM")},
        {"columns": Columns(phone=("From",))},
        {"template": "Hi from {from|us}"},
        {"template": "Hi{?FROM} from afar{/}"},
        {"template": "", "variants": (Variant(name="a", template="{ from }"),)},
    ],
    ids=["sender", "key", "phone", "template", "block", "variant"],
)
def test_a_column_that_is_used_is_not_told(changes):
    assert sentences(["phone", "From"], **changes) == []


def test_it_is_no_repair():
    (finding,) = find_unused(["text"], Campaign(name="a", senders=("1",), template="Hi"))
    assert (finding.code, finding.count, finding.is_repair) == ("unused_column", 1, False)
