"""The PyTorch tutorials in Korean: reStructuredText, and Python files that Sphinx-Gallery renders as pages."""

from crawlers.encodings.decode import decode
from crawlers.formats import ParsedItem
from crawlers.platforms import rst
from malmoi.source import Expect, Extracted, Git, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="pytorch_ko",
    title="파이토치 한국어 튜토리얼",
    publisher="PyTorch & PyTorch Korea User Group contributors",
    access=Git(
        "https://github.com/PyTorchKorea/tutorials-kr",
        include=("*_source/**/*.rst", "*_source/**/*.py", "index.rst"),
        branch="master",
    ),
    claim=(LicenceClaim("BSD-3-Clause", "BSD 3-Clause License", file="LICENSE"),),
    rule=LicenceRule(proofs=("project-licence",), expected=("BSD-3-Clause",)),
    register="technical",
    domain="software",
    # A stored index of the history has 1,873 paths of all kinds; one commit has some hundred pages.
    expect=Expect(at_least=80, at_most=900),
    attribution="{publisher}, “{title}”, {url}, {licence}",
    unverified=(
        "how many files the head of master holds, and whether the organisation is called PyTorchKR by now, as links of "
        "2025 have it: a redirect stops the collection, and says so; LICENSE and the paths were read in stored copies"
    ),
    note="Tutorials that nobody has translated yet are English; the recipe drops them. Python files without prose too.",
)


def text(parsed: ParsedItem) -> Extracted:
    """Extract the prose of a page; a Python file without a docstring is `no-text`."""
    item = parsed.item
    decoded = decode(item.body, item.charset) if isinstance(item.body, bytes) else None
    body = decoded.text if decoded else str(item.body)
    if item.url.endswith(".py"):
        body = rst.gallery(body)
    found = rst.prose(body)
    words = "\n\n".join(block for block in found.text.split("\n\n") if not _is_navigation(block))
    reason = "undecodable" if decoded and decoded.is_undecodable else "" if words else "no-text"
    return Extracted(
        text="" if reason else words,
        title=item.title or found.title,
        format="rst",
        encoding=decoded.encoding if decoded else "",
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def _is_navigation(block: str) -> bool:
    """Whether a paragraph is the bar of links above a tutorial: "이전 ||", one link per line."""
    return not block.startswith("```") and any(line.endswith("||") for line in block.split("\n"))
