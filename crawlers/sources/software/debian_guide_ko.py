"""The Debian installation guide in Korean: gettext files, whose messages are paragraphs of DocBook."""

from crawlers.encodings.decode import decode
from crawlers.formats import ParsedItem
from crawlers.platforms import gettext
from malmoi.source import Expect, Extracted, Git, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="debian_guide_ko",
    title="데비안 GNU/리눅스 설치 안내서",
    publisher="Debian Installer team",
    access=Git(
        "https://salsa.debian.org/installer-team/installation-guide",
        include=("po/ko/*.po",),
        exclude=("po/ko/gpl.po",),  # the licence itself, in English by its own terms
        branch="master",
    ),
    claim=(
        LicenceClaim("GPL-2.0-only", "licensed under the terms of the GNU GPL, version 2.", file="debian/copyright"),
    ),
    rule=LicenceRule(proofs=("project-licence",), expected=("GPL-2.0-only",)),
    register="technical",
    domain="software",
    expect=Expect(at_least=5, at_most=60),  # a file per chapter; the book has seven chapters and some appendices
    attribution="{publisher}, “{title}”, {url}, {licence}",
    unverified=(
        "that the Korean text lies in po/ko, and the name of the branch; the words of debian/copyright were read in "
        "the Debian package installation-guide-amd64 20250803+deb13u1"
    ),
    note="A file is a chapter. Paragraphs that differ by architecture or are not translated are left out.",
)

# The values of the entities of the book; a paragraph with another entity is left out.
ENTITIES = {
    "debian": "데비안",
    "debian-gnu": "데비안 GNU/리눅스",
    "d-i": "debian-installer",
    "arch-kernel": "Linux",
    "mdash": "—",
    "ndash": "–",
    "nbsp": " ",
    "hellip": "…",
}


def text(parsed: ParsedItem) -> Extracted:
    """Extract the translated paragraphs of a file, in the order of the book."""
    item = parsed.item
    decoded = decode(item.body, item.charset) if isinstance(item.body, bytes) else None
    words = [
        words
        for message in gettext.messages(decoded.text if decoded else str(item.body))
        if (words := gettext.docbook(message.translated, ENTITIES))
    ]
    reason = "undecodable" if decoded and decoded.is_undecodable else "" if words else "no-text"
    return Extracted(
        text="" if reason else "\n\n".join(words),
        title=item.title or next(iter(words), ""),
        format="po",
        encoding=decoded.encoding if decoded else "",
        outcome="dropped" if reason else "kept",
        reason=reason,
    )
