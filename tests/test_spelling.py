"""One is one: no sentence says '1 messages'."""

import ast
import re
from pathlib import Path

import pytest

from pipeline.spelling import being, counted

ROOT = Path(__file__).resolve().parent.parent
FILES = [*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("jobs/*.py")]
SOURCES = sorted(path for path in FILES if "simulator" not in path.parts)

#: Right behind a count in a sentence, these need `counted`.
NOUNS = "messages|rows|texts|segments|numbers|recipients|pictures|days|prices|files|campaigns"


@pytest.mark.parametrize(
    ("count", "said", "are"),
    [
        (0, "0 messages", "0 messages are"),
        (1, "1 message", "1 message is"),
        (2, "2 messages", "2 messages are"),
        (1_200, "1,200 messages", "1,200 messages are"),
    ],
)
def test_a_count_is_spelled_with_its_noun_and_its_verb(count, said, are):
    assert (counted(count, "message"), being(count, "message")) == (said, are)


def test_a_change_has_a_sign_and_one_less_is_one():
    changes = [counted(count, "segment", is_change=True) for count in (1, -1, -2, 1_000)]
    assert changes == ["+1 segment", "-1 segment", "-2 segments", "+1,000 segments"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_puts_a_plural_behind_a_count_by_itself(path):
    """A constant limit (`{_MOST_ROWS:,} rows`) may, and the simulated provider's own words."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                is_count = isinstance(before, ast.FormattedValue) and not (
                    isinstance(before.value, ast.Name) and before.value.id.isupper()
                )
                if is_count and isinstance(after, ast.Constant):
                    found = re.match(rf" ({NOUNS})\b(?!/)", after.value)
                    assert not found, f"line {node.lineno}: {ast.unparse(before.value)}{found[0]}"
