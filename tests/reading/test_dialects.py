"""Any table, written in any dialect and encoding, comes back cell by cell."""

import csv
import gzip
import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.reading.files import read_recipients

DELIMITERS = [",", ";", "\t", "|"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
PACKINGS = [bytes, gzip.compress, zstd.compress]

#: What people write: letters, digits, the odd sign, quotes, delimiters and line breaks.
_USUAL = "abcXYZ 0123456789+-()'\"’,;|\t\n\r.=#*\\éüßŁ€日😀"
CELLS = st.text(
    st.sampled_from(_USUAL) | st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]),
    max_size=12,
)


@st.composite
def tables(draw):
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=2, max_size=8))
    numbered = [[f"+1919555{number:04}", *row[1:]] for number, row in enumerate(rows)]
    return [["phone", *(f"column {letter}" for letter in "abcd"[: width - 1])], *numbered]


def written(table, *, delimiter, line_end, quoting, encoding, packed):
    file = io.StringIO(newline="")
    if quoting == csv.QUOTE_MINIMAL:  # leaves the other line ends unquoted
        table = [[re.sub(r"[\r\n]", line_end, cell) for cell in row] for row in table]

    csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(table)
    return table, packed(file.getvalue().encode(encoding))


def cells_of(content):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.txt"
        path.write_bytes(content)
        with read_recipients([path]) as reading:
            frame = reading.frame.collect()

    return [frame.columns, *([cell or "" for cell in row] for row in frame.iter_rows())], reading


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    table=tables(),
    delimiter=st.sampled_from(DELIMITERS),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(ENCODINGS),
    packed=st.sampled_from(PACKINGS),
)
def test_a_table_comes_back_cell_by_cell(table, delimiter, line_end, quoting, encoding, packed):
    table, content = written(
        table, delimiter=delimiter, line_end=line_end, quoting=quoting, encoding=encoding,
        packed=packed,
    )  # fmt: skip
    assert cells_of(content)[0] == table


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman"])
@settings(max_examples=10)
@given(
    names=st.permutations(["Renée", "Zoë", "Müller", "François", "Jürgen", "José", "Peña", "Åse"])
)
def test_names_in_an_older_encoding_come_back_and_the_guess_is_said(encoding, names):
    table = [["phone", "name"], *([f"+1919555{n:04}", name] for n, name in enumerate(names))]
    content = "\n".join(";".join(row) for row in table).encode(encoding)
    found, reading = cells_of(content)
    assert found == table
    assert [finding.is_repair for finding in reading.findings] == [True]


def test_quoted_line_breaks_survive_where_polars_splits_the_file_for_its_threads(tmp_path):
    path = tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["phone", "text"])
        writer.writerows([f"{row}", f'a "{row}"\n,\r\n{row}\n'] for row in range(100_000))

    with read_recipients([path]) as reading:
        frame = reading.frame.collect(engine="streaming")

    assert frame["phone"].to_list() == [f"{row}" for row in range(100_000)]
    assert frame["text"].to_list() == [f'a "{row}"\n,\r\n{row}\n' for row in range(100_000)]
