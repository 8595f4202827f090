"""Validate croissant.json of a release and read it offline: python validate_mlcroissant.py RELEASE."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import mlcroissant
import pyarrow.parquet as pq


def find_faults(release: Path) -> Iterator[str]:
    """Yield what the library refuses, files with another sha256, and records that differ from the Parquet files."""
    dataset = mlcroissant.Dataset(jsonld=release / "croissant.json")
    issues = dataset.metadata.ctx.issues
    yield from (*issues.errors, *issues.warnings)
    if str(dataset.metadata.ctx.conforms_to) != "CroissantVersion.V_1_1":
        yield f"conforms to {dataset.metadata.ctx.conforms_to}"
    for file in dataset.metadata.file_objects:
        if hashlib.sha256((release / file.content_url).read_bytes()).hexdigest() != file.sha256:
            yield f"{file.content_url}: another sha256"
    patterns = {files.uuid: files.includes for files in dataset.metadata.file_sets}
    for records in dataset.metadata.record_sets:
        name = records.uuid
        paths = [path for pattern in patterns[f"files-{name}"] for path in release.glob(pattern)]
        expected = {row for path in paths for row in pq.read_table(path, columns=["id"])["id"].to_pylist()}
        found = [record[f"{name}/id"].decode() for record in dataset.records(name)]
        if not expected or sorted(found) != sorted(expected):
            yield f"{name}: {len(found)} records, {len(expected)} rows in its files"
        if not name.startswith("morphemes") and [one.uuid for one in records.annotations] != [f"{name}/origin"]:
            yield f"{name}: no provenance of its rows"


if __name__ == "__main__":
    sys.exit("\n".join(find_faults(Path(sys.argv[1]))) or None)
