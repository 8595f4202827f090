"""A folder that is read like a release: texts with the columns that an export needs, in small row groups."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_TYPES = {"quality": pa.float32(), "n_chars": pa.int64(), "n_bytes": pa.int64(), "n_morphemes": pa.int32()}


def row(number: int, **other: Any) -> dict[str, Any]:
    """Document `number`; every value may be replaced."""
    text = other.get("text", f"{number}번 글이다. " * (1 + number % 5))
    found = {
        "id": f"a/{number}",
        "text": text,
        "title": f"글 {number}",
        "source": "a",
        "url": f"https://a.example.kr/{number}",
        "license": "CC-BY-4.0",
        "use": "redistribute",
        "attribution": f"가나다, 글 {number}",
        "domain": "law" if number % 3 else "semiconductor",
        "quality": number % 10 / 10,
        "n_chars": len(text),
        "n_bytes": len(text.encode()),
        "n_morphemes": 3 * len(text.split()),
    }
    return found | other


def write_texts(folder: Path, rows: Iterable[Mapping[str, Any]], *, files: int = 3, group: int = 7) -> Path:
    """Write rows into `files` files of one folder for each use and licence; return the folder of the release."""
    places: dict[Path, list[Mapping[str, Any]]] = {}
    for one in rows:
        place = folder / "data" / one["use"] / one["license"].replace(" ", "_")
        number = int(hashlib.sha256(one["id"].encode()).hexdigest(), 16) % files
        places.setdefault(place / f"part-{number}.parquet", []).append(one)
    for path, found in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in found[0]])
        pq.write_table(pa.Table.from_pylist(list(found), schema), path, row_group_size=group)
    manifest = {"name": "texts", "version": "1.0.0", "root": "ab" * 32}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
