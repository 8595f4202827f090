"""The ledger refuses to be wrong: what goes in comes out."""

import pytest

from malmoi.errors import StageError
from malmoi.ledger import Failure, File, Ledger


def test_what_goes_in_comes_out():
    Ledger("3-clean", "k", {"a": 3}, {"a": 1}, {("a", "length", "too-short"): 1}, (Failure("a/3", "a", "killed"),))


@pytest.mark.parametrize(
    ("entered", "kept", "why"),
    [
        ({"a": 3}, {"a": 2}, "one vanished"),
        ({"a": 1}, {"a": 2}, "one came from nowhere"),
        ({}, {"b": 1}, "no such source"),
    ],
)
def test_a_ledger_that_does_not_add_up_cannot_be_made(entered, kept, why):
    with pytest.raises(StageError, match="in = kept"):
        Ledger("3-clean", "k", entered, kept, {})


def test_a_ledger_reads_back_as_it_was_written():
    one = Ledger("4-judged", "k", {"a": 2}, {"a": 1}, {("a", "x", "y"): 1}, files=(File("f", "00", 1, 2),), torn=("t",))
    assert Ledger.from_json(one.to_json()).to_json() == one.to_json()


def test_what_is_no_ledger_is_refused():
    with pytest.raises(StageError, match="not a ledger"):
        Ledger.from_json("{}")


@pytest.mark.parametrize(
    ("entered", "kept", "dropped", "edits"),
    [
        ({}, {"a": 1}, {("a", "near_duplicates", "near-copy"): -1}, {}),
        ({"a": -1}, {"a": -1}, {}, {}),
        ({}, {"a": -1}, {("a", "length", "too-short"): 1}, {}),
        ({"a": 1}, {"a": 1}, {}, {("a", "redact", "pii:phone"): -1}),
    ],
)
def test_no_count_is_negative(entered, kept, dropped, edits):
    with pytest.raises(StageError, match="negative count"):
        Ledger("5-curated", "k", entered, kept, dropped, edits=edits)
