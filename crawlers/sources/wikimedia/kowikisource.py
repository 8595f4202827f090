"""The Korean Wikisource (위키문헌), from its monthly dump; each work states by a template why it is free."""

import re
from collections.abc import Iterator
from dataclasses import replace

from crawlers.formats.mediawiki import mediawiki_export, wikitext
from crawlers.platforms import wikimedia
from malmoi.archive.capture import Capture
from malmoi.source import Estimate, Expect, Item, LicenceRule

_AUTHOR = re.compile(r"\|\s{0,20}(?:지은이|저자|author)\s{0,20}=[ \t]{0,20}([^|\n{}]{0,200}(?:\|[^|\n{}]{0,100}\]\])?)")

SOURCE = wikimedia.source(
    "kowikisource",
    title="위키문헌",
    publisher="위키문헌",
    # The claim of the dumps is about original text of the wiki; whether a work without a template is, a person decides.
    rule=LicenceRule(
        proofs=("field",),
        fields=(wikimedia.PLACE,),
        expected=("LicenseRef-KR-PD-expired", "LicenseRef-KR-CA-Art7", "CC-BY-SA-4.0"),
    ),
    register="literature",
    # Blocks. 141 MiB packed (2026-09-01, by second hand) are some 600 MB, a block at most 1 MiB; not counted.
    expect=Expect(at_least=500, at_most=50_000),
    attribution="{author}, " + wikimedia.ATTRIBUTION,
    unverified="How many blocks the dump comes to. The names of the licence templates "
    "and of the parameter that names the author; an unknown one excludes the page.",
    estimate=Estimate(60_000_000, "600 million characters from dumps of 1.4 GiB; this dump: 141 MiB on 2026-09-01"),
    note="The dates are those of the last revisions. Works that are shown from scanned pages (<pages …/>) have no text "
    "of their own in the dump's articles and are dropped as no-text.",
)


def items(capture: Capture) -> Iterator[Item]:
    """Yield the works of a block, with the licence and the author that their templates name."""
    for item in mediawiki_export.pages(capture):
        markup = item.body.decode("utf-8", "replace") if isinstance(item.body, bytes) else item.body
        found = _AUTHOR.search(markup)
        author = " ".join(wikitext.text_of(found[1]).split()) if found else ""
        yield replace(item, author=author, evidence=wikimedia.templates(markup, item.record))


text = wikimedia.text
