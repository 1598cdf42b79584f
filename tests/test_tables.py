"""Tables: what is written is whole, for its owner only, and nothing a spreadsheet would run."""

import csv
from decimal import Decimal

import polars as pl
import pytest

from pipeline.tables import write_csv, write_parquet

FRAME = pl.LazyFrame({"row": [1, 2], "cost": [Decimal("0.008500"), None]})


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_a_written_file_is_for_its_owner_only_and_leaves_nothing_beside_it(tmp_path, write):
    path = tmp_path / "new" / "plan.out"
    write(FRAME, path)
    write(FRAME, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, write):
    path = tmp_path / "plan.out"
    path.write_text("old")
    broken = FRAME.with_columns(pl.col("row").cast(pl.String).str.to_date())
    with pytest.raises(pl.exceptions.PolarsError):
        write(broken, path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_comes_back_as_it_was(tmp_path):
    write_parquet(FRAME, tmp_path / "plan.parquet")
    assert pl.read_parquet(tmp_path / "plan.parquet").equals(FRAME.collect())


def test_money_keeps_its_decimals_in_csv(tmp_path):
    write_csv(FRAME, tmp_path / "plan.csv")
    assert (tmp_path / "plan.csv").read_text() == "row,cost\n1,0.008500\n2,\n"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        pytest.param("=1+1", "'=1+1", id="formula"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("+1+2", "'+1+2", id="plus"),
        pytest.param("-2+3", "'-2+3", id="minus"),
        pytest.param("=", "'=", id="only the sign"),
        pytest.param("-", "'-", id="a dash"),
        pytest.param('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")', id="link"),
        pytest.param("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0", id="command"),
        pytest.param("=1\n+19195550123", "'=1\n+19195550123", id="a number below a formula"),
        pytest.param("+19195550123", "+19195550123", id="a phone number"),
        pytest.param("+1 (919) 555-0123", "+1 (919) 555-0123", id="a phone number, spelled"),
        pytest.param("-5", "-5", id="a number"),
        pytest.param("+0.50", "+0.50", id="a number with decimals"),
        pytest.param("-1,234.5e-7", "-1,234.5e-7", id="a number with everything"),
        pytest.param("-12%", "-12%", id="a percentage"),
        pytest.param("a=1", "a=1", id="a sign inside"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_spreadsheet_runs_nothing_of_what_is_written(tmp_path, cell, written):
    path = tmp_path / "results.csv"
    write_csv(pl.LazyFrame({"text": [cell], "kind": pl.Series([cell], dtype=pl.Categorical)}), path)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == [written, written]


def test_a_column_name_is_no_formula_either(tmp_path):
    path = tmp_path / "results.csv"
    write_csv(pl.LazyFrame({"=1+1": ["x"], "ok": ["y"]}), path)
    assert path.read_text() == "'=1+1,ok\nx,y\n"


def test_lists_and_bytes_can_be_written_as_csv(tmp_path):
    path = tmp_path / "results.csv"
    write_csv(pl.LazyFrame({"tags": [["a", "b"]], "raw": [b"\xff"]}), path)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == ['{"tags":["a","b"]}', "/w=="]
