"""MDN Web Docs in Korean: Markdown, from the repository of translations."""

from crawlers.platforms import site_builders
from malmoi.source import Expect, Git, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="mdn_ko",
    title="MDN Web Docs 한국어",
    publisher="Mozilla Contributors",
    access=Git(
        "https://github.com/mdn/translated-content",
        include=("files/ko/**/*.md",),
        # Pages whose English original was merged or removed; MDN itself does not show them as articles.
        exclude=("files/ko/conflicting/**", "files/ko/orphaned/**"),
    ),
    claim=(LicenceClaim("CC-BY-SA-2.5", "All prose content is available under ([CC-BY-SA 2.5]", file="LICENSE.md"),),
    rule=LicenceRule(proofs=("project-licence",), expected=("CC-BY-SA-2.5",)),
    register="technical",
    domain="software",
    # A stored index of the history has 4,100 paths under files/ko, with moved, old and other files.
    expect=Expect(at_least=800, at_most=6000),
    attribution="{publisher}, “{title}”, {url}, {licence}",
    unverified=(
        "how many files the head of main holds, and the first sentence of LICENSE.md letter for letter: it was read as "
        "cited from mdn/content, which has the same file"
    ),
    note=(
        "Prose is CC-BY-SA-2.5. Code samples have terms of their own in LICENSE.md (CC0 or MIT, by date), which ask "
        "for no more; a page is taken under the licence of its prose. Authors stand in each file's history."
    ),
)

text = site_builders.reader(site_builders.clean_mdn)
