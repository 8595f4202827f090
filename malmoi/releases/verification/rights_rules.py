"""Decide the rights of a release again, by the rules that made it; other rules are named and not compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.rights_decision import RULES_VERSION, decide
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.verification.invariants import RIGHTS
from malmoi.storage.duckdb_tables import Tables


def find_faults(made: Manifest, tables: Tables) -> Iterator[str]:
    """Yield the differences between the rights in data/ and those that the published evidence and signals give.

    Nothing is compared for a release of other rules: evidence that was enough then may permit nothing now.
    """
    if made.rights_version != RULES_VERSION:
        return
    for licence, use, said, heard, id_, n in tables.ask(RIGHTS).rows:
        signals = [Signal("", effect, "", "", "") for effect in str(heard).split("\n") if effect]  # type: ignore[arg-type]
        found = decide(list(_parse_evidence(str(said))), signals)
        if (found.licence, found.use) != (licence, use):
            yield (
                f"{n} documents such as {id_} are {licence} ({use}); their evidence gives "
                f"{found.licence or 'none'} ({found.use})"
            )


def describe(folder: Path) -> str:
    """Return the note that the rights of the release in `folder` were not decided again, or ""."""
    by = manifests.read(folder).rights_version
    if by == RULES_VERSION:
        return ""
    return (
        f"Its rights were decided by version {by} of the rules; this Malmoi has version {RULES_VERSION} and did not "
        "decide them again. A new release of the workspace does."
    )


def _parse_evidence(said: str) -> Iterator[LicenceEvidence]:
    for line in filter(None, said.split("\n")):
        scope, kind, licence = line.split("\t")
        yield LicenceEvidence(licence, kind, scope, "", "", "")  # type: ignore[arg-type]
