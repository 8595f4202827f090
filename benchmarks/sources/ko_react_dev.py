"""The React documentation in Korean: 208 MDX pages."""

from benchmarks.sources.corpora import CORPORA
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="ko-react-dev",
    title="React 한국어 문서",
    publisher="React 한국어 번역 참여자",
    access=Folder(CORPORA / "ko-react-dev", include=("**/*.md", "**/*.mdx"), exclude=("LICENSE-DOCS.md",)),
    claim=(LicenceClaim("CC-BY-4.0", "Attribution 4.0 International", file="LICENSE-DOCS.md"),),
    rule=LicenceRule(proofs=("licence-file",), expected=("CC-BY-4.0",)),
    register="technical",
)
