"""Answer whether a work is in a release, by address or by text, from the release alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.duplicates.bands import SHORT, SHORT_THRESHOLD
from filters.duplicates.index_lookup import find_candidates, measure_similarity
from filters.duplicates.sketch import letters_of
from malmoi.errors import CallError
from malmoi.release_files import audit_file, data_files
from malmoi.releases import manifest as manifests
from malmoi.releases.membership import (
    Members,
    Question,
    make_leaf,
    normalise_address,
    read_sketches,
    state_absence,
    state_presence,
)

THRESHOLD = 0.8  # Jaccard similarity of a near copy, as in the shipped recipes
COMPARED = 64  # candidates that are compared with the text
NAMED = 3  # documents that an answer names
_ADDRESS = re.compile(r"https?://[^\s/?#]*\w|folder:", re.I)
_COLUMNS = ["id", "url", "title", "source", "license", "use", "attribution", "text_sha256"]


def ask_address(release: Path, url: str) -> dict[str, Any]:
    """Return the statement whether a document of the release has this address; CallError if it is none."""
    if not _ADDRESS.match(url.strip()):
        raise CallError(f"{url!r} is not an address; write it in full, such as https://example.kr/essay/1.")
    asked = Question("url", normalise_address(url))
    members, found = _find(release, asked)
    if not found:
        return state_absence(release, members, asked, "the address alone")
    return state_presence(release, members, asked, asked, _describe(release, found, "address"))


def ask_text(release: Path, text: str) -> dict[str, Any]:
    """Return the statement whether the release has this text, or a near copy of it; CallError if it is none."""
    text = normalize("NFC", text).strip()
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        raise CallError(
            "the file holds no text that can be compared; give the text of the work as UTF-8 in a .txt file."
        )
    asked = Question("text", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    members, found = _find(release, asked)
    if found:
        return state_presence(release, members, asked, asked, _describe(release, found, "text"))
    # (exact similarity, document) of the near copies, most similar first
    rows, near = find_candidates(read_sketches(release), text)[:COMPARED], list[tuple[float, int]]()
    for row, one in zip(rows, read_rows(release, rows, ["text"]), strict=True):
        least = min(len(letters_of(text)), len(letters_of(one["text"])))
        similarity = measure_similarity(text, one["text"])
        if similarity >= (SHORT_THRESHOLD if least < SHORT else THRESHOLD):
            near.append((similarity, row))
    if near := sorted(near, key=lambda one: (-one[0], one[1]))[:NAMED]:
        documents = _describe(release, [row for _, row in near], "near copy")
        documents = [{**one, "similarity": round(s, 4)} for one, (s, _) in zip(documents, near, strict=True)]
        known = Question("text", documents[0]["text_sha256"])
        return state_presence(release, members, asked, known, documents)
    sketched = len(read_sketches(release)) > 0
    return state_absence(
        release,
        members,
        asked,
        f"near copies from a Jaccard similarity of {THRESHOLD} on" if sketched else "the exact text alone",
    )


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8 as it is, other formats as `malmoi try extract` reads them."""
    content = path.read_bytes() if path.suffix in ("", ".txt") and path.is_file() else b"\xff"
    try:
        return content.decode()
    except UnicodeDecodeError:
        from flows.input_files import read_inputs, to_document, to_row

        return "".join(to_document(to_row(found)).text for found in read_inputs([path], None))


def spell_answer(release: Path, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that say a person what a statement says."""
    about = f"{said['release']['name']} {said['release']['version']}"
    if said["answer"] == "no":
        yield f"no: {about} does not hold this work (compared: {said['compared']}). --json prints the proof."
        return
    yield f"yes: {about} holds this work. --json prints the proof."
    for one in said["documents"]:
        near = f", similarity {one['similarity']}" if "similarity" in one else ""
        yield f"  {one['id']} (found by {one['found_by']}{near})"
        yield f"    {one['url']}"
        yield f"    licence {one['license']}, {one['use']}"
        yield from (f"    evidence: “{held['quote']}”, {held['place']}" for held in one["evidence"])
    publisher = manifests.read(release).publisher
    yield f"{publisher.request} Name the id. The publisher runs:"
    yield f"  malmoi erase {release} --id {said['documents'][0]['id']}"


def _find(release: Path, asked: Question) -> tuple[Members, list[int]]:
    members = Members(release, manifests.read(release))
    return members, members.find(make_leaf(members.salt, asked.kind, asked.key))[0]


def read_rows(release: Path, documents: Sequence[int], columns: list[str]) -> list[dict[str, Any]]:
    """Return the rows with these numbers, in the order of `documents`; reads their row groups only."""
    found, start = dict[int, dict[str, Any]](), 0
    for path in data_files(release):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                end = start + file.metadata.row_group(group).num_rows
                here = sorted(row for row in set(documents) if start <= row < end)
                if here:
                    table = file.read_row_group(group, columns=columns).take([row - start for row in here])
                    found |= zip(here, table.to_pylist(), strict=True)
                start = end
    return [found[row] for row in documents]


def _describe(release: Path, documents: Sequence[int], by: str) -> list[dict[str, Any]]:
    rows = read_rows(release, documents[:NAMED], _COLUMNS)
    evidence: dict[str, list[dict[str, str]]] = {row["id"]: [] for row in rows}
    with pq.ParquetFile(audit_file(release, "licence_evidence")) as file:
        for group in range(file.num_row_groups):  # the table is sorted by id, so few row groups are read
            bounds = file.metadata.row_group(group).column(0).statistics
            if bounds is None or not bounds.has_min_max or any(bounds.min <= id <= bounds.max for id in evidence):
                table = file.read_row_group(group)
                for row in table.filter(pc.is_in(table.column("id"), pa.array(list(evidence)))).to_pylist():
                    evidence[row["id"]].append({name: row[name] for name in ("licence", "kind", "quote", "place")})
    return [{**row, "found_by": by, "evidence": evidence[row["id"]]} for row in rows]
