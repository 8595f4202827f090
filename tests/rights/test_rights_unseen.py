"""The four unseen sets: frozen as they were first run, and no outcome worse than reached since.

Their first runs are in their README; a rule is never made from them again.
"""

from __future__ import annotations

import hashlib

import pytest

from tests.rights.unseen_cases import FOLDER, decide_case, outcome, read_cases


@pytest.mark.parametrize("name", ["unseen", "unseen2", "unseen3", "unseen4"])
def test_the_files_are_those_of_the_first_run(name: str) -> None:
    rows = [row.split() for row in (FOLDER / name / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (FOLDER / name).glob("*.jsonl")}
    assert {file.lstrip("*./"): digest for digest, file in rows if file.endswith(".jsonl")} == found


@pytest.mark.parametrize(
    ("name", "most_false", "least_true"),
    [("unseen", 15, 172), ("unseen2", 32, 96), ("unseen3", 18, 49), ("unseen4", 34, 55)],
)
def test_no_outcome_is_worse_than_reached(name: str, most_false: int, least_true: int) -> None:
    rows = [(case, outcome(decide_case(case))) for case in read_cases(name)]
    granted = [case for case, got in rows if got == "redistribute"]
    false = [one["id"] for one in granted if "redistribute" not in (one["want"], *(one.get("also") or ()))]
    true = [one["id"] for one in granted if one["want"] == "redistribute"]
    assert len(false) <= most_false, false
    assert len(true) >= least_true
