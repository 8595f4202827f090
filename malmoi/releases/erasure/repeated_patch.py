"""Notice that the run after an erasure has made the patch release again, and needs no version.

The stages now leave the erased documents out earlier, or no longer have them, so their counts in the audit tables
differ from those of the patch; its documents do not.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.verification.erasure_proof import NAME
from malmoi.releases.versions.compare import compare


def is_repeated(folder: Path, before: Path) -> bool:
    """Whether the new release in `folder` repeats the release `before`: the same root, or the documents of a patch.

    A capture that is newer than those of the patch makes a version, as it may have been dropped.
    """
    new, old = manifests.read(folder), manifests.read(before)
    if new.root == old.root or not (before / NAME).exists():
        return new.root == old.root
    if new.date > old.date or _strip(new) != _strip(old):
        return False
    found = compare(before, folder)
    return not (found.added or found.removed or any(found.changed.values()))


def _strip(made: Manifest) -> Manifest:
    """Return the manifest without what follows from the documents and the audit."""
    return replace(made, version="", date="", files=(), members="")
