"""Segments against two independent counters: whatever differs has a cause with a name."""

import json
import random
import re
import shutil
import subprocess
from collections import Counter

import polars as pl
import pytest
import smsutil

from pipeline.model import Encoding
from pipeline.prepare.segments import add_segments, count_segments

TEXTS = 100_000
POOLS = (
    "abcdefghij klmnop .,!?",
    "aaaaaaaa éèàñßΔΩ\n\r £$¥§¿",
    "aaaa€[]{}^~|\\\f",
    "€[",
    "aaaaaa`ç’–…\u00a0",
    "жшюя ",
    "漢字仮名ц",
    "жжжжжж😀👩🏽🇩🇪",
    "😀\U0010ffff",
    "aaaaaaaaaaaa\x1b[",
    "жжжжж\ud83d\ude00\udfff",
)
SURROGATE = re.compile("[\ud800-\udfff]")  # no polars String can hold one
EDGES = (0, 1, 70, 71, 134, 135, 153, 160, 161, 201, 306, 307)


#: How many texts: some in every run, all by hand.
COUNTS = pytest.mark.parametrize("count", [15_000, pytest.param(TEXTS, marks=pytest.mark.long)])


def generated(count):
    """Texts of all kinds, near the edges of parts; surrogates side by side are one character."""
    chance = random.Random(20261125)
    for _ in range(count):
        length = chance.choice(EDGES) + chance.randint(-4, 4) if chance.random() < 0.7 else 0
        length = length or chance.randrange(250)
        text = "".join(chance.choices(chance.choice(POOLS), k=max(length, 0)))
        yield text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def ours(text):
    one = count_segments(text)
    return (one.encoding, one.units, one.parts)


def by_smsutil(text):
    result = smsutil.split(text)
    is_gsm7 = result.encoding == "gsm0338"
    return (
        Encoding.GSM7 if is_gsm7 else Encoding.UCS2,
        result.total_bytes if is_gsm7 else result.total_bytes // 2,
        tuple(part.content for part in result.parts),
    )


EMPTY = "an empty text is called UCS-2"
ESCAPE = "the escape itself is counted as a letter"


def why_smsutil_differs(text, theirs):
    """Name the cause, where it explains every difference: without it, they would say the same."""
    if not text and theirs == (Encoding.UCS2, 0, ("",)):
        return EMPTY

    if "\x1b" in text:  # the same text with the escape as a letter: what smsutil takes it for
        encoding, units, parts = ours(text.replace("\x1b", "a"))
        if theirs == (encoding, units, cut_like(text, parts)):
            return ESCAPE

    return None


def cut_like(text, parts):
    ends = [sum(map(len, parts[: number + 1])) for number in range(len(parts))]
    return tuple(text[end - len(part) : end] for part, end in zip(parts, ends, strict=True))


@COUNTS
def test_smsutil_counts_the_same_but_for_two_causes(count):
    causes = Counter(
        why_smsutil_differs(text, theirs)
        for text in generated(count)
        if (theirs := by_smsutil(text)) != ours(text)
    )
    assert causes.keys() == {EMPTY, ESCAPE}


@COUNTS
def test_the_expression_counts_these_texts_as_the_function_does(count):
    texts = [text for text in generated(count) if not SURROGATE.search(text)]
    assert len(texts) > count * 0.9
    frame = pl.LazyFrame({"text": texts}).with_columns(channel=pl.lit("sms")).pipe(add_segments)
    rows = frame.select("encoding", "units", "segments").collect(engine="streaming").rows()
    wrong = [
        text
        for text, row in zip(texts, rows, strict=True)
        if (one := count_segments(text)) and row != (one.encoding, one.units, one.segments)
    ]
    assert wrong == []


# --- split-sms, the counter of the npm registry --------------------------------------------------

PACKAGE = "split-sms@0.1.7"
COUNT = """
const {split} = require('split-sms');
for (const line of require('fs').readFileSync(0, 'utf8').trimEnd().split('\\n')) {
  const found = split(JSON.parse(line));
  console.log(JSON.stringify([found.characterSet, found.bytes, found.parts.map(p => p.content)]));
}
"""
HIGH_SURROGATE_AND_NEXT = re.compile("[\ud800-\udbff].?", re.DOTALL)
HALF_A_PAIR = "half a surrogate pair takes the next character with it"


@pytest.fixture
def node(tmp_path):
    """A folder where node finds the package."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")

    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not bring {PACKAGE} in two minutes")

    if done.returncode:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr.strip()[-200:]}")

    return tmp_path


def by_split_sms(texts, folder):
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run(
        ["node", "-e", COUNT], cwd=folder, input=lines, capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines():
        characters, size, parts = json.loads(line)
        is_gsm7 = characters == "GSM"
        encoding = Encoding.GSM7 if is_gsm7 else Encoding.UCS2
        yield (encoding, size if is_gsm7 else size // 2, tuple(parts))


def why_split_sms_differs(text, theirs):
    """Name the cause, where it explains the count: with whole pairs, both would say the same."""
    code_units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    paired = HIGH_SURROGATE_AND_NEXT.sub("😀", "".join(map(chr, code_units)))
    encoding, units, parts = ours(paired)
    is_explained = theirs[:2] == (encoding, units) and len(theirs[2]) == len(parts)
    return HALF_A_PAIR if is_explained and paired != text else None


@pytest.mark.long
def test_split_sms_counts_the_same_but_for_one_cause(node):
    texts = list(generated(TEXTS))
    causes = Counter(
        why_split_sms_differs(text, theirs)
        for text, theirs in zip(texts, by_split_sms(texts, node), strict=True)
        if theirs != ours(text)
    )
    assert causes.keys() == {HALF_A_PAIR}
