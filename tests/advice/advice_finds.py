"""Cases of tests/advice/test_advice.py: finds of the second detector that keep documents out of a release."""

import json

from tests.advice.advice import advice

CLEAR = "review clear '{}' --reviewer Kim --reason '{}' --workspace w"
ROW = {
    "id": "small/1", "source": "small", "digest": "0123456789abcdef", "table": "data", "column": "text", "kind": "key",
    "shape": "capitals", "count": 1, "context": "",
}  # fmt: skip


def listed(place, **changed):
    """A workspace with a list of one find."""
    place.released()
    place.write("w/reports/quarantine-general.jsonl", json.dumps(ROW | changed) + "\n")


@advice("the second detector finds {} in --reviewer or --reason, which releases publish; nothing was written. Describe "
        "the false alarm without the value.")  # fmt: skip
def clear_with_the_value(place):
    listed(place)
    yield CLEAR.format("small/1", "api_key=NHNKCP-PG-KEY-2")
    yield CLEAR.format("small/1", "a placeholder")


@advice("no find of the second detector is in {}; nothing was written. Give a shape as `malmoi review finds` shows it, "
        "or the id of a document; finds without a shape (-) are cleared by the id.")  # fmt: skip
def clear_of_nothing(place):
    listed(place, shape="")
    yield CLEAR.format("small | key | -", "read")
    yield "review finds --workspace w"
    yield CLEAR.format("small/1", "read")


@advice("a find of {} is in its id, or in the host of its address, which a card may show, or it is a fault that "
        "`malmoi verify` would state; it cannot be cleared, and nothing was written. Correct the rule or the source "
        "that is wrong (docs/personal-data.md).")  # fmt: skip
def clear_of_an_id(place):
    listed(place, table="card", column="id")
    yield CLEAR.format("small/1", "read")
    yield "review finds --workspace w"
