"""Placeholders of keys and repeated values, written from the facts of the issue alone, before any rule was read.

First run: of 34 placeholders the first detector called 2 a key (7 before the rules), the second 2 (9 before); both were
keys of a vendor's manual, and were mended then. Of 16 texts with repeats none was wrong (5 before).
"""

import json
from pathlib import Path
from typing import Any

from filters.personal_data import mark
from filters.redact import make_redactor
from flows.run import recipe_of
from malmoi.document import Document, Provenance
from malmoi.releases.residue import kinds
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "pii" / "third.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
PAGE = "설정 파일을 만들고 다음 줄을 적습니다.\n\n{}\n\n저장한 다음 서버를 다시 시작하면 됩니다."


@each_row("case", [c for c in CASES if "gone" not in c], ids=lambda c: c["id"])
def test_a_placeholder_is_a_key_for_neither_detector(case: dict[str, Any]) -> None:
    text = PAGE.format(case["text"])
    found = mark(Document("a/1", text, Provenance("a", "", "", "", "")))
    assert not [span.value for span in found if span.kind in ("pii:key", "pii:url_secret")]
    assert "key" not in list(kinds(text))


@each_row("case", [c for c in CASES if "gone" in c], ids=lambda c: c["id"])
def test_a_value_found_once_is_masked_in_every_writing(case: dict[str, Any]) -> None:
    redact = make_redactor(recipe_of("general"))
    assert redact is not None
    text = redact(case["text"])
    assert [value for value in case["gone"] if value in text] == []
    assert [value for value in case["stays"] if value not in text] == []
