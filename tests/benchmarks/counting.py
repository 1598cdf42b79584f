"""Is counting fast? Our expression against the naive one, and per row against smsutil.

    python -m tests.benchmarks.counting [ROWS] [ROUNDS]

One thread, one run, by turns; medians of CPU seconds. The frame: 80 % plain ASCII, 10 % GSM-7 with
accents and extension characters, 10 % UCS-2, of 20 to 400 characters. Ends with 1 where the
expression is not 1.5 times as fast as the naive one, or not 100 times as fast per row as smsutil.
The naive one takes every row through the negated class and two counts, and divides.
"""

import os
import random
import statistics
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl
import smsutil

from pipeline.prepare import alphabet
from pipeline.prepare.segments import add_segments

ROWS, ROUNDS, SAMPLE = 2_000_000, 5, 20_000
LEAST_TO_NAIVE, LEAST_TO_SMSUTIL = 1.5, 100
TEXT = """hi there your order is ready show this code at the till before sunday and bring a friend
reply stop to opt out thanks for shopping with us today only free delivery on everything"""
MARKS = {"plain": [""], "gsm7": [*"éèñüß", *"€[]{}~"], "ucs2": [*"😀🎉漢字", *"’“”–ç"]}
KINDS = ["plain"] * 8 + ["gsm7", "ucs2"]


def text_of(chance):
    kind, length = chance.choice(KINDS), chance.randint(20, 400)
    words = chance.choices(TEXT.split(), k=length // 4)
    for _ in range(chance.randint(1, 4)):
        words.insert(chance.randrange(len(words)), chance.choice(MARKS[kind]))

    return " ".join(words)[: length - 1]


def naive(lf):
    text = pl.col("text")
    is_ucs2 = text.str.contains(alphabet.NOT_GSM7)
    extension = text.str.count_matches(alphabet.character_class(alphabet.EXTENSION))
    astral = text.str.count_matches(r"[\x{10000}-\x{10ffff}]")
    units = text.str.len_chars() + pl.when(is_ucs2).then(astral).otherwise(extension)
    single, part = (
        pl.when("is_ucs2").then(pl.lit(ucs2)).otherwise(pl.lit(gsm7))
        for ucs2, gsm7 in ((70, 160), (67, 153))
    )
    divided = (pl.col("units") + part - 1) // part
    return lf.with_columns(is_ucs2.alias("is_ucs2"), units.alias("units")).with_columns(
        pl.when(pl.col("units") <= single).then(1).otherwise(divided).alias("segments")
    )


def seconds(step, lf):
    began = time.process_time()
    counted = step(lf).select(pl.col("segments").sum()).collect(engine="streaming")
    return time.process_time() - began, counted.item()


def seconds_of_smsutil(texts):
    began = time.process_time()
    total = sum(len(smsutil.split(text).parts) for text in texts)
    return time.process_time() - began, total


def main(rows=ROWS, rounds=ROUNDS):
    chance = random.Random(4)
    some = [text_of(chance) for _ in range(min(rows, 200_000))]
    row = pl.int_range(rows, eager=True)
    texts = pl.Series(some).gather(row % len(some)) + (row % 10).cast(
        pl.String
    )  # no two share memory
    lf = pl.LazyFrame({"text": texts}).with_columns(channel=pl.lit("sms"))
    size = texts.str.len_bytes().sum()
    print(f"{rows:,} texts, {size / rows:.0f} bytes each, {pl.thread_pool_size()} thread")

    took = {"add_segments": [], "naive": [], "smsutil": []}
    for _ in range(rounds):
        for name, step in (("add_segments", add_segments), ("naive", naive)):
            spent, segments = seconds(step, lf)
            took[name].append(spent / rows)
            print(f"  {name:<13}{spent:7.3f} s  {segments:,} segments")

        spent, _ = seconds_of_smsutil(some[:SAMPLE])
        took["smsutil"].append(spent / len(some[:SAMPLE]))

    ours, simple, peer = (statistics.median(each) for each in took.values())
    for name, each in took.items():
        print(
            f"{name:<13}{statistics.median(each) * 1e6:9.3f} us a row (least {min(each) * 1e6:.3f})"
        )

    print(f"naive / ours    {simple / ours:6.2f}   at least {LEAST_TO_NAIVE}")
    print(f"smsutil / ours  {peer / ours:6.0f}   at least {LEAST_TO_SMSUTIL}")
    return 0 if simple >= LEAST_TO_NAIVE * ours and peer >= LEAST_TO_SMSUTIL * ours else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
