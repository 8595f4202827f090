"""The plan of an erasure, a file of the workspace from before its first change until its last: a kill leaves it there.

A command that opens the workspace names it; one that locks the workspace continues it first (malmoi/workspace.py). The
key of a value is its digest, as in the tombstones.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.printable import escape_controls
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.location import find_address
from malmoi.workspace_layout import RELEASES, Layout


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """A request: erase what `tombstones` cover from the release `release`, with its near-duplicates or without."""

    release: str  # name
    version: str  # the latest one when the erasure began
    copies: bool
    tombstones: tuple[dict[str, str], ...]  # as they were given


def write(path: Path, plan: ErasurePlan) -> None:
    """Write the plan atomically."""
    replace_file(path, canonical_json(asdict(plan)))


def read(path: Path) -> ErasurePlan | None:
    """Read the plan in `path`; None if no erasure is under way. CallError if it is damaged."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return ErasurePlan(**value | {"tombstones": tuple(dict(one) for one in value["tombstones"])})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CallError(
            f"{path}: not readable as the plan of an erasure ({type(error).__name__}); erase again what was asked for, "
            "after this file is restored from a copy or deleted."
        ) from error


def find_unfinished(folder: Path) -> Path | None:
    """Return the workspace in `folder`, or of the release in it, if an erasure of it is unfinished."""
    above = folder.absolute().parents
    in_release = len(above) > 2 and above[1].name == RELEASES
    root = above[2] if in_release else folder
    return root if Layout(root).erasure_plan.is_file() else None


def name_unfinished(folder: Path) -> None:
    """Name the unfinished erasure of the workspace in `folder`, or of the release in it, on standard error, once."""
    if (root := find_unfinished(folder)) is not None:
        _say_once(_describe(root))


@cache
def _say_once(message: str) -> None:
    print(f"malmoi: {escape_controls(message)}", file=sys.stderr)


def _describe(root: Path) -> str:
    """Say what is unfinished and how it is continued, without the ids that must be forgotten."""
    plan = read(Layout(root).erasure_plan)
    name, version = (plan.release, plan.version) if plan else ("NAME", "VERSION")
    command = f"malmoi erase {name} --workspace {shlex.quote(find_address(root) or str(root))}"
    return (
        f"an erasure from {name} {version} has not come to its end: files may still hold what was to go. If no command "
        f"is at work on it, `{command}` continues it; every command that writes to this workspace does so first."
    )


Resume = Callable[[Any], object]  # of a workspace that is locked
_resume: list[Resume] = []


def resume_with(call: Resume) -> None:
    """Set what continues an erasure; the flows know how, and `malmoi` may not import them."""
    _resume[:] = [call]


def resume(workspace: Any) -> None:
    """Continue the unfinished erasure of a locked workspace. CallError if this program cannot."""
    if not _resume:
        raise CallError(_describe(workspace.root))
    _resume[0](workspace)
