"""Recipient files: what can be read is read whole, what cannot is explained, several are one."""

import gzip
import hashlib
import stat
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.model import FileFormat
from pipeline.reading.files import files_digest, read_recipients

ROWS = b'phone,name\n9195550123,Ann\n\n9195550124\n,"a,b"\n'
CELLS = {
    "phone": ["9195550123", None, "9195550124", None],
    "name": ["Ann", None, None, "a,b"],
}


def cells(*sources, **said):
    with read_recipients(sources, FileFormat(**said)) as reading:
        frame = reading.frame.collect()

    assert frame.height == reading.rows
    return frame.to_dict(as_series=False)


def refusal(*sources, **said):
    with pytest.raises(InputError) as caught, read_recipients(sources, FileFormat(**said)):
        pass

    return caught.value


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("people.csv", ROWS, id="csv"),
        pytest.param("PEOPLE.CSV", ROWS, id="capitals"),
        pytest.param("people [1]*.csv", ROWS, id="a name with wildcards"),
        pytest.param("people", ROWS, id="no suffix"),
        pytest.param("people.xlsx", ROWS, id="a suffix that lies"),
        pytest.param("people.csv.gz", gzip.compress(ROWS), id="gzipped"),
        pytest.param("people.csv", gzip.compress(ROWS), id="gzipped, and the name hides it"),
    ],
)
def test_a_text_file_is_read_with_every_row(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert cells(path) == CELLS


def test_cells_stay_text_whatever_they_look_like(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("phone,zip,when,flag\n007,02134,2026-01-01,true\n", encoding="utf-8")
    assert cells(path) == {
        "phone": ["007"], "zip": ["02134"], "when": ["2026-01-01"], "flag": ["true"],
    }  # fmt: skip


def test_parquet_keeps_the_types_of_its_columns(tmp_path):
    path = tmp_path / "people.parquet"
    frame = pl.DataFrame({"phone": [19195550123], "since": [date(2026, 1, 1)], "tags": [["a"]]})
    frame.write_parquet(path)
    with read_recipients([path]) as reading:
        assert reading.frame.collect().equals(frame)


def test_a_damaged_parquet_file_is_refused_before_anything_is_planned(tmp_path):
    path = tmp_path / "people.parquet"
    pl.DataFrame({"phone": [f"919555{row:04}" for row in range(9999)]}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[100:200] = bytes(100)
    path.write_bytes(content)
    assert "damaged" in str(refusal(path))


def test_a_missing_file_a_directory_and_an_empty_pattern_are_named(tmp_path):
    assert "no such file" in str(refusal(tmp_path / "people.csv"))
    assert f'all with recipients = "{tmp_path}/*.csv"' in str(refusal(tmp_path))
    assert "no file has a name like this" in str(refusal(tmp_path / "*.csv"))


@pytest.mark.parametrize("filler", [0, 400_000], ids=["near the top", "far down"])
def test_text_that_is_not_utf_8_is_found_by_row_and_column(tmp_path, filler):
    path = tmp_path / "people.csv"
    good = "2,Renée\n".encode()
    path.write_bytes(b"phone,name\n" + good + b"1,x\n" * filler + b'2,"two\nlines"\n3,Ren\xe9\n')
    error = refusal(path)
    assert (error.row, error.column) == (filler + 3, "name")


def test_an_older_encoding_is_found_even_where_it_shows_only_far_down(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"phone,name\n" + b"1,x\n" * 400_000 + "3,Renée Müller\n".encode("cp1252"))
    assert cells(path)["name"][-1] == "Renée Müller"


def test_a_far_row_with_a_cell_too_many_is_found_by_its_number(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"phone,name\n" + b"1,x\n" * 400_000 + b"\n2,a,b\n")
    error = refusal(path)
    assert error.row == 400_002
    assert "3 cells, the header 2" in str(error)


def test_files_of_several_kinds_are_one_campaign_in_the_order_given(tmp_path):
    one, two, three = (tmp_path / name for name in ("b.csv", "a.parquet", "c.ndjson"))
    one.write_text("Phone Number,name\n1,Ann\n\n2,Bob\n")
    pl.DataFrame({"name": ["Cy"], "phone_number": [3]}).write_parquet(two)
    three.write_text('{"PHONENUMBER": 4, "name": null}\n')
    with read_recipients([one, two, three]) as reading:
        frame = reading.frame.collect()

    assert frame.to_dict(as_series=False) == {
        "Phone Number": ["1", None, "2", "3", "4"],
        "name": ["Ann", None, "Bob", "Cy", None],
    }
    starts = {f.sentence.split("'")[1]: f.rows for f in reading.findings if f.code == "file"}
    assert starts == {"b.csv": (1,), "a.parquet": (4,), "c.ndjson": (5,)}


def test_a_finding_in_a_later_file_names_the_rows_of_the_campaign(tmp_path):
    for name, text in {"1.csv": "phone,name\n1,x\n2,y\n", "2.csv": "phone,name\n3,z\n4\n"}.items():
        (tmp_path / name).write_text(text)

    with read_recipients([tmp_path / "?.csv"]) as reading:
        (short,) = [finding for finding in reading.findings if finding.code == "short_rows"]

    assert short.rows == (4,)
    assert reading.files == (str(tmp_path / "1.csv"), str(tmp_path / "2.csv"))


def test_files_with_other_columns_do_not_fit_together(tmp_path):
    (tmp_path / "1.csv").write_text("phone,name\n1,x\n")
    (tmp_path / "2.csv").write_text("phone,city\n1,x\n")
    error = refusal(tmp_path / "*.csv")
    assert "2.csv" in error.file
    assert "lacks 'name' and has 'city' besides" in str(error)


def test_what_the_user_says_of_a_file_wins_over_what_it_looks_like(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("phone;n,b\n1;José\n".encode("mac_roman"))
    assert cells(path, encoding="mac_roman", delimiter=",", header=False) == {
        "column_1": ["phone;n", "1;José"], "column_2": ["b", None],
    }  # fmt: skip


def test_a_copy_that_is_mended_is_for_its_owner_only_and_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "people.csv"
    path.write_bytes(ROWS.decode().encode("utf-16"))
    with read_recipients([path]):
        copies = [copy for copy in (tmp_path / "temporary").rglob("*") if copy.is_file()]
        assert [stat.S_IMODE(copy.stat().st_mode) for copy in copies] == [0o600]

    assert not list((tmp_path / "temporary").iterdir())


def test_the_digest_is_of_the_bytes_and_of_what_the_user_says(tmp_path):
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_bytes(ROWS)
    two.write_bytes(ROWS)
    with read_recipients([one]) as reading:
        assert files_digest(reading) == hashlib.sha256(ROWS).hexdigest()
        assert files_digest(reading, FileFormat()) == files_digest(reading)
        assert files_digest(reading, FileFormat(header=True)) != files_digest(reading)

    with read_recipients([one, two]) as both:
        assert files_digest(both) != files_digest(reading)


def test_a_line_that_does_not_end_is_refused_and_not_held(tmp_path):
    path = tmp_path / "people.csv"
    with path.open("wb") as file:
        file.writelines([b"phone,name\n1,x\n", *[b"y" * 1_000_000] * 100])

    assert "a line has more than 1,048,576 characters" in str(refusal(path))
    with path.open("wb") as file:
        file.writelines([b"y" * 1_000_000] * 100)

    assert "no line ends" in str(refusal(path))


def test_every_file_that_is_read_here_is_closed(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(ROWS)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        assert cells(path) == CELLS

    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
