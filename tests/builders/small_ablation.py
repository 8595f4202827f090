"""Plans of ablations over made-up texts, and a stand-in for an interpreter with torch."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

_SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조구누두루무부수기니디리미비시은을이의에"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

# Trains a unigram model with the interface of flows/ablation/train_model.py, without torch.
_TRAINER = """#!{python}
import json, sys
from pathlib import Path
import numpy as np
if sys.argv[1] == "-c":
    sys.exit()
job = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
folder = Path(job["folder"])
with (folder.parents[1] / "calls.txt").open("a") as stream:
    print(folder.name, file=stream)
counts = np.bincount(np.load(job["tokens"]), minlength=job["model"]["vocabulary"]) + 1
bits = -np.log2(counts / counts.sum())
print(json.dumps({{"step": job["steps"], "steps": job["steps"], "bits": float(bits.mean())}}), flush=True)
facts = {{"torch": "0", "device": "cpu", "threads": 1, "parameters": counts.size}}
(folder / "run.json").write_text(json.dumps(facts))
for one in job["measure"]:
    with np.load(one["from"]) as given:
        of_tokens = np.where(given["ids"] == 0, 0.0, bits[given["ids"]])
        np.save(one["to"], np.diff(np.concatenate([[0.0], np.cumsum(of_tokens)[given["ends"] - 1]])))
"""


def write_trainer(folder: Path) -> Path:
    """Write the stand-in; return its path for --python."""
    path = folder / "trainer"
    path.write_text(_TRAINER.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path


def make_texts(seed: int, count: int, words: int = 30, letters: str = _SYLLABLES) -> list[str]:
    """Texts of words from one lexicon of 200, so that a model learns something."""
    lexicon = ["".join(random.Random(i).choices(letters, k=2 + i % 3)) for i in range(200)]
    chance = random.Random(seed)
    return [" ".join(chance.choices(lexicon, k=words)) + "." for _ in range(count)]


def make_english(seed: int, count: int, words: int = 30) -> list[str]:
    return make_texts(seed, count, words, _LETTERS)


def write_lines(path: Path, texts: Sequence[str], **columns: Sequence[object]) -> Path:
    rows = [{"text": text, **{key: found[at] for key, found in columns.items()}} for at, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


PLAN = """
setting = "tiny"
seeds = 2

[[input]]
name = "korean"
path = "korean.jsonl"

[[input]]
name = "half"
path = "half.jsonl"

[[held_out]]
name = "unseen"
path = "unseen.jsonl"
"""


def write_ablation(folder: Path, plan: str = PLAN) -> Path:
    """Write the plan, two inputs and a held-out set; return the plan."""
    folder.mkdir(parents=True, exist_ok=True)
    korean = make_texts(1, 80)
    write_lines(folder / "korean.jsonl", korean, quality=[at / 80 for at in range(80)])
    write_lines(folder / "half.jsonl", [*korean[:40], *make_english(3, 40)])
    write_lines(folder / "unseen.jsonl", make_texts(2, 40))
    path = folder / "plan.toml"
    path.write_text(plan, encoding="utf-8")
    return path
