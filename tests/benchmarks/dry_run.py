"""The whole dry run of a large recipient file, against copying that file to Parquet.

    python -m tests.benchmarks.dry_run [ROWS] [ROUNDS]

Makes a CSV of five columns (phone, first_name, last_name, email, code): 70 % of the numbers are
+1 and ten digits, 15 % ten digits, 14 % punctuated, 1 % are none; 5 % repeat an earlier row. A
million numbers are suppressed. Each measurement is a process of its own on two threads, the two by
turns; anonymous memory (RssAnon) is sampled every 10 ms, since a mapped file is no memory. Printed
are seconds, CPU seconds, the peak, the ratio to the copy, and where the time goes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import polars as pl

from pipeline import tables
from pipeline.barring import Bars
from pipeline.estimate import estimate
from pipeline.model import Campaign
from pipeline.prepare import plan, pricing
from pipeline.prepare.phones import ORDINARY_AREAS
from pipeline.settings import Settings

ROWS_AT_ONCE = 500_000
SUPPRESSED = 1_000_000
ON = date(2026, 6, 1)
FIRST_NAMES = 4_000
LAST_NAMES = 60_000
CAMPAIGN = Campaign(
    name="benchmark",
    senders=("+19195550100",),
    template="Hi {first_name|there}, your voucher {code} is ready. Show it at the till before "
    "Sunday, and bring a friend. Reply STOP to opt out.",
)


def number_of(row):
    """Spread rows over the ordinary area codes; every twentieth repeats an earlier row."""
    lines = len(ORDINARY_AREAS) * 8_000_000
    source = pl.when(row % 20 == 7).then(row * 48_271 % (row + 1)).otherwise(row)
    place = source * 2_654_435_761 % lines
    area = (place // 8_000_000).replace_strict(
        list(range(len(ORDINARY_AREAS))), list(ORDINARY_AREAS), return_dtype=pl.UInt64
    )
    return area * 10_000_000 + place % 8_000_000 + 2_000_000


def recipients(first, rows):
    row, ten, kind = pl.col("row"), pl.col("ten"), pl.col("row") * 7_919 % 100
    punctuated = pl.format(
        "({}) {}-{}", ten.str.slice(0, 3), ten.str.slice(3, 3), ten.str.slice(6, 4)
    )
    first_name = pl.lit("Name") + (row * 31 % FIRST_NAMES).cast(pl.String)
    last_name = pl.lit("Family") + (row * 17 % LAST_NAMES).cast(pl.String)
    accent = pl.when(row % 10 == 3).then(pl.lit("é")).otherwise(pl.lit(""))
    return (
        pl.DataFrame({"row": pl.int_range(first, first + rows, dtype=pl.UInt64, eager=True)})
        .with_columns(number_of(row).cast(pl.String).alias("ten"))
        .select(
            pl.when(kind < 70).then(pl.lit("+1") + ten).when(kind < 85).then(ten)
            .when(kind < 99).then(punctuated).otherwise(pl.lit("n/a")).alias("phone"),
            (first_name + accent).alias("first_name"),
            last_name.alias("last_name"),
            (first_name + "." + last_name + "@example.com").alias("email"),
            (pl.lit("C") + (row * 48_271 % 99_999_989).cast(pl.String)).alias("code"),
        )
    )  # fmt: skip


def make_csv(path, rows):
    with path.open("wb") as file:
        for first in range(0, rows, ROWS_AT_ONCE):
            part = recipients(first, min(ROWS_AT_ONCE, rows - first))
            part.write_csv(file, include_header=first == 0)


def bars():
    """Suppress a million numbers, most of which the file has."""
    rows = pl.DataFrame({"row": pl.int_range(0, 2 * SUPPRESSED, 2, dtype=pl.UInt64, eager=True)})
    numbers = rows.select(number_of(pl.col("row")).cast(pl.Int64) + 10_000_000_000).to_series()
    return Bars(barred=(plan.Barred(reason="suppressed", detail="listed", numbers=numbers),))


class Memory(threading.Thread):
    """Samples the anonymous memory of this process until it is stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak_kib = 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.01):
            with open("/proc/self/status") as status:  # noqa: PTH123 - a hundred times a second
                line = next(line for line in status if line.startswith("RssAnon"))

            self.peak_kib = max(self.peak_kib, int(line.split()[1]))


def copy(csv, folder):
    pl.scan_csv(csv, infer_schema=False).sink_parquet(folder / "copy.parquet")
    return {}


def dry_run(csv, folder):
    settings = Settings(campaign=CAMPAIGN, recipients=(str(csv),))
    found = estimate(settings, folder / "plan.parquet", on=ON, bars_of=lambda _: bars())
    return {"messages": found.totals.messages, "skipped": found.totals.skipped}


def plan_only(csv, folder):
    """Prepare, write and add up: the dry run without looking at the file and its digest."""
    card = pricing.load_card(None)
    lf = pl.scan_csv(csv, infer_schema=False)
    draft = plan.draft(lf, CAMPAIGN, card, on=ON, barred=bars().barred)
    tables.write_parquet(draft.frame, folder / "plan.parquet")
    return {"messages": plan.totals(pl.scan_parquet(folder / "plan.parquet")).messages}


MEASURED = {"copy": copy, "dry_run": dry_run, "plan_only": plan_only}


def measure(name, csv, folder):
    memory = Memory()
    memory.start()
    began, used = time.perf_counter(), time.process_time()
    facts = MEASURED[name](csv, folder)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    memory.stopped.set()
    memory.join()
    return {"seconds": seconds, "cpu": cpu, "mib": memory.peak_kib / 1024, **facts}


def measured_alone(name, csv, folder):
    command = [sys.executable, "-m", "tests.benchmarks.dry_run", name, str(csv), str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(rows, rounds):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        csv = folder / "people.csv"
        make_csv(csv, rows)
        print(f"{rows:,} rows, {csv.stat().st_size / 1e6:.0f} MB, polars {pl.__version__}")
        found = {each: [] for each in MEASURED}
        for _ in range(rounds):
            for each, results in found.items():
                results.append(measured_alone(each, csv, folder))

        base = {
            key: statistics.median(each[key] for each in found["copy"])
            for key in ("seconds", "cpu")
        }
        for each, results in found.items():
            seconds, cpu, mib = (
                statistics.median(result[key] for result in results)
                for key in ("seconds", "cpu", "mib")
            )
            print(
                f"{each:10} {seconds:6.2f} s  {cpu:6.2f} CPU s  {rows / seconds / 1e6:5.2f} Mrow/s"
                f"  peak {mib:5.0f} MiB  x{seconds / base['seconds']:.2f} of the copy"
                f"  (CPU x{cpu / base['cpu']:.2f})"
            )

        print({key: found["dry_run"][0][key] for key in ("messages", "skipped")})


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in MEASURED:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main(*(map(int, (sys.argv[1:] + ["10000000", "3"][len(sys.argv) - 1 :])[:2])))
