"""Verify a release from its folder alone: without network and without trust in its publisher.

Only DuckDB writes, temporary files in the folder of the system, which are deleted. Checks are independent, so
that one broken file does not hide other faults.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.parquet as pq
from cryptography.x509 import Certificate

from malmoi.canonical_json import canonical_json
from malmoi.errors import DataError
from malmoi.release_files import DOCUMENTS, is_data_file, is_morpheme_file, morpheme_path
from malmoi.releases import changelog, cleared_finds, licence_files, membership, residual_pii
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.release_schema import AUDIT, DATA, MORPHEME_DATA, SCHEMA_VERSION
from malmoi.releases.residue import DETECTOR
from malmoi.releases.verification import row_checks, sha256sums, untrusted_files
from malmoi.releases.verification.invariants import LAWS, PROOF, Law, find_proof_faults, find_rights_faults
from malmoi.releases.verification.release_statement import find_faults as find_signature_faults
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import Tables, open_tables

CARD = "card.json"
_RENDERED = ("README.md", "README.ko.md", "index.html", "index.ko.html", changelog.FACTS, changelog.TEXT)
TEXTS = (CARD, manifests.NAME, *sha256sums.UNLISTED, PROOF, *_RENDERED, *DOCUMENTS)
THREADS = 2
Render: TypeAlias = Callable[[dict[str, Any], dict[str, Any]], Mapping[str, str]]  # (card, manifest) → name → text


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault of a release: the check, the file and the message."""

    check: str  # limits, sums, signature, manifest, root, members, schema, rows, evidence, residue, laws, proof …
    path: str
    says: str


# A fault of a check as it is yielded: a message about the file of the check, one about another file, or a finding.
Fault: TypeAlias = str | tuple[str, str] | Finding


def verify(
    folder: Path,
    *,
    render: Render | None = None,
    again: bool = True,
    public: bytes | None = None,
    anchors: Sequence[Certificate] = (),
    unchanged: Collection[str] = (),
    beside: bool = True,
) -> list[Finding]:
    """Return all faults of the release in `folder`, sorted; an empty list means verified.

    `render` renders the texts for people from card and manifest; their bytes must equal those in the folder.
    It raises DataError for a card with other questions than those of its list: only listed questions are run, and none
    without `render`. `again=False` skips the checks that the publisher has just done with the same files: the questions
    of the card, the second detector of personal data, the quotes of evidence, and the tree of members. With `public`,
    the public key of the publisher, the release must be signed by it; with `anchors`, an authority under these
    certificates must have stamped the signature. `unchanged` are files of a verified release that are not read again,
    but for queries. With `beside=False` the second detector does not scan morphemes/ and audit/: `verify_beside` does
    that in another process. A fault is a finding, never an exception. If a file exceeds the limits of malmoi/limits.py
    or is not a plain file, it is reported and nothing is read; flows/limited_process.py limits time and memory of
    the rest.
    """
    if refused := untrusted_files.find(folder):
        return sorted(Finding(*one) for one in refused)
    try:
        gone = _read_withdrawn(folder)
    except DataError as error:
        return [Finding("sums", sha256sums.WITHDRAWN, str(error))]
    checks: tuple[tuple[str, str, Callable[[], Iterable[Fault]]], ...] = (
        ("sums", sha256sums.NAME, lambda: _check_sums(folder, gone, unchanged)),
        ("signature", sha256sums.SIGNATURE, lambda: find_signature_faults(folder, public, anchors)),
        ("manifest", manifests.NAME, lambda: _check_manifest(folder, {*gone, *unchanged})),
        (
            "members",
            "audit/members.parquet",
            lambda: membership.find_faults(folder, manifests.read(folder)) if again and not gone else (),
        ),
        ("rows", "data", lambda: _check_rows(folder, unchanged)),
        ("evidence", "audit", lambda: () if gone else _check_evidence(folder, unchanged, quotes=again)),
        ("tables", "data", lambda: () if gone else _check_tables(folder, render if again else None)),
        ("residue", residual_pii.TABLE, lambda: _check_residue(folder, beside=beside) if again else ()),
        ("render", CARD, lambda: _check_rendering(folder, render, gone) if render else ()),
    )
    with ThreadPoolExecutor(THREADS) as pool:  # hashing, Parquet and DuckDB release the GIL
        findings = pool.map(lambda check: _run_check(*check), checks)
        return sorted(set(chain.from_iterable(findings)))


def find_damage(folder: Path) -> list[Finding]:
    """Return the files of a release that SHA256SUMS or the signature does not describe, sorted; [] if it is whole."""
    checks = (
        ("sums", sha256sums.NAME, lambda: _check_sums(folder, _read_withdrawn(folder), ())),
        ("signature", sha256sums.SIGNATURE, lambda: find_signature_faults(folder, None, ())),
    )
    return sorted(finding for one in checks for finding in _run_check(*one))


def _read_withdrawn(folder: Path) -> dict[str, str]:
    return {one.path: one.sha256 for one in sha256sums.read_withdrawn(folder)}


def verify_beside(folder: Path) -> list[Finding]:
    """Return the findings of the second detector in morphemes/ and audit/, about half of all it reads."""
    if untrusted_files.find(folder):
        return []
    return _run_check("residue", residual_pii.TABLE, lambda: _scan_files(folder, is_beside))


def is_beside(path: str) -> bool:
    """Whether a file is one of those of `verify_beside`."""
    return not is_data_file(path)


def _run_check(check: str, path: str, run: Callable[[], Iterable[Fault]]) -> list[Finding]:
    findings: list[Finding] = []
    try:
        for fault in run():
            pair = (path, fault) if isinstance(fault, str) else fault
            findings.append(pair if isinstance(pair, Finding) else Finding(check, *pair))
    except Exception as error:  # a damaged file may fail in any library: a finding, not a crash
        findings.append(_failure_finding(check, path, error))
    return findings


def _failure_finding(check: str, path: str, error: Exception) -> Finding:
    return Finding(check, path, f"could not be checked: {type(error).__name__}: {_first_line(error)}")


def _check_tables(folder: Path, render: Render | None) -> Iterator[Finding]:
    """Run the checks in SQL over one connection: opening the tables costs as much as ten queries."""
    made = partial(manifests.read, folder)
    evidence, has_proof = "audit/licence_evidence.parquet", (folder / PROOF).exists()
    card = partial((folder / CARD).read_text, encoding="utf-8")
    checks: list[tuple[str, str, Callable[[Tables], Iterable[Fault]]]] = [
        ("laws", "audit", _check_laws),
        ("rights", "audit", lambda tables: ((evidence, says) for says in find_rights_faults(made(), tables))),
        ("licences", "LICENSE.md", lambda tables: _check_licences(folder, tables)),
        ("changelog", changelog.FACTS, lambda tables: changelog.find_faults(folder, tables, json.loads(card()))),
        ("proof", PROOF, lambda tables: find_proof_faults(folder, made(), tables) if has_proof else ()),
    ]
    checks += [("card", CARD, lambda tables: _check_card(folder, tables, render))] if render else []
    with ExitStack() as stack:
        try:
            tables = stack.enter_context(open_tables(folder))
        except Exception as error:
            yield from (_failure_finding(check, path, error) for check, path, _ in checks)
            return
        for check, path, ask in checks:
            yield from _run_check(check, path, partial(ask, tables))


def _check_sums(folder: Path, gone: Mapping[str, str], unchanged: Collection[str]) -> Iterator[Fault]:
    """Check that SHA256SUMS lists every file with its digest; `gone` are the withdrawn ones with theirs."""
    present = {sha256sums.relative_name(folder, p): p for p in sha256sums.entries(folder)}
    try:
        listed = sha256sums.parse((folder / sha256sums.NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield sha256sums.NAME, f"cannot be read: {_first_line(error)}"
        return
    present = {path: entry for path, entry in present.items() if path != sha256sums.WITHDRAWN or not gone}
    for path in sorted(listed.keys() | present.keys() | gone.keys()):
        if path in gone:
            if path in present:
                yield path, "withdrawn, but still in the folder; run the same `malmoi erase` again"
            elif gone[path] != listed.get(path) or path == manifests.NAME:
                says = f"{sha256sums.WITHDRAWN} lists it with a digest that SHA256SUMS does not have"
                yield path, says
        elif path not in present:
            yield path, "missing: SHA256SUMS lists it, the folder does not have it"
        elif present[path].is_symlink() or not present[path].is_file():
            yield path, "not a plain file"
        elif path not in listed:
            yield path, "extra: the folder has it, SHA256SUMS does not list it"
        elif path not in unchanged and (found := shard.sha256_of(present[path])) != listed[path]:
            yield path, f"changed: its sha256 is {found}, SHA256SUMS says {listed[path]}"


def _check_manifest(folder: Path, unread: Collection[str]) -> Iterator[Finding]:
    """Check that the manifest is canonical, lists every Parquet file correctly, and has their Merkle root."""
    text = (folder / manifests.NAME).read_text(encoding="utf-8")
    made = Manifest.from_json(text)
    if made.to_json() != text:
        root = json.loads(text).get("root")
        if root != made.root:
            yield Finding("root", manifests.NAME, f"the files give the root {made.root}, the manifest says {root}")
        yield Finding("manifest", manifests.NAME, "not canonical JSON, or it has unknown keys")
    if made.schema_version != SCHEMA_VERSION:
        yield Finding("manifest", manifests.NAME, f"schema version {made.schema_version}, not {SCHEMA_VERSION}")
    total = sum(f.rows for f in made.files if is_data_file(f.path))
    if made.documents != total:
        yield Finding("manifest", manifests.NAME, f"says {made.documents} documents, its files hold {total}")
    named = {f.path: f for f in made.files}
    present = {sha256sums.relative_name(folder, p) for p in folder.rglob("*.parquet")}
    for path in sorted(present - named.keys()):
        yield Finding("manifest", path, "the manifest does not list this Parquet file")
    for path in sorted({f"audit/{name}.parquet" for name in AUDIT} - named.keys()):
        yield Finding("manifest", path, "the manifest lacks this audit table")
    pairs = {morpheme_path(path) for path in named if is_data_file(path)}
    for path in sorted(pairs ^ {path for path in named if is_morpheme_file(path)}):
        yield Finding("manifest", path, "a file of data/ has one file in morphemes/; this one has no counterpart")
    for path in sorted((named.keys() & present) - set(unread)):
        found = shard.file_of(folder / path, named[path].rows)
        if (found.sha256, found.bytes) != (named[path].sha256, named[path].bytes):
            yield Finding("manifest", path, f"{found.bytes} bytes, sha256 {found.sha256}; the manifest says otherwise")
        yield from _run_check("schema", path, partial(_check_footer, folder, path, named[path].rows))
    for path in sorted(named.keys() - present - set(unread)):
        yield Finding("manifest", path, "the manifest lists it, the folder does not have it")


def _check_footer(folder: Path, path: str, rows: int) -> Iterator[Finding]:
    wanted = AUDIT.get(Path(path).stem)
    if is_data_file(path) or is_morpheme_file(path):
        wanted = DATA if is_data_file(path) else MORPHEME_DATA
    with pq.ParquetFile(folder / path) as file:
        if file.metadata.num_rows != rows:
            yield Finding("schema", path, f"{file.metadata.num_rows} rows; the manifest says {rows}")
        if wanted is None or not file.schema_arrow.equals(wanted):
            yield Finding("schema", path, "its columns are not those of the schema")


def _check_rows(folder: Path, unchanged: Collection[str]) -> Iterator[Fault]:
    """Check that each document is in its shard, in order, with the right digest, counts and placeholders."""
    made = manifests.read(folder)
    surrogates = row_checks.list_surrogates(made.recipe_steps)
    files = sorted(f.path for f in made.files if is_data_file(f.path) and (folder / f.path).is_file())
    yield from row_checks.find_mixed(files)
    for path in (path for path in files if path not in unchanged):
        yield from _run_check("rows", path, partial(row_checks.find_faults, folder, path, made.n_shards, surrogates))


def _check_residue(folder: Path, *, beside: bool) -> Iterator[Fault]:
    """Run the second detector of personal data: its counts equal the audit table, and no find must stop a release."""
    held, table = shard.read(folder / residual_pii.TABLE), residual_pii.TABLE
    by = sorted(set(held["detector"].to_pylist()))
    if by != [DETECTOR]:
        says = f"made by {', '.join(by) or 'no detector'}, this is {DETECTOR}; verify with the malmoi of its manifest"
        yield table, says
        return
    names = sorted(f.path for f in manifests.read(folder).files if f.path != table)
    yield from residual_pii.faults(held, names)
    yield from _scan_files(folder, lambda path: beside or not is_beside(path))
    for one in residual_pii.find_in_texts(folder, residual_pii.read_outcomes(held)):
        if one.file in (sha256sums.SIGNATURE, sha256sums.STAMP):
            continue  # random bytes, and names of the authority; `_check_signature` compares the rest with the files
        yield one.file, f"{one.kind} × {one.count}: personal data in a text about the release"


def _scan_files(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Fault]:
    """Scan the files that are `wanted` again, and compare the counts with the audit table; none of another detector."""
    held = shard.read(folder / residual_pii.TABLE)
    if set(held["detector"].to_pylist()) != {DETECTOR}:
        return
    rows, does = residual_pii.group_by_file(held), residual_pii.read_outcomes(held)
    cleared = cleared_finds.read_places(folder)
    names = sorted(f.path for f in manifests.read(folder).files if f.path != residual_pii.TABLE and wanted(f.path))
    for name in (name for name in names if (folder / name).is_file()):
        differ = partial(residual_pii.differences, folder, name, rows.get(name, []), does, cleared)
        yield from _run_check("residue", name, differ)


def _check_evidence(folder: Path, unchanged: Collection[str], *, quotes: bool) -> Iterator[Fault]:
    """Check that attributions are the filled-in templates of the sources, and that quotes name their licence."""
    for path, faults in row_checks.list_checks(folder, manifests.read(folder), quotes=quotes):
        if path not in unchanged:
            yield from _run_check("evidence", path, partial(iter, faults))


def _check_laws(tables: Tables) -> Iterator[Finding]:
    """Check the invariants: in = kept + dropped + failed stage by stage, down to the rows of data/, and evidence."""

    def ask(law: Law) -> Iterator[Finding]:
        for row in tables.ask(law.sql).rows[:3]:
            yield Finding("laws", law.path, f"{law.says}: {', '.join(map(str, row))}")

    for law in LAWS:
        yield from _run_check("laws", law.path, partial(ask, law))


def _check_licences(folder: Path, tables: Tables) -> Iterator[Fault]:
    """Check that the licence files match the licences in data/, and that the folder has no unknown entry."""
    licences = tables.ask("SELECT DISTINCT license FROM data ORDER BY 1").rows
    wanted = licence_files.release_files((str(row[0]) for row in licences), manifests.read(folder).publisher)
    for name, content in wanted.items():
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            yield name, "missing, or not the file for the licences in data/"
    ours = {*wanted, *TEXTS, *(f.path for f in manifests.read(folder).files)}
    for path in sorted(folder.rglob("*")):
        name = sha256sums.relative_name(folder, path)
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                yield name, "an empty folder; it is not part of a release"
        elif name not in ours:
            yield name, "extra: not a file of a release"


def _check_card(folder: Path, tables: Tables, render: Render) -> Iterator[Finding]:
    """Run every question of card.json again and compare the answers; unlisted questions are not run."""
    text = (folder / CARD).read_text(encoding="utf-8")
    card: dict[str, Any] = json.loads(text)
    if canonical_json(card) != text:
        yield Finding("card", CARD, "not canonical JSON")
    made = manifests.read(folder)
    try:
        render(card, json.loads(made.to_json()))
    except Exception as error:  # `_check_rendering` reports it
        if isinstance(error, DataError):  # the card has other questions than those of its list
            return
    for key, wanted in (("release", made.name), ("version", made.version), ("root", made.root)):
        if card.get(key) != wanted:
            check = "root" if key == "root" else "card"
            yield Finding(check, CARD, f"{key} is {card.get(key)!r}; the manifest gives {wanted!r}")

    def ask(key: str, fact: Any, *, is_number: bool) -> Iterator[Finding]:
        answer = tables.ask(fact["sql"])
        columns, rows = list(answer.columns), list(map(list, answer.rows))
        if is_number and not _is_same(rows, [[fact["value"]]]):
            yield Finding("card", CARD, f"{key}: the card shows {fact['value']!r}, the data give {answer.rows}")
        if not is_number and not _is_same([columns, rows], [fact["columns"], fact["rows"]]):
            yield Finding("card", CARD, f"table {key} is not what the data give")

    for name in ("numbers", "tables"):
        for key, fact in sorted(card[name].items()):
            yield from _run_check("card", CARD, partial(ask, key, fact, is_number=name == "numbers"))


def _check_rendering(folder: Path, render: Render, gone: Collection[str]) -> Iterator[Fault]:
    """Check that the texts for people are renderings of the card, byte for byte; withdrawn ones are left out."""
    if CARD in gone:
        return
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    made = json.loads((folder / manifests.NAME).read_text(encoding="utf-8"))
    for name, text in sorted(render(card, made).items()):
        path = folder / name
        if name in gone:
            continue
        if not path.is_file():
            yield name, "missing"
        elif hashlib.sha256(text.encode()).hexdigest() != shard.sha256_of(path):
            yield name, "not the rendering of the card; these texts are rendered, never edited"


def _is_same(left: Any, right: Any) -> bool:
    """Return True if value and type are equal: 1 differs from "1" and 1.0."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
