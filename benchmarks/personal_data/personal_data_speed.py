"""MB/s of personal data, found and redacted: in process and through the door; and the clean texts to take it on."""

from __future__ import annotations

import csv
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.personal_data import personal_data_peers as peers
from filters import personal_data, redact
from flows.engine import shard_jobs
from malmoi.apply import Bound, walk_batch
from malmoi.document import Document, Provenance

LEAST = 20  # code points from which on a string of a JSON or CSV file is prose rather than a key
LENGTH = 20_000  # code points of a document at most; longer files are cut at a line end
SIZE = 8_000_000  # bytes to measure on, the sample repeated as often as it takes
ROUNDS = 3
SEED = 20260417
FILTERS = (
    Bound("personal_data", "mark", personal_data.mark, personal_data.mark_batch),
    Bound("redact", "mend", redact.mend),
)
NOWHERE = Provenance("benchmark", "", "", "", "")


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of every text file below `folder`, sorted; names of files with numbers for the parts of them."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".txt", ".md", ".mdx", ".csv", ".json", ".jsonl") and path.is_file():
            for number, part in enumerate(_parts(path)):
                yield f"{path.relative_to(folder)}#{number}", part


def in_process(sample: Sequence[str], *, together: bool = True) -> float:
    """MB/s of UTF-8 marked and redacted, in batches as in a run or one by one; CPU time, the best of three rounds."""
    docs = [Document(f"benchmark/{i}", text, NOWHERE) for i, text in enumerate(_filled(sample))]
    size = sum(len(doc.text.encode("utf-8", "replace")) for doc in docs)
    batches = [docs[at : at + shard_jobs.WALKED] for at in range(0, len(docs), shard_jobs.WALKED)]
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for batch in batches:
            for part in shard_jobs.split_documents(batch) if together else [[doc] for doc in batch]:
                walk_batch(part, FILTERS)
        best = min(best, time.process_time() - begin)
    return size / 1e6 / best


def through_door(sample: Sequence[str]) -> float:
    """MB/s of `malmoi try pii --jsonl`, wall time, without what the command takes for one short line."""
    rows = [{"id": str(i), "text": text} for i, text in enumerate(_filled(sample))]
    size = sum(len(row["text"].encode("utf-8", "replace")) for row in rows)
    with tempfile.TemporaryDirectory(prefix="malmoi-pii-") as folder:
        path = Path(folder) / "texts.jsonl"
        peers.write([{"id": "0", "text": "한 줄"}], path)
        start = peers.ours(path).seconds
        peers.write(rows, path)
        return size / 1e6 / max(peers.ours(path).seconds - start, 1e-3)


def _filled(sample: Sequence[str]) -> list[str]:
    """Texts of the sample in an order drawn once, and again, until they are SIZE bytes."""
    sample = random.Random(SEED).sample(sample, len(sample))
    filled: list[str] = []
    size = 0
    while sample and size < SIZE:
        for text in sample:
            filled.append(text)
            size += len(text.encode("utf-8", "replace"))
            if size >= SIZE:
                break
    return filled


def _parts(path: Path) -> Iterator[str]:
    for text in _strings(path):
        while len(text) > LENGTH:
            cut = text.rfind("\n", 1, LENGTH) + 1 or LENGTH
            yield text[:cut]
            text = text[cut:]
        if text.strip():
            yield text


def _strings(path: Path) -> Iterator[str]:
    whole = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".csv":
        csv.field_size_limit(1 << 30)
        yield from ("\n".join(row) for row in csv.reader(whole.splitlines(keepends=True)))
    elif path.suffix == ".jsonl":
        yield from ("\n".join(_prose(json.loads(line))) for line in whole.split("\n") if line.strip())
    elif path.suffix == ".json":
        yield "\n".join(_prose(json.loads(whole)))
    else:
        yield whole


def _prose(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= LEAST:
            yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _prose(one)
