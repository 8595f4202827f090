"""The Debian installation guide in Korean: one book as 84 HTML pages (its text and PDF forms are left out)."""

from benchmarks.sources.corpora import CORPORA
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="debian-installguide-ko",
    title="데비안 GNU/리눅스 설치 안내서",
    publisher="Debian Installer team",
    access=Folder(CORPORA / "debian-installguide-ko", include=("*.html",)),
    claim=(
        LicenceClaim(
            "GPL-2.0-only", "licensed under the terms of the GNU GPL, version 2.", file="LICENSE.debian-copyright"
        ),
    ),
    rule=LicenceRule(proofs=("licence-file",), expected=("GPL-2.0-only",)),
    register="technical",
)
