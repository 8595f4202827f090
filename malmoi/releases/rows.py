"""Reading a shard of a release row by row: is each document where it belongs, and as it says?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from malmoi.releases.spread import PART, Row, folder_name, h

BATCH = 1024  # documents held in memory at a time
_COLUMNS = ["id", "text", "text_sha256", "n_chars", "n_bytes", "use", "license", "n_sentences", "n_morphemes"]
_COLUMNS += ["sentences.end", "morphemes.start", "morphemes.length"]


def wrong(folder: Path, path: str, n_shards: int) -> Iterator[str]:
    """What is not right in the shard `path`, the first fault of each kind: place, order, digest, counts, offsets."""
    parts = path.split("/")
    named = PART.fullmatch(parts[-1])
    if len(parts) != 4 or not named:
        yield "its path is not data/<use>/<licence>/part-<shard>-of-<N>.parquet"
        return
    shard, of = int(named[1]), int(named[2])
    if of != n_shards:
        yield f"is part of {of} shards; the manifest says {n_shards}"
    seen: set[str] = set()
    last: Row = (-1, "")
    with pq.ParquetFile(folder / path) as file:
        for batch in file.iter_batches(BATCH, columns=_COLUMNS):
            for row in batch.to_pylist():
                here: Row = (h(row["id"]), row["id"])
                for kind, says in _faults(row, here, last, shard, of, parts[1:3]):
                    if kind not in seen:
                        seen.add(kind)
                        yield says
                last = here


def _faults(row: dict, here: Row, last: Row, shard: int, of: int, place: list[str]) -> Iterator[tuple[str, str]]:  # type: ignore[type-arg]
    id, text = row["id"], row["text"]
    encoded = text.encode()
    if here[0] % of != shard:
        yield "shard", f"{id} belongs into shard {here[0] % of}"
    if here <= last:
        yield "order", f"{id} is not in order of H(id), or is there twice"
    if place != [row["use"], folder_name(row["license"])]:
        yield "place", f"{id} is {row['use']} under {row['license']}, which is another folder"
    if hashlib.sha256(encoded).hexdigest() != row["text_sha256"]:
        yield "digest", f"the text of {id} does not have the sha256 that is said of it"
    if (len(text), len(encoded)) != (row["n_chars"], row["n_bytes"]):
        yield "size", f"{id} has {len(text)} code points and {len(encoded)} bytes, not what is said of it"
    sentences, morphemes = row["sentences"], row["morphemes"]
    counts = (sentences and len(sentences["end"]), morphemes and len(morphemes["start"]))
    if counts != (row["n_sentences"], row["n_morphemes"]):
        yield "layers", f"{id} has {counts} sentences and morphemes, not what is said of it"
    ends = [*sentences["end"]] if sentences else []
    if morphemes:
        ends += [s + n for s, n in zip(morphemes["start"], morphemes["length"], strict=True)]
    if ends and max(ends) > len(text):
        yield "offsets", f"{id} has a sentence or morpheme that ends outside its text"
