"""Every fact of the provider's document and of the older pages is tested, on both sides.

`api_table.csv` has a row for each: the tests of our client and receiver, and those of the
simulator. A cell that begins with `-` says why there is nothing to test on that side.
"""

import ast
import csv
from functools import cache
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parent
SIDES = ("client", "simulator")

#: What the pages say that were the project's first sources, number by number.
SEEDS = {
    "000 createMessage: up to 50 recipients",
    "000 createMessage: text is required",
    "000 listMessages: limit 1 to 1000, 50 by default",
    "000 listMessages: items are messages",
    "000 listMedia: continuationToken in the query",
    "000 listMedia: items have a contentType",
    "000 listMedia: 1000 files a page",
    "000 uploadMedia: up to 3.75 MB",
    "000 uploadMedia: application/octet-stream",
    "001 createMessage: five examples",
    "001 createMessage: to may be one string",
    "001 createMessage: text up to 2048 characters",
    "001 createMessage: tag up to 1024 characters",
    "001 createMessage: the tag is in every callback",
    "001 createMessage: Basic credentials",
    "002 createMessage: 160 characters of GSM-7, 70 of UCS-2, 1 for MMS",
    "002 webhooks: tried until a 2xx comes",
    "002 webhooks: given up after 24 hours",
    "002 messages: no text is stored",
    "002 media: kept for 48 hours",
    "002 media: only with credentials",
    "002 media: Cache-Control",
    "003 createMessage: checked after the 202",
    "003 webhooks: sent, delivered and blocked",
    "003 webhooks: an event for each recipient",
    "004 listMessages: at least one filter",
    "004 listMessages: up to 10 numbers, or 5 characters of one",
    "004 listMessages: + and & are percent-encoded",
    "004 listMessages: limit and what is before it up to 10000",
    "004 listMessages: totalCount up to 10000 where asked",
    "004 listMessages: 3500 requests in 5 minutes of an address",
}

#: What is described in the document, and belongs to messages of several channels alone.
OTHER_SCHEMAS = {
    "multiChannelMessageContent",
    "rbmLocationResponse",
    "rbmMessageContentFile",
    "rbmSuggestionResponse",
}


def facts_of_the_document():
    """Operations, parameters, statuses, headers, fields and callbacks, each in one line."""
    document = yaml.safe_load((TESTS / "data" / "messaging-openapi.yml").read_text())
    return {
        *operations_of(document),
        *fields_of(document),
        *(f"callback {kind}" for kind in kinds_of(document)),
    }


def operations_of(document):
    for path in document["paths"].values():
        for operation in path.values():
            name = operation["operationId"]
            yield f"operation {name}"
            for parameter in operation["parameters"]:
                yield f"parameter {name}.{resolved(document, parameter)['name']}"

            for status, answer in operation["responses"].items():
                yield f"status {name}.{status}"
                for header in resolved(document, answer).get("headers", ()):
                    yield f"header {name}.{status}.{header}"


def fields_of(document):
    for name, schema in document["components"]["schemas"].items():
        parts = [schema, *schema.get("allOf", ())]
        if name not in OTHER_SCHEMAS:
            yield from (
                f"field {name}.{field}" for part in parts for field in part.get("properties", ())
            )


def kinds_of(document):
    schemas = document["components"]["schemas"]
    return schemas["statusCallbackTypeEnum"]["enum"] + schemas["inboundCallbackTypeEnum"]["enum"]


def resolved(document, part):
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = document["components"][kind][name]

    return part


def table():
    with (TESTS / "api_table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def named_in(file):
    path = TESTS / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.parse("")
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


ROWS = table()


def test_every_fact_has_one_row_and_every_row_is_a_fact():
    facts = [row["fact"] for row in ROWS]
    assert sorted(facts) == sorted(facts_of_the_document() | {f"seed {seed}" for seed in SEEDS})


@pytest.mark.parametrize("side", SIDES)
def test_every_fact_is_tested_or_says_why_not(side):
    assert {row["fact"] for row in ROWS if not row[side]} == set()


@pytest.mark.parametrize("side", SIDES)
def test_every_test_that_is_named_exists(side):
    named = {test for row in ROWS for test in row[side].split() if not row[side].startswith("- ")}
    gone = {test for test in named if test.rpartition("::")[2] not in named_in(test.split("::")[0])}
    assert gone == set()


def test_a_reason_is_a_sentence():
    reasons = {row[side] for row in ROWS for side in SIDES if row[side].startswith("-")}
    assert all(len(reason) > 15 for reason in reasons)
