"""Labelled texts of the quality model, in the order of `labels.jsonl`, and the part that only measures.

A line of `labels.jsonl` names a text of this repository by the file and the id, how many of its code points were read
for the label, the digest of these, the score by docs/quality-rubric.md, and the reason. No text is stored twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
LABELS = Path(__file__).parent / "labels.jsonl"
HELD = 38  # of 256 groups, 15 %, by the first byte of the digest of their name; fixed before the first training


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text with its score, 0 to 5; `second` is the score of the second pass, where there is one."""

    id: str
    file: str
    text: str
    score: int
    first: int
    second: int | None

    @property
    def group(self) -> str:
        """Return the name that texts of the same origin share.

        These are a page and its raw text, and a text in two versions (t-003 and t-004).
        """
        kind, _, rest = self.id.partition("-")
        if kind in ("page", "raw"):
            return "page-" + "-".join(rest.split("-")[:3])
        return f"t-{(int(rest) - 1) // 2}" if kind == "t" else self.id

    @property
    def held(self) -> bool:
        """Whether the text only measures."""
        return hashlib.sha256(self.group.encode()).digest()[0] < HELD


def read_labelled() -> tuple[Labelled, ...]:
    """Return all labelled texts.

    Raises ValueError if a text is absent or has changed since it was labelled.
    """
    found = []
    for line in LABELS.open(encoding="utf-8"):
        row = json.loads(line)
        text = _read_file(row["file"]).get(row["id"], "")[: row["chars"]]
        if hashlib.sha256(text.encode()).hexdigest()[:12] != row["sha256"]:
            raise ValueError(
                f"benchmarks/{row['file']}: the text {row['id']} is absent or has changed since it was labelled. "
                f"Label it again by docs/quality-rubric.md, or remove its line from {LABELS.name}."
            )
        found.append(Labelled(row["id"], row["file"], text, row["score"], row["first"], row.get("second")))
    return tuple(found)


@cache
def _read_file(name: str) -> dict[str, str]:
    rows = map(json.loads, (ROOT / name).open(encoding="utf-8"))
    return {row["id"]: row["text"] for row in rows}
