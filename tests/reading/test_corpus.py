"""Every odd and damaged file of the corpus meets exactly the decision that is written beside it."""

import pytest

from pipeline.errors import InputError
from pipeline.reading.files import read_recipients
from tests.files.make import CASES, Refused, Rows

READ = [case for case in CASES if isinstance(case.expected, Rows)]
REFUSED = [case for case in CASES if isinstance(case.expected, Refused)]


def test_the_corpus_is_as_large_as_was_promised():
    assert len(CASES) >= 120
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_a_file_that_can_be_read_is_read_so(tmp_path, case):
    path, expected = tmp_path / case.file, case.expected
    path.write_bytes(case.content)
    with read_recipients([path]) as reading:
        frame = reading.frame.collect()

    separator = "|" if "|" in expected.columns else " "
    assert frame.columns == expected.columns.split(separator)
    assert (frame.height, reading.rows) == (expected.rows, expected.rows)
    assert (reading.encoding, reading.delimiter) == (expected.encoding, expected.delimiter)
    assert [finding.code for finding in reading.findings] == expected.findings.split()
    for number, cells in ((0, expected.first), (-1, expected.last)):
        if cells is not None:
            assert (
                "/".join("" if cell is None else str(cell) for cell in frame.row(number)) == cells
            )


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_file_that_cannot_be_read_says_why_and_where(tmp_path, case):
    path, expected = tmp_path / case.file, case.expected
    path.write_bytes(case.content)
    with pytest.raises(InputError) as caught, read_recipients([path]):
        pass

    assert expected.words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.file == str(path)
    assert caught.value.row == expected.row
    if expected.column:
        assert caught.value.column == expected.column
