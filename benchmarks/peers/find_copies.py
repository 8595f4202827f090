"""Copies as others find them: `find_copies.py SYSTEM TEXTS.jsonl ANSWERS.jsonl`, where `find_copies.txt` is installed.

Reads {id, text} a line, writes {id, keeper} a line in the same order; a text that is kept is its own keeper.
Each system is run as its own documentation shows it, with its own thresholds; what had to be changed stands beside it.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

PERMUTATIONS = 128
THRESHOLD = 0.8
Texts = Sequence[tuple[str, str]]
Keepers = dict[str, str]


def whole(text: str) -> str:
    """The text with lone surrogates replaced: not every system takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def words(text: str) -> list[str]:
    return text.split()


def letters(text: str) -> list[str]:
    """Malmoi's shingles: five letters, digits or marks in lower case."""
    found = "".join(c for c in text.lower() if unicodedata.category(c)[0] in "LNM")
    return [found[i : i + 5] for i in range(max(1, len(found) - 4))] if found else []


def characters(text: str) -> list[str]:
    """Five characters as they stand, blanks and signs too."""
    return [text[i : i + 5] for i in range(max(1, len(text) - 4))]


def datatrove(texts: Texts) -> Keepers:
    """Its four stages with its defaults: 14 bands of 8, five words a shingle, nothing verified.

    Its Korean tokeniser needs kiwipiepy below 0.22, and gets text decomposed by its own `simplify_text`, of which it
    makes words between blanks; a tokeniser that splits at blanks stands here in its place.
    """
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Blanks(WordTokenizer):  # type: ignore[misc]
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    with tempfile.TemporaryDirectory() as folder:
        home, config = Path(folder), MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
        (home / "in").mkdir()
        lines = (json.dumps({"id": i, "text": t}, ensure_ascii=False) + "\n" for i, t in texts)
        (home / "in" / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
        reader = JsonlReader(str(home / "in"))
        gone = JsonlWriter(str(home / "gone"), output_filename="${rank}.jsonl", compression=None)
        kept = JsonlWriter(str(home / "kept"), output_filename="${rank}.jsonl", compression=None)
        stages: list[tuple[int, list[Any]]] = [
            (1, [reader, MinhashDedupSignature(str(home / "sig"), config=config, language=Blanks())]),
            (14, [MinhashDedupBuckets(str(home / "sig"), str(home / "buckets"), config=config)]),
            (1, [MinhashDedupCluster(str(home / "buckets"), str(home / "rm"), config=config, save_cluster_id=True)]),
            (1, [reader, MinhashDedupFilter(str(home / "rm"), gone, load_cluster_ids=True), kept]),
        ]
        for number, (tasks, steps) in enumerate(stages):
            LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=str(home / f"logs{number}")).run()
        standing = {r["metadata"]["minhash_cluster_id"]: r["id"] for r in _rows(home / "kept")}
        lost = {r["id"]: standing[r["metadata"]["minhash_cluster_id"]] for r in _rows(home / "gone")}
    return {name: lost.get(name, name) for name, _ in texts}


def _rows(folder: Path) -> Iterable[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def rensa(texts: Texts, tokens: Callable[[str], list[str]]) -> Keepers:
    """Its deduplicator: a text that is alike to one that came before is not added. The keeper is the most alike."""
    from rensa import RMinHash, RMinHashDeduplicator

    finder = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True, num_bands=16)
    made: dict[str, Any] = {}
    keepers: Keepers = {}
    for name, text in texts:
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=42)
        sketch.update(tokens(text))
        found = [key for key in finder.get_duplicates(sketch) if key in made]
        if finder.add(name, sketch):
            keepers[name], made[name] = name, sketch
        else:
            keepers[name] = max(found, key=lambda key: (sketch.jaccard(made[key]), key), default=next(iter(made)))
    return keepers


def datasketch(texts: Texts, tokens: Callable[[str], list[str]]) -> Keepers:
    """MinHashLSH as its README has it: what a query finds is taken for a copy. The keeper is the most alike."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    made: dict[str, Any] = {}
    keepers: Keepers = {}
    for name, text in texts:
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([token.encode() for token in tokens(text)])
        if found := index.query(sketch):
            keepers[name] = max(found, key=lambda key: (sketch.jaccard(made[key]), key))
        else:
            index.insert(name, sketch)
            keepers[name], made[name] = name, sketch
    return keepers


def text_dedup(texts: Texts) -> Keepers:
    """The way of text-dedup: five words a shingle, words end at signs, 0.7, equal bands joined, none verified.

    Written from its description with datasketch's signatures and its choice of bands, for it pulls in a large stack.
    """
    from datasketch import MinHash
    from datasketch.lsh import _optimal_param

    count = 256
    bands, rows = _optimal_param(0.7, count, 0.5, 0.5)
    first: dict[tuple[int, bytes], str] = {}
    parent = {name: name for name, _ in texts}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for name, text in texts:
        found = [word for word in re.split(r"\W+", text.lower()) if word]
        if len(found) < 5:
            continue  # a text under five words is kept, as there
        sketch = MinHash(num_perm=count)
        sketch.update_batch([" ".join(found[i : i + 5]).encode() for i in range(len(found) - 4)])
        for band in range(bands):
            key = (band, sketch.hashvalues[band * rows : (band + 1) * rows].tobytes())
            one, two = root(first.setdefault(key, name)), root(name)
            parent[two] = one
    return {name: root(name) for name, _ in texts}


SYSTEMS: dict[str, Callable[[Texts], Keepers]] = {
    "datatrove": datatrove,
    "rensa-words": lambda texts: rensa(texts, words),
    "rensa-letters": lambda texts: rensa(texts, letters),
    "datasketch-characters": lambda texts: datasketch(texts, characters),
    "datasketch-letters": lambda texts: datasketch(texts, letters),
    "text-dedup": text_dedup,
}


def main(system: str, source: str, target: str) -> None:
    """Read texts, write keepers."""
    with Path(source).open(encoding="utf-8") as lines:
        texts = [(row["id"], whole(row["text"])) for row in map(json.loads, lines)]
    keepers = SYSTEMS[system](texts)
    with Path(target).open("w", encoding="utf-8") as stream:
        for name, _ in texts:
            stream.write(json.dumps({"id": name, "keeper": keepers[name]}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
