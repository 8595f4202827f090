"""The ledger refuses to be wrong: what goes in comes out."""

import pytest

from malmoi.errors import StageError
from malmoi.ledger import Failure, File, Ledger, reverse_drops, total


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
    one = Ledger("4-unique", "k", {"a": 2}, {"a": 1}, {("a", "x", "y"): 1}, files=(File("f", "00", 1, 2),), torn=("t",))
    assert Ledger.from_json(one.to_json()).to_json() == one.to_json()


def test_what_is_no_ledger_is_refused():
    with pytest.raises(StageError, match="not a ledger"):
        Ledger.from_json("{}")


NEAR = ("a", "near_duplicates", "near-copy")


def test_a_reversing_entry_takes_drops_back_and_the_sum_is_what_became_of_everyone():
    first = Ledger("4-unique", "k", {"a": 5}, {"a": 2}, {NEAR: 3})
    second = reverse_drops(Ledger("4-unique", "p", {"a": 2}, {"a": 1}, {("a", "later", "bad"): 1}), {NEAR: 2})
    entered, kept, dropped, failed = total([first, second])
    assert (entered, kept, failed) == ({"a": 5}, {"a": 3}, [])
    assert dropped == {NEAR: 1, ("a", "later", "bad"): 1}
    assert entered.total() == kept.total() + dropped.total()


def test_drops_that_were_all_taken_back_are_not_listed_as_none():
    first = Ledger("4-unique", "k", {"a": 2}, {"a": 1}, {NEAR: 1})
    second = reverse_drops(Ledger("4-unique", "p", {"a": 1}, {"a": 1}, {}), {NEAR: 1})
    assert total([first, second])[2] == {}


def test_a_reversing_entry_reads_back_as_it_was_written():
    one = reverse_drops(Ledger("4-unique", "p", {"a": 2}, {"a": 2}, {}), {NEAR: 2})
    assert Ledger.from_json(one.to_json()).to_json() == one.to_json()
    assert Ledger.from_json(one.to_json()).reverses == one.reverses
    assert "reverses" not in Ledger("4-unique", "k", {"a": 1}, {"a": 1}, {}).to_json()


@pytest.mark.parametrize(
    ("entered", "kept", "dropped", "reverses"),
    [
        ({}, {"a": 1}, {NEAR: -1}, ()),
        ({}, {"a": 1}, {NEAR: -1}, (("near_duplicates", "another"),)),
        ({}, {"a": -1}, {NEAR: 1}, (NEAR[1:],)),
        ({"a": -1}, {"a": -1}, {}, ()),
        ({"a": 2}, {"a": 3}, {NEAR: -1}, (NEAR[1:],)),
    ],
)
def test_nothing_else_is_negative_and_nothing_enters_by_a_reversing_entry(entered, kept, dropped, reverses):
    with pytest.raises(StageError, match=r"less than nothing|nothing enters"):
        Ledger("4-unique", "k", entered, kept, dropped, reverses=reverses)


def test_a_reversing_entry_takes_back_just_as_many_as_came():
    with pytest.raises(StageError, match="in = kept"):
        reverse_drops(Ledger("4-unique", "p", {"a": 2}, {"a": 2}, {}), {NEAR: 1})
