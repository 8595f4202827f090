"""`malmoi sign`: sign a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.options import out
from flows.plurals import count_of
from malmoi.errors import DataError
from malmoi.printable import escape_line

KeyOption = Annotated[
    Path,
    Parameter("--key", help="Private Ed25519 key (PEM), or a public OpenSSH key whose ssh-agent signs."),
]
PublicKeyOption = Annotated[
    Path | None, Parameter("--public-key", help="Public key of the publisher (PEM or OpenSSH): it must have signed.")
]
ReleaseArgument = Annotated[Path, Parameter(help="Folder of one version of a release.")]


def sign(release: ReleaseArgument, *, key: KeyOption) -> None:
    """Verify a release, then sign it: write manifest.dsse.json."""
    from malmoi.releases.statements.keys import read_signer
    from malmoi.releases.verification import release_statement

    signer = read_signer(key, release)
    check(release, None)
    out.print(escape_line(f"{release}: signed by the key {release_statement.sign(release, signer)}"), markup=False)


def verify(folder: Path, *, public_key: PublicKeyOption = None) -> None:
    """Verify a release: every file, the manifest, every number of its card, and its signature."""
    from malmoi.releases.statements.keys import read_public_key
    from malmoi.releases.verification import release_statement

    check(folder, None if public_key is None else read_public_key(public_key))
    print(f"{folder}: verified. Every file, the manifest and every number of the card agree.")
    checked = " The signature was checked." if public_key else " Check who signed with --public-key FILE."
    said = release_statement.describe(folder)
    out.print(escape_line(said + (checked if said.startswith("Signed") else "")), markup=False)


def check(folder: Path, public: bytes | None) -> None:
    """Print the findings of a release; DataError if there are any."""
    from flows.engine.verify_process import find_problems

    found = find_problems(folder, public)
    for finding in found:
        out.print(escape_line(f"{finding.check}: {finding.path}: {finding.says}"), markup=False)
    if found:
        raise DataError(
            f"{folder}: {count_of(len(found), 'finding')}; this is not the release as it was published. Copy it again."
        )
