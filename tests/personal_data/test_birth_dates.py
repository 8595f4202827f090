"""Birth dates as many writers note them, and dates that are no birth dates. The people and days do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from filters import personal_data
from filters.pii_rules.date_checks import read_date
from malmoi.document import Document, Provenance
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "pii"
FOUND = [json.loads(line) for line in (DATA / "birth-dates-found.jsonl").read_text("utf-8").splitlines()]
LEFT_ALONE = [
    json.loads(line)["text"] for line in (DATA / "birth-dates-left-alone.jsonl").read_text("utf-8").splitlines()
]


def find_birth_dates(text: str) -> list[str]:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return [span.value for span in personal_data.mark(doc) if span.kind == "pii:birth_date"]


@each_row("case", FOUND, ids=lambda case: case["text"])
def test_birth_dates_are_found(case: dict[str, object]) -> None:
    assert find_birth_dates(str(case["text"])) == case["found"]


@each_row("text", LEFT_ALONE)
def test_other_dates_are_left_alone(text: str) -> None:
    assert find_birth_dates(text) == []


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("１９９１．０２．３０", ("1991", 2, 30)),
        ("1991 02 30", ("1991", 2, 30)),
        ("구십일년 이월 삼십일", None),
        ("30 FEB 1991", None),
    ],
)
def test_dates_are_read_in_any_notation(value: str, parts: tuple[str, int, int] | None) -> None:
    assert read_date(value) == parts
