"""Look an error code up: what it means, whether it costs, what to do."""

import pytest

from pipeline.bandwidth.error_codes import error_codes


def test_a_code_is_explained_in_plain_words(bandcast):
    done = bandcast("errors", "4720")
    assert (done.code, done.err) == (0, "")
    for said in ("4720", "permanent", "found by the carrier", "billed", "landline", "off the list"):
        assert said in done.out


def test_all_of_them_are_listed_with_a_line_for_each(bandcast):
    done = bandcast("errors")
    assert done.code == 0
    assert [int(line[:4]) for line in done.out.splitlines()] == list(error_codes())


def test_a_program_gets_one_document(bandcast):
    assert bandcast("errors", "4470", "--json").json == {
        "code": 4470,
        "name": "rejected-spam-detected",
        "class": "permanent",
        "billed": "yes",
        "detected_by": "bandwidth",
        "means": error_codes()[4470].means,
        "remedy": error_codes()[4470].remedy,
    }
    listed = bandcast("errors", "--json").json["codes"]
    assert [each["code"] for each in listed] == list(error_codes())


def test_a_code_that_is_newer_than_the_table_goes_by_its_number(bandcast):
    done = bandcast("errors", "4799")
    assert done.code == 0
    for said in ("does not know", "permanent", "the carrier", "perhaps billed"):
        assert said in done.out


@pytest.mark.parametrize("code", ["404", "6000", "47200", "spam", "4.7"])
def test_what_is_no_code_is_bad_usage_said_in_a_sentence(bandcast, code):
    done = bandcast("errors", code)
    assert (done.code, done.out) == (2, "")
    assert len(done.sentences()) == 1
    assert "code" in done.err.lower()
