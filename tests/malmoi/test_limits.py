"""Limits on untrusted input: one module, one page, one name each."""

from pathlib import Path

from malmoi import limits

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"


def test_the_page_lists_every_limit_with_its_value():
    rows = [line.split("|")[1:4] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = [(name.strip().strip("`"), amount.strip(), bounds.strip()) for name, amount, bounds in rows]
    assert listed == [(one.name, one.amount(), one.bounds) for one in limits.list_limits()]


def test_names_are_unique_and_those_of_their_constants():
    names = [one.name for one in limits.list_limits()]
    assert len(names) == len(set(names))
    assert all(getattr(limits, name.upper()).name == name for name in names)
