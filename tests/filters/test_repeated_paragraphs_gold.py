"""The hand-made set of paragraphs: what must go, what must stay, however often it stands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.builders.small_paragraphs import PLACES, document, mended, surveyed

GOLD = Path(__file__).parents[1] / "data" / "repeated_paragraphs.jsonl"


def gold() -> list[dict[str, Any]]:
    return [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]


def filled(text: str, n: int) -> str:
    """The line as it stands in the n-th of its documents: what is in braces differs from page to page."""
    one, other = PLACES[n % 10], PLACES[n // 10 % 10]
    values = {
        "date": f"{1990 + n % 30}년 {n % 12 + 1}월 {n % 28 + 1}일",
        "number": f"{n * 37 + 4:,}",
        "person": f"{'김이박최정강조윤장임'[n % 10]}{other}",
        "mail": f"desk{n}@garam.example",
        "phone": f"02-000-{1000 + n}",
        "work": f"{one}의 {other}",
        "title": f"{one}{other} 마을의 봄",
        "topic": f"{one}{other} 옛길",
    }
    return text.format_map(values)


def judged(lines: Sequence[dict[str, Any]], folder: Path) -> list[str]:
    """What becomes of each line in a corpus that holds all of them: remove, keep, or neither throughout."""
    held: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for at, line in enumerate(lines):
        for n in range(line["documents"]):
            held.setdefault((n % line["hosts"], n // line["hosts"]), []).append((at, filled(line["text"], n)))
    docs, places = [], []
    for (host, page), extra in held.items():
        n = 100 * host + page
        # Title of the page: that of the n-th document of a line on one host.
        docs.append(
            document(n, *(text for _, text in extra), host=f"h{host}.example", title=filled("{title} - 가람누리", page))
        )
        places.append(extra)
    rows = surveyed(docs, folder)
    gone: Counter[int] = Counter()
    for doc, extra in zip(docs, places, strict=True):
        left = set(mended(doc, rows, max_removed=1.0).split("\n"))
        gone.update(at for at, text in extra if text.rstrip() not in left and text not in left)
    return [
        "remove" if gone[at] >= line["documents"] - 1 else "keep" if not gone[at] else f"{gone[at]} times"
        for at, line in enumerate(lines)
    ]


@pytest.mark.parametrize("half", ["open", "held"])
def test_the_lines_of_the_gold_set(half, tmp_path):
    lines = [line for line in gold() if line["half"] == half]
    assert len(lines) >= 60
    wrong = {
        line["text"]: said for line, said in zip(lines, judged(lines, tmp_path), strict=True) if said != line["expect"]
    }
    known = {line["text"] for line in lines if line.get("known")}
    assert set(wrong) == known, {text: wrong.get(text) for text in set(wrong) ^ known}
