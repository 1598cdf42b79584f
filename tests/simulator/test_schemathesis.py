"""The provider's own document, run against the simulator by schemathesis with all of its checks.

The document gives types; its sentences give limits. `LIMITS` says the sentences in the document's
language, so that what it calls valid is valid. What is left out stands in `LEFT_OUT` and
`CANNOT_BE_SAID`, with the reason; the document's callbacks and its endpoint for several channels
are no requests to the simulator.
"""

import copy
from pathlib import Path

import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, assume, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from pipeline.simulator.access import Credentials
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.media import CONTENT_TYPES

from .caller import BASIC

DOCUMENT = Path(__file__).parents[1] / "data" / "messaging-openapi.yml"
EXAMPLES = 40

NUMBER = r"\+[1-9][0-9]{6,14}"
HANDSETS = r"^(\+[0-9]{4,15}|[0-9]{5,15}|\+?[0-9]{1,15}(,\+?[0-9]{1,15}){1,9})$"
SENDERS = r"^([A-Za-z0-9 +_&-]{5,16}|[A-Za-z0-9 +_&-]{1,16}(,[A-Za-z0-9 +_&-]{1,16}){1,9})$"
MOMENT = r"^20[0-9]{2}-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$"
COUNTRY = "^[A-Z]{3}$"
NATURAL = {"minimum": 0, "maximum": 10**18 - 1}
SORT = {"enum": ["sourceTn:desc", "receiveTime:asc", "carrierName:asc", "errorCode:desc"]}

#: What the document says in words only: component -> facts to add to its schema.
LIMITS = {
    ("schemas", "applicationId"): {"minLength": 1},
    ("schemas", "tag"): {"maxLength": 1024},
    ("schemas", "messageMedia"): {"maxItems": 10},
    ("schemas", "expiration"): {"pattern": r"^2[1-9][0-9]{2}-0[1-9]-0[1-9]T0[0-9]:[0-5]0:00Z$"},
    ("parameters", "sourceTn"): {"pattern": SENDERS},
    ("parameters", "destinationTn"): {"pattern": HANDSETS},
    ("parameters", "fromDateTime"): {"pattern": MOMENT},
    ("parameters", "toDateTime"): {"pattern": MOMENT},
    ("parameters", "callingNumberCountryA3"): {"pattern": COUNTRY},
    ("parameters", "calledNumberCountryA3"): {"pattern": COUNTRY},
    ("parameters", "errorCode"): NATURAL,
    ("parameters", "fromBwLatency"): NATURAL,
    ("parameters", "fromCarrierLatency"): NATURAL,
    ("parameters", "fromSegmentCount"): NATURAL,
    ("parameters", "toSegmentCount"): NATURAL,
    ("parameters", "fromMessageSize"): NATURAL,
    ("parameters", "toMessageSize"): NATURAL,
    ("parameters", "limit"): {"minimum": 1, "maximum": 10_000},
    ("parameters", "sort"): SORT,
    # Only what an earlier answer gave out is valid; these are such tokens.
    ("parameters", "pageToken"): {"enum": ["YWZ0ZXI6MA=="]},
    ("parameters", "continuationToken"): {"enum": ["YWZ0ZXI6YQ=="]},
}
MESSAGE = {
    "to": {"minItems": 1, "maxItems": 10, "items": {"type": "string", "pattern": f"^{NUMBER}$"}},
    "from": {
        "anyOf": [
            {"pattern": f"^{NUMBER}$"},
            {"pattern": "^[0-9]{3,8}$"},
            {"allOf": [{"pattern": "^[A-Za-z0-9 +_&-]{1,11}$"}, {"pattern": "[A-Za-z]"}]},
        ]
    },
}
TEXT_OR_MEDIA = [
    {"required": ["text"], "properties": {"text": {"minLength": 1}}},
    {"required": ["media"], "properties": {"media": {"minItems": 1}}},
]

#: Check -> operation -> why it is not run there.
LEFT_OUT = {
    "content_type_conformance": {
        "getMedia": "the document calls every file an octet stream; the provider answers with the "
        "type that was uploaded, as its own client's tests show",
    },
    "negative_data_rejection": {
        "uploadMedia": "bytes that are no valid body do not exist: every file is one",
    },
}
PAGING = {"sort", "limit", "pageToken", "limitTotalCount"}
#: What the document cannot say of a valid request, and the test therefore sees to.
CANNOT_BE_SAID = {
    "listMessages": "at least one filter is needed",
    "getMedia": "a slash in a name must not be percent-encoded, as schemathesis does",
    "uploadMedia": "the same",
    "deleteMedia": "the same",
}


def limited():
    """The document with its limits."""
    document = yaml.safe_load(DOCUMENT.read_text())
    components = document["components"]
    for (kind, name), facts in LIMITS.items():
        part = components[kind][name]
        (part if kind == "schemas" else part["schema"]).update(facts)

    request = components["schemas"]["messageRequest"]
    for field, facts in MESSAGE.items():
        request["properties"][field].update(facts)

    request["anyOf"] = TEXT_OR_MEDIA
    return document


def loaded(mode):
    config = schemathesis.Config.from_dict(
        {"generation": {"mode": mode.value, "max-examples": EXAMPLES, "deterministic": True}}
    )
    schema = schemathesis.openapi.from_dict(copy.deepcopy(limited()), config=config)
    schema.app = make_app(Behaviour(), credentials=Credentials(basic=BASIC))
    return schema


@schemathesis.serializer(*sorted(CONTENT_TYPES - {"application/json", "application/octet-stream"}))
def as_it_is(_context, value):
    """A file is its bytes, whatever its type."""
    return value if isinstance(value, bytes) else str(value).encode()


BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
valid = loaded(GenerationMode.POSITIVE)
invalid = loaded(GenerationMode.NEGATIVE)


@valid.parametrize()
@BOUNDED
def test_what_the_document_calls_valid_is_answered_as_it_says(case):
    operation = operation_of(case)
    if operation == "listMessages" and not case.query.keys() - PAGING:
        case.query["messageDirection"] = "OUTBOUND"

    if operation in CANNOT_BE_SAID and "mediaId" in case.path_parameters:
        assume("/" not in case.path_parameters["mediaId"])

    checked(case)


@invalid.parametrize()
@BOUNDED
def test_what_the_document_calls_invalid_is_refused_as_it_says(case):
    checked(case)


def operation_of(case):
    return case.operation.definition.raw["operationId"]


def checked(case):
    operation = operation_of(case)
    left_out = [
        check
        for name, operations in LEFT_OUT.items()
        if operation in operations
        for check in CHECKS.get_by_names([name])
    ]
    case.call_and_validate(auth=BASIC, excluded_checks=left_out)
