"""Reduce the provider's OpenAPI document to the facts of the messaging API that the tests check.

    python -m tests.make_openapi bandwidth.yml > tests/data/messaging-openapi.yml

The document is the one the provider's Python SDK is generated from (Bandwidth/python-sdk,
`bandwidth.yml`). Kept: the operations that the simulator serves, their parameters, bodies, statuses
and callbacks, with types, enumerations and limits. Left out: every sentence and every example.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

OPERATIONS = {
    "createMessage",
    "listMessages",
    "listMedia",
    "uploadMedia",
    "getMedia",
    "deleteMedia",
}
HEADER = """\
# Facts of Bandwidth's Messaging API: made by `python -m tests.make_openapi` from `bandwidth.yml` of
# github.com/Bandwidth/python-sdk (July 2026), without its sentences and examples. Do not edit.
"""
PROSE = {"description", "summary", "title", "example", "examples", "tags", "servers"}
#: Below these, keys are names that people chose, not words of OpenAPI.
NAMED = {"properties", "responses", "schemas", "parameters", "headers", "callbacks", "content"}
BASE = "https://messaging.bandwidth.com/api/v2"


def main(source: str) -> str:
    document = yaml.safe_load(Path(source).read_text())
    paths = {}
    for path, item in document["paths"].items():
        kept = {
            method: operation
            for method, operation in item.items()
            if isinstance(operation, dict) and operation.get("operationId") in OPERATIONS
        }
        if kept:
            paths[path] = without_prose(kept)

    callbacks = without_prose({"callbacks": document["components"]["callbacks"]})
    reduced = {
        "openapi": document["openapi"],
        "info": {"title": "Messaging", "version": str(document["info"]["version"])},
        "servers": [{"url": BASE}],
        "security": document["security"],
        "paths": paths,
        "components": callbacks
        | {"securitySchemes": without_prose(document["components"]["securitySchemes"])},
    }
    add_what_is_referred_to(reduced, document)
    return HEADER + yaml.safe_dump(reduced, sort_keys=True, width=100)


def without_prose(part, *, named=False):
    """The part without the words of OpenAPI that hold sentences."""
    if isinstance(part, list):
        return [without_prose(each) for each in part]

    if not isinstance(part, dict):
        return part

    kept = {}
    for key, value in part.items():
        if named or key not in PROSE:
            kept[key] = without_prose(value, named=not named and key in NAMED)
        elif key == "description" and is_answer(part):
            kept[key] = ""  # OpenAPI asks for one

    return kept


def is_answer(part):
    return isinstance(part, dict) and not {"in", "schema", "type", "requestBody"} & part.keys()


def add_what_is_referred_to(reduced, document):
    """Put every component into `reduced` that something in it names."""
    waiting = list(references(reduced))
    while waiting:
        kind, name = waiting.pop().split("/")[2:]
        components = reduced["components"].setdefault(kind, {})
        if name not in components:
            components[name] = without_prose(document["components"][kind][name])
            waiting += references(components[name])


def references(part):
    if isinstance(part, list):
        for each in part:
            yield from references(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)


if __name__ == "__main__":
    print(main(sys.argv[1]), end="")
