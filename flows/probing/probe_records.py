"""Results of probes: their shape, and the file of the last one of each source in the workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from malmoi.archive import collection
from malmoi.canonical_json import canonical_json
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace, push
from malmoi.workspace_layout import Layout

# Of a check: "partly" if it holds for some of the items, "unknown" if the answers do not decide it.
State: TypeAlias = Literal["holds", "partly", "differs", "failed", "unknown"]
# Of a probe: the worst state of its checks; "not asked" if a key, a terms check, a contact or a file of the operator
# is missing.
Outcome: TypeAlias = Literal["holds", "partly", "differs", "failed", "not asked"]


@dataclass(frozen=True, slots=True)
class Check:
    """One field of a source, and whether what was answered is what the source declares."""

    field: str
    state: State
    says: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of one probe."""

    source: str
    when: str  # UTC, ISO 8601
    outcome: Outcome
    checks: tuple[Check, ...]
    terms: str = ""  # sha256 of the visible text of the page of the terms, as it was when a person had read it
    check: str = ""  # the terms check by which it was compared: reviewer, day and page

    def to_json(self) -> dict[str, Any]:
        """Return the result as an object of JSON."""
        return asdict(self)

    @staticmethod
    def from_json(said: Mapping[str, Any]) -> ProbeResult:
        """Parse what `to_json` returned. KeyError or TypeError for something else."""
        checks = tuple(Check(**one) for one in said["checks"])
        return ProbeResult(said["source"], said["when"], said["outcome"], checks, said["terms"], said.get("check", ""))


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state of a source in a workspace: the day of its last collection, and its last probe."""

    collected: str = ""  # ISO date; "" for never
    probed: str = ""
    outcome: str = ""  # of the probe

    def describe(self) -> str:
        """Describe the state in a few words.

        >>> SourceState().describe(), SourceState("2026-11-30", "2026-12-01", "differs").describe()
        ('never seen', 'collected on 2026-11-30 · probed on 2026-12-01: differs')
        """
        parts = [f"collected on {self.collected}"] if self.collected else []
        parts += [f"probed on {self.probed}: {self.outcome}"] if self.probed else []
        return " · ".join(parts) or "never seen"


def record(workspace: Workspace, result: ProbeResult) -> ProbeResult:
    """Write the result into the workspace, in the place of the one before, and return it."""
    path = workspace.probe(result.source)
    path.parent.mkdir(exist_ok=True)
    replace_file(path, canonical_json(result.to_json()))
    push(path)
    return result


def read_last(layout: Layout, source: str) -> ProbeResult | None:
    """Return the last probe of a source; None without one, or if its file cannot be read."""
    try:
        return ProbeResult.from_json(json.loads(layout.probe(source).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget_terms(workspace: Workspace, source: str) -> None:
    """Forget the page of the terms that a probe has seen: a person has read the page again."""
    if (last := read_last(workspace, source)) is not None:
        record(workspace, replace(last, terms="", check=""))


def find_state(root: Path, source: str) -> SourceState:
    """Return what the workspace at `root` knows of a source; nothing if it does not exist."""
    layout = Layout(root)
    last = read_last(layout, source)
    runs = collection.runs(layout.captures(source)) if layout.mark.exists() else []
    days = [row.fetched[:10] for row in runs[-1].rows] if runs else []
    return SourceState(max(days, default=""), last.when[:10] if last else "", last.outcome if last else "")
