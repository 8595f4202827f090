"""Scan a release before publication with the second detector, and count its finds.

Documents with finds that quarantine were left out before (excluded_documents.py). A remaining find is not part of any
document, and stops publication. The counts are the audit table `residue`, which the card can query in SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, get_args

import pyarrow as pa

from malmoi.errors import DataError
from malmoi.release_files import is_data_file
from malmoi.releases import cleared_finds, residue
from malmoi.releases import manifest as manifests
from malmoi.releases.cleared_finds import Place
from malmoi.releases.excluded_documents import EXCLUDES, QUARANTINED, LeftOut
from malmoi.releases.manifest import ReleaseFile
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.release_schema import AUDIT
from malmoi.releases.residue import Look, Outcome, Residue
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import ROWS
from malmoi.storage.shuffle import Run, name_task

Outcomes: TypeAlias = Sequence[tuple[str, Outcome]]
TABLE = "audit/residue.parquet"
SHOWN = 5  # places that a message names


def write(
    folder: Path,
    files: Iterable[ReleaseFile],
    does: Outcomes,
    run: Run,
    known: Mapping[str, Sequence[Look]] | None = None,
) -> ReleaseFile:
    """Scan every Parquet file of the release in `folder`, and write audit/residue.parquet.

    `known` has for some files the scans of all their rows, in parts (`residue.look_at_rows`): they are added up. Raises
    DataError if a find stops publication; the message names files, columns, kinds and documents, not values.
    """
    scanned = {file.path: (known or {}).get(file.path, ()) if file.rows else () for file in files}
    names = sorted(scanned)
    places = [(folder, name, residue.DISTINCT if scanned[name] else "") for name in names]
    found = zip(names, run(_look, places), strict=True)
    looks = [one for name, here in found for one in residue.add_up(name, (*scanned[name], *here))]
    stopped = find_uncleared(folder, looks, does, cleared_finds.read_places(folder))
    if stopped:
        raise DataError(_refusal(folder, stopped))
    file = shard.write(table(looks, does, len(names)), folder / TABLE, row_group_rows=ROWS)
    return ReleaseFile(TABLE, file.sha256, file.bytes, file.rows)


@name_task("scan files for personal data")
def _look(place: tuple[Path, str, str]) -> list[Look]:
    folder, name, ending = place
    return residue.look(folder, name, ending=ending)


def table(looks: Iterable[Look], does: Outcomes, files: int = 0, rows: Iterable[Mapping[str, Any]] = ()) -> pa.Table:
    """Build the audit table: values and characters read by file and column, finds by kind, and the outcome by kind.

    In the outcome rows, which name no file, `n` is the number of `files` that were searched for the kind. `looks` are
    added to the `rows` of another audit table; those at rows that a file has lost have negative counts.
    """
    schema, n = AUDIT["residue"], Counter[tuple[str, ...]]()
    n.update({(row["path"], row["field"], row["outcome"], row["kind"]): row["n"] for row in rows})
    for look in looks:
        n[look.file, look.column, "values", ""] += look.values
        n[look.file, look.column, "characters", ""] += look.characters
        for kind, count in look.found:
            n[look.file, look.column, "found", kind] += count
    n.update({("", "", outcome, kind): files for kind, outcome in does})
    counts = [(residue.DETECTOR, *key, count) for key, count in sorted(n.items()) if count or key[2] != "found"]
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in counts], schema)


def find_blocking(looks: Iterable[Look], does: Outcomes) -> list[Residue]:
    """Return the finds of kinds that a release must not contain, cleared ones too."""
    stops = _kinds_to_exclude(does)
    return [Residue(one.file, one.column, kind, n) for one in looks for kind, n in one.found if kind in stops]


def find_uncleared(folder: Path, looks: Iterable[Look], does: Outcomes, cleared: Mapping[Place, int]) -> list[Residue]:
    """Return those of `find_blocking` that are not cleared: they stop publication."""
    blocking = find_blocking(looks, does)
    if not cleared:
        return blocking
    rowed = {one.file for one in blocking if one.column and cleared_finds.has_ids(folder, one.file)}
    found = [one for one in blocking if one.file not in rowed or not one.column]
    for file in sorted(rowed):
        stays, _ = cleared_finds.find_differences(folder, file, _kinds_to_exclude(does), cleared)
        places = Counter[tuple[str, str]]()
        for (_, _, column, kind, _), n in stays.items():
            places[column, kind] += n
        found += [Residue(file, *place, n) for place, n in sorted(places.items())]
    return found


def refuse_finds(does: Outcomes, out: Sequence[LeftOut], listed: Path | None) -> None:
    """Raise DataError if a document has a find, and the recipe asks to stop then."""
    found = [one for one in out if one.why == QUARANTINED]
    if not found or "stops" not in dict(does).values():
        return
    kinds = Counter(kind for one in found for kind in {find.kind for find in one.finds})
    said = ", ".join(f"{kind} in {n:,}" for kind, n in sorted(kinds.items()))
    raise DataError(
        f"{residue.DETECTOR}, the second detector, finds personal data in documents ({said}; {len(found):,} in all), "
        f'and the recipe says `residue = "stop"`: nothing was published, and nothing is lost. '
        f"{f'{listed} lists them. ' if listed else ''}`malmoi review finds` shows each with its masked context: clear "
        "the false alarms and correct the rules for the others, then run again. "
        'With `residue = "quarantine"` the release is published without these documents.'
    )


def _kinds_to_exclude(does: Outcomes) -> set[str]:
    return {kind for kind, outcome in does if outcome in EXCLUDES}


def refuse_facts(inputs: Inputs) -> None:
    """Raise DataError if a declaration of a source or the recipe has a find that quarantines.

    Such a text would be repeated in every document.
    """
    stops = _kinds_to_exclude(inputs.second_look)
    for one in inputs.cleared:
        if kinds := sorted(stops & set(residue.kinds(f"{one.reviewer}\n{one.reason}"))):
            raise DataError(
                f"decision {one.id!r}: the second detector, {residue.DETECTOR}, finds {', '.join(kinds)} in its "
                "reviewer or reason, which the release would publish; nothing was published. Revoke it with "
                f"`malmoi review revoke {one.id}`, decide again in other words, and run again."
            )
    told = [("the recipe", "purpose", inputs.purpose)]
    told += [
        (f"source {one.name!r}", name, getattr(one, name))
        for one in inputs.sources
        for name in ("title", "publisher", "terms", "attribution", "note", "register", "domain")
    ]
    told += [("the recipe", "publisher", f"{inputs.publisher.name}\n{inputs.publisher.url}")]
    if inputs.ablation:
        conditions = "\n".join(one.condition for one in inputs.ablation.measurements)
        told += [("the plan of the ablation", "where", conditions)]
    for who, name, text in told:
        if kinds := sorted(stops & set(residue.kinds(text))):
            raise DataError(
                f"{who}: the second detector, {residue.DETECTOR}, finds {', '.join(kinds)} in `{name}`. "
                f"The text is not part of a document, so leaving documents out does not help; nothing was published. "
                f"Correct `{name}` in its file, and run again."
            )


def refuse_texts(folder: Path) -> None:
    """Raise DataError if a text of the finished release (card, manifest, licences) has what its recipe replaces."""
    found = find_in_texts(folder, read_outcomes(shard.read(folder / TABLE)))
    if found:
        raise DataError(_refusal(folder, found))


def find_in_texts(folder: Path, does: Outcomes) -> list[Residue]:
    """Return the finds in the files of a release that are not Parquet, except kinds that are kept.

    The mail address of the publisher is allowed: it is there for requests.
    """
    kept = {kind for kind, outcome in does if outcome == "kept"}
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    mail = manifests.read(folder).publisher.mail
    looks = (one for name in names if not name.endswith(".parquet") for one in residue.look(folder, name, mail))
    return [Residue(one.file, one.column, kind, n) for one in looks for kind, n in one.found if kind not in kept]


def read_outcomes(found: pa.Table) -> Outcomes:
    """Return the outcome of a find by kind, from an audit table."""
    rows = zip(found["kind"].to_pylist(), found["outcome"].to_pylist(), strict=True)
    return sorted({(kind, outcome) for kind, outcome in rows if outcome in get_args(Outcome)})


def faults(held: pa.Table, names: Sequence[str]) -> Iterator[str]:
    """Yield the faults of the audit table `held` of a release whose other Parquet files are `names`."""
    does, n = read_outcomes(held), Counter(held["path"].to_pylist())
    if [kind for kind, _ in does] != sorted(residue.KINDS) or n.pop("", 0) != len(does):
        yield "the table does not list each kind of the detector exactly once"
    if set(n) != set(names):
        yield "the scanned files are not those of the release"
    if table([], does, len(names)).to_pylist() != [row for row in held.to_pylist() if not row["path"]]:
        yield "the number of scanned files is not that of the release"


def group_by_file(held: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Group the rows of an audit table by file, in order."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in held.to_pylist():
        rows.setdefault(row["path"], []).append(row)
    return rows


def differences(
    folder: Path, name: str, rows: Sequence[dict[str, Any]], does: Outcomes, cleared: Mapping[Place, int]
) -> Iterator[str]:
    """Scan one file again; yield differences from its `rows` in the audit, and finds that must not be published.

    A find that is cleared may be there; one that is cleared and not there is a fault.
    """
    looks = residue.look(folder, name)
    if cleared and cleared_finds.has_ids(folder, name):
        _, gone = cleared_finds.find_differences(folder, name, _kinds_to_exclude(does), cleared)
        for (_, _, column, kind, _), n in sorted(gone.items()):
            yield f"{kind} × {n} in {column}: {cleared_finds.TABLE} clears finds that are not there"
    for one in find_uncleared(folder, looks, does, cleared):
        yield f"{one.kind} × {one.count} in {one.column or 'its name'}: a release must not contain a value of this kind"
    if table(looks, ()).to_pylist() != list(rows):
        yield f"a new scan differs from {TABLE}"


def _refusal(folder: Path, found: Sequence[Residue]) -> str:
    """Return the message: where finds remain, and what to do; ids of documents, never a value."""
    lines = []
    for one in sorted(found, key=lambda one: (not is_data_file(one.file), one))[:SHOWN]:
        named = residue.find_documents(folder, one)
        lines.append(
            f"  {one.file}{f', {one.column}' if one.column else ''}: {one.kind} × {one.count}"
            + (f", such as in {', '.join(named)}" if named else "")
        )
    more = f"\n  … and {len(found) - SHOWN} more places" if len(found) > SHOWN else ""
    return (
        f"{residue.DETECTOR}, the second detector, found personal data in texts that are not part of a document; "
        "nothing was published, and nothing is lost:\n" + "\n".join(lines) + f"{more}\n"
        "It comes from the declarations of a source or the purpose of the recipe: correct their files and run again. "
        "Or remove the kind from the `kinds` of the recipe's `personal_data`: its finds are then counted only."
    )
