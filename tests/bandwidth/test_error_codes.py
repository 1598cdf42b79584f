"""The table of error codes holds the provider's facts, all of them, and explains each in words."""

import csv
from pathlib import Path

import pytest

from pipeline.bandwidth.error_codes import (
    Billed,
    Detector,
    ErrorClass,
    error_codes,
    find,
    is_billed,
    presume,
)

#: Code, name, class, billing and category of each code, without anybody's words.
FACTS = list(
    csv.DictReader(
        (Path(__file__).parents[1] / "data" / "error_code_facts.csv").read_text().splitlines()
    )
)

#: Called transient by the provider, and in doubt for us: a second try may be a second text.
CAUTIOUS = {4702: ErrorClass.AMBIGUOUS, 5630: ErrorClass.AMBIGUOUS}


def test_all_89_codes_are_there_once_and_in_order():
    codes = [int(fact["code"]) for fact in FACTS]
    assert len(codes) == 89
    assert list(error_codes()) == codes == sorted(codes)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["code"])
def test_a_code_has_the_name_the_class_and_the_billing_of_the_provider(fact):
    code = find(int(fact["code"]))
    assert code.name == fact["name"]
    assert code.error_class == CAUTIOUS.get(code.code, fact["class"])
    assert code.billed == fact["billed"]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["code"])
def test_a_code_was_found_by_whom_its_category_names(fact):
    found_by = {"bandwidth": "bandwidth", "carrier": "carrier", "ambiguous": "carrier"}
    found_by["historic"] = "bandwidth"  # 41.., 51.. and 55..
    category = "bandwidth" if fact["code"] == "5999" else fact["category"].split("-")[0]
    assert find(int(fact["code"])).detected_by == found_by[category]


@pytest.mark.parametrize("code", error_codes().values(), ids=lambda code: code.code)
def test_a_code_says_in_a_sentence_what_it_means_and_what_to_do(code):
    assert len(code.means.split()) >= 5
    assert len(code.remedy.split()) >= 3
    assert not code.sentence.endswith(".")
    assert code.sentence == f"{code.means}; {code.remedy}"


def test_what_bandwidth_finds_itself_is_free_and_what_carriers_find_is_billed():
    known = [code for code in error_codes().values() if code.billed is not Billed.UNKNOWN]
    odd = {code.code for code in known
           if (code.billed is Billed.YES) != (code.detected_by is Detector.CARRIER)}  # fmt: skip
    assert odd == {4121, 4470}, "spam, found by Bandwidth, is what it bills all the same"


def test_a_class_follows_the_number_but_for_the_codes_whose_meaning_says_otherwise():
    overruled = {code.code for code in error_codes().values()
                 if code.error_class is not presume(code.code).error_class}  # fmt: skip
    assert overruled == {4701, 4702, 4710, 4780, 4781, 4785, 5229, 5630}


UNKNOWN = {
    "client, found by Bandwidth": (4499, ErrorClass.PERMANENT, Detector.BANDWIDTH),
    "client, found by the carrier": (4799, ErrorClass.PERMANENT, Detector.CARRIER),
    "service, found by Bandwidth": (5299, ErrorClass.TRANSIENT, Detector.BANDWIDTH),
    "service, found by the carrier": (5699, ErrorClass.TRANSIENT, Detector.CARRIER),
    "nobody knows": (9990, ErrorClass.AMBIGUOUS, Detector.CARRIER),
}


@pytest.mark.parametrize(("code", "error_class", "finder"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_code_that_is_not_in_the_table_goes_by_its_number(code, error_class, finder):
    assert find(code) is None
    presumed = presume(code)
    assert (presumed.error_class, presumed.detected_by) == (error_class, finder)
    assert presumed.billed is Billed.UNKNOWN


@pytest.mark.parametrize(
    ("code", "billed"),
    [(4404, False), (5100, False), (4470, True), (4720, True), (9902, True), (4476, True),
     (4499, True), (None, True)],
    ids=["Bandwidth", "its outage", "its spam filter", "carrier", "no receipt", "nobody says",
         "unknown code", "no code"],
)  # fmt: skip
def test_only_what_is_known_to_be_free_is_counted_as_free(code, billed):
    assert is_billed(code) is billed
