"""Tables: what can be read is read whole, what cannot is explained, what is written is whole."""

import csv
import gzip
import hashlib
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.tables import file_digest, scan_recipients, write_csv, write_parquet

ROWS = b'phone,name\n9195550123,Ann\n\n9195550124\n,"a,b"\n'
CELLS = {
    "phone": ["9195550123", None, "9195550124", None],
    "name": ["Ann", None, None, "a,b"],
}


def refusal(path):
    with pytest.raises(InputError) as caught:
        scan_recipients(path)

    assert caught.value.file == str(path)
    return caught.value


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("people.csv", ROWS, id="csv"),
        pytest.param("PEOPLE.CSV", ROWS, id="capitals"),
        pytest.param("people [1]*.csv", ROWS, id="a name with wildcards"),
        pytest.param("people.csv", b"\xef\xbb\xbf" + ROWS, id="a byte order mark"),
        pytest.param("people.csv", ROWS.replace(b"\n", b"\r\n"), id="windows line ends"),
        pytest.param("people.csv.gz", gzip.compress(ROWS), id="gzipped"),
        pytest.param(
            "people.tsv", b"phone\tname\n9195550123\tAnn\n\n9195550124\n\ta,b\n", id="tsv"
        ),
    ],
)
def test_a_text_file_is_read_with_every_row(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert scan_recipients(path).collect().to_dict(as_series=False) == CELLS


def test_cells_stay_text_whatever_they_look_like(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("phone,zip,when,flag\n007,02134,2026-01-01,true\n", encoding="utf-8")
    frame = scan_recipients(path).collect()
    assert frame.row(0) == ("007", "02134", "2026-01-01", "true")


def test_parquet_keeps_the_types_of_its_columns(tmp_path):
    path = tmp_path / "people.parquet"
    frame = pl.DataFrame({"phone": [19195550123], "since": [date(2026, 1, 1)], "tags": [["a"]]})
    frame.write_parquet(path)
    assert scan_recipients(path).collect().equals(frame)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        pytest.param("p.csv", b"", "the file is empty", id="empty"),
        pytest.param("p.csv", b"\n\n", "the file is empty", id="only blank lines"),
        pytest.param("p.csv", b"phone,name\n", "nothing to send", id="header only"),
        pytest.param("p.csv", b"phone\n1,2\n", "2 cells, the header 1", id="a row too long"),
        pytest.param("p.csv", b'phone,name\n1,"a\n2,b\n', "quote is opened", id="an open quote"),
        pytest.param("p.csv", b"9195550123,Ann\n9195550124,Bob\n", "holds a phone number",
                     id="no header"),
        pytest.param("p.csv", b"(919) 555-0123\n1\n", "first line holds a phone number",
                     id="no header, spelled"),
        pytest.param("p.csv", b"phone,phone\n1,2\n", "two columns have this name", id="twice"),
        pytest.param("p.csv", b"phone,*\n1,2\n", "no column can have this name", id="a star"),
        pytest.param("p.csv", b"phone,^a$\n1,2\n", "no column can have this name", id="a pattern"),
        pytest.param("p.csv", "phone\n1\n".encode("utf-16"), "not UTF-8", id="utf-16"),
        pytest.param("p.csv", b"phone,pr\xe9nom\n1,2\n", "not UTF-8", id="header not UTF-8"),
        pytest.param("p.csv.gz", gzip.compress(ROWS * 999)[:-20], "is damaged", id="cut short"),
        pytest.param("p.parquet", b"phone\n1\n", "not a Parquet file", id="not parquet"),
        pytest.param("p.xls", b"phone\n1\n", "ends in .csv, .csv.gz, .tsv", id="another kind"),
        pytest.param("people", b"phone\n1\n", "one that ends in .csv", id="no suffix"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, complaint):
    path = tmp_path / name
    path.write_bytes(content)
    assert complaint in str(refusal(path))


def test_a_missing_file_and_a_directory_are_named(tmp_path):
    assert "no such file" in str(refusal(tmp_path / "people.csv"))
    assert "directory" in str(refusal(tmp_path))


@pytest.mark.parametrize("filler", [0, 200_000], ids=["near the top", "far down"])
def test_text_that_is_not_utf_8_is_found_by_row_and_column(tmp_path, filler):
    path = tmp_path / "people.csv"
    path.write_bytes(b"phone,name\n" + b"1,x\n" * filler + b'2,"two\nlines"\n3,Ren\xe9\n')
    error = refusal(path)
    assert (error.row, error.column) == (filler + 2, "name")


def test_a_ragged_row_is_found_by_its_number(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"phone,name\n1,x\n\n2,a,b\n")
    assert refusal(path).row == 3


def test_parquet_without_rows_has_nothing_to_send(tmp_path):
    path = tmp_path / "people.parquet"
    pl.DataFrame({"phone": []}, schema={"phone": pl.String}).write_parquet(path)
    assert "nothing to send" in str(refusal(path))


def test_a_damaged_parquet_file_is_refused_before_anything_is_planned(tmp_path):
    path = tmp_path / "people.parquet"
    pl.DataFrame({"phone": [f"919555{row:04}" for row in range(9999)]}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[100:200] = bytes(100)
    path.write_bytes(content)
    assert "damaged" in str(refusal(path))


def test_a_date_as_a_column_name_is_not_a_phone_number(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("phone,2026-01-15\n1,x\n", encoding="utf-8")
    assert scan_recipients(path).collect_schema().names() == ["phone", "2026-01-15"]


def test_a_digest_is_of_the_content(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(ROWS)
    assert file_digest(path) == hashlib.sha256(ROWS).hexdigest()


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
