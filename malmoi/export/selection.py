"""Select rows of a release: use, licence, family, domain, quality, split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from malmoi.boundary import input_errors
from malmoi.errors import CallError, DataError
from malmoi.licensing.licences import family
from malmoi.release_files import data_files

# What every export reads of each document, if the release has the column.
COLUMNS = ("id", "license", "use", "source", "domain", "n_chars", "n_bytes", "n_morphemes")
_BATCH = 2048  # rows that are read at once


@dataclass(frozen=True, slots=True)
class Selection:
    """Accepted values by column; an empty tuple accepts all values."""

    uses: tuple[str, ...] = ("redistribute",)
    licences: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    min_quality: float | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The selected rows of a release, in the order of its files: `COLUMNS` that the release has, and `family`."""

    release: Path
    documents: ds.Dataset
    condition: ds.Expression | None
    table: pa.Table

    @property
    def columns(self) -> list[str]:
        """Names of all columns of the release."""
        return list(self.documents.schema.names)

    def scan(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield other columns of the same rows in the same order; DataError if the release is damaged."""
        with input_errors(lambda name: _damage(self.release, name)):
            yield from self.documents.scanner(
                columns=list(columns), filter=self.condition, batch_size=_BATCH
            ).to_batches()


def read_manifest(release: Path) -> dict[str, Any]:
    """Return manifest.json of a release; CallError if the folder has none."""
    path = release / "manifest.json"
    if not path.is_file():
        raise CallError(
            f"{release} is not a release: it has no manifest.json. Name the folder of one version, such as "
            "workspace/6-releases/general/1.0.0."
        )
    with input_errors(lambda name: _damage(release, name)):
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: found[key] for key in ("name", "version", "root")}


def count_families(release: Path, uses: Sequence[str]) -> dict[str, Counter[str]]:
    """Return the documents of each licence family of the release, by those of `uses` that occur."""
    read_manifest(release)
    found: dict[str, Counter[str]] = {}
    with input_errors(lambda name: _damage(release, name)):
        table = open_documents(release).to_table(columns=["use", "license"], filter=ds.field("use").isin(uses))
        for row in table.group_by(["use", "license"]).aggregate([([], "count_all")]).to_pylist():
            found.setdefault(row["use"], Counter())[family(row["license"])] += row["count_all"]
    return found


def select_rows(release: Path, selection: Selection) -> Rows:
    """Return the selected rows; CallError if a value does not occur in the release or nothing is left."""
    read_manifest(release)
    with input_errors(lambda name: _damage(release, name)):
        documents = open_documents(release)
        columns = [name for name in COLUMNS if name in documents.schema.names]
        condition = _condition(release, documents, selection)
        table = documents.to_table(columns=columns, filter=condition)
        codes = pc.dictionary_encode(table["license"]).combine_chunks()
        families = pa.array([family(one) for one in codes.dictionary.to_pylist()], pa.string()).take(codes.indices)
    if not table.num_rows:
        raise CallError(
            f"{release}: no document has all the values that were asked for. Leave out an option such as --domain or "
            "--min-quality, or name other licence families with --family."
        )
    return Rows(release, documents, condition, table.append_column("family", families))


def open_documents(release: Path) -> ds.Dataset:
    """Open the documents of a release as one dataset; files with different columns are unified by name."""
    found = ds.dataset(data_files(release), format="parquet")
    schema = pa.unify_schemas([one.physical_schema for one in found.get_fragments()], promote_options="permissive")
    return found.replace_schema(schema)


def _condition(release: Path, documents: ds.Dataset, selection: Selection) -> ds.Expression | None:
    terms = [ds.field("use").isin(selection.uses)] if selection.uses else []
    for option, column, values in (
        ("--licence", "license", selection.licences),
        ("--domain", "domain", selection.domains),
        ("--split", "split", selection.splits),
    ):
        if values:
            _refuse_unknown(release, option, values, _distinct(release, documents, option, column))
            terms.append(ds.field(column).isin(values))
    if selection.families:
        families = {one: family(one) for one in _distinct(release, documents, "--family", "license")}
        _refuse_unknown(release, "--family", selection.families, set(families.values()))
        terms.append(ds.field("license").isin([one for one, name in families.items() if name in selection.families]))
    if selection.min_quality is not None:
        terms.append(ds.field("quality") >= selection.min_quality)
    return reduce(and_, terms) if terms else None


def _distinct(release: Path, documents: ds.Dataset, option: str, column: str) -> list[str]:
    if column not in documents.schema.names:
        raise CallError(f"{release} has no column {column}; leave out {option}.")
    return [one for one in documents.to_table(columns=[column])[column].unique().to_pylist() if one]


def _refuse_unknown(release: Path, option: str, values: Iterable[str], present: Iterable[str]) -> None:
    if unknown := sorted(set(values) - set(present)):
        names = ", ".join(sorted(present))
        raise CallError(f"{option} {unknown[0]}: {release} has no such document; choose from {names}.")


def _damage(release: Path, name: str) -> DataError:
    return DataError(f"{release} cannot be read ({name}). Run malmoi verify on it and copy the release again.")
