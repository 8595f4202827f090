"""Notice that the run after an erasure has made the patch release again: then there is no new version.

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


def repeats_patch(folder: Path, patch: Path) -> bool:
    """Whether the new release in `folder` has the documents and facts of the release `patch`, which an erasure made.

    A capture that is newer than those of the patch makes a version, as it may have been dropped.
    """
    if not (patch / NAME).exists():
        return False
    new, old = manifests.read(folder), manifests.read(patch)
    if new.date > old.date or _strip(new) != _strip(old):
        return False
    found = compare(patch, folder)
    return not (found.added or found.removed or any(found.changed.values()))


def _strip(made: Manifest) -> Manifest:
    """Return the manifest without what follows from the documents and the audit."""
    return replace(made, version="", date="", files=(), members="")
