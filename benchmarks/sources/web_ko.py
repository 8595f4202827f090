"""1,833 Korean pages in one archive: LibreOffice help and three Debian books, with placeholder hosts.

BENCH_CORPUS names another archive, or a folder of archives.
"""

import os
from pathlib import Path

from benchmarks.sources.corpora import CORPORA
from malmoi.source import LicenceClaim, LicenceRule, Source, Warc

_DEBIAN = "Debian installation guide and FAQ GPL-2.0-or-later"
_HANDBOOK = "Debian handbook GPL-2.0-or-later or CC-BY-SA-3.0"

SOURCE = Source(
    name="web-ko",
    title="LibreOffice 도움말과 데비안 문서",
    publisher="The Document Foundation; Debian",
    access=Warc((Path(os.environ.get("BENCH_CORPUS") or CORPORA / "web-ko" / "web-ko.warc.gz"),)),
    claim=(
        LicenceClaim(
            "MPL-2.0", "LibreOffice help MPL-2.0", file="SOURCE.txt", only=("https://help.libreoffice.example/",)
        ),
        LicenceClaim("GPL-2.0-or-later", _DEBIAN, file="SOURCE.txt", only=("https://guide.debian.example/",)),
        LicenceClaim("GPL-2.0-or-later", _DEBIAN, file="SOURCE.txt", only=("https://faq.debian.example/",)),
        LicenceClaim(
            "GPL-2.0-or-later OR CC-BY-SA-3.0",
            _HANDBOOK,
            file="SOURCE.txt",
            only=("https://handbook.debian.example/",),
        ),
    ),
    rule=LicenceRule(
        proofs=("licence-file",), expected=("MPL-2.0", "GPL-2.0-or-later", "GPL-2.0-or-later OR CC-BY-SA-3.0")
    ),
    register="technical",
)
