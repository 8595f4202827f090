"""Child process of `malmoi diff`: compare two releases within limits, and print the differences as JSON."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.cli.recipe_diff import compare_sides, read_release
from flows.engine.limited_process import apply_limits
from malmoi.canonical_json import canonical_json
from malmoi.errors import DataError, MalmoiError
from malmoi.releases.verification import withdrawn_list
from malmoi.releases.versions import changelog
from malmoi.releases.versions.compare import compare
from malmoi.releases.versions.comparison import Version


def compare_folders(before: Path, after: Path) -> dict[str, Any]:
    """Return the value of `malmoi diff --json`: the comparison, and the differences of the recipes in words."""
    for folder in (before, after):
        if lost := withdrawn_list.describe(folder):
            raise DataError(
                f"{folder}: {lost}; what is left of it cannot be compared. Compare whole versions, or read the "
                "CHANGELOG.md of the later one."
            )
    found = compare(before, after)
    sides = (
        replace(read_release(folder), name=_name(one)) for folder, one in ((before, found.before), (after, found.after))
    )
    checked = changelog.check_against(after, found)
    return {**found.to_value(), "changelog": checked, "recipe": list(compare_sides(*sides))}


def _name(one: Version) -> str:
    return f"{one.name} {one.version}"


if __name__ == "__main__":
    apply_limits(int(sys.argv[1]), int(sys.argv[2]))
    try:
        answer = compare_folders(Path(sys.argv[3]), Path(sys.argv[4]))
    except MalmoiError as error:
        answer = {"error": str(error)}
    sys.stdout.buffer.write(canonical_json(answer).encode())
