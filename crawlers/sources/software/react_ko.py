"""The React documentation in Korean: MDX of ko.react.dev, from its repository."""

from malmoi.source import Estimate, Expect, Git, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="react_ko",
    title="React 한국어 문서",
    publisher="Meta Platforms, Inc. and the translators of ko.react.dev",
    access=Git("https://github.com/reactjs/ko.react.dev", include=("src/content/**/*.md", "src/content/**/*.mdx")),
    claim=(
        LicenceClaim(
            "CC-BY-4.0", "Creative Commons Attribution 4.0 International Public License", file="LICENSE-DOCS.md"
        ),
    ),
    rule=LicenceRule(proofs=("project-licence",), expected=("CC-BY-4.0",)),
    register="technical",
    domain="software",
    expect=Expect(at_least=120, at_most=500),  # 208 at commit 2e8c873c of 2026
    attribution="{publisher}, “{title}”, {url}, {licence}",
    unverified="whether the branch is still called main; files and licence were read at commit 2e8c873c",
    estimate=Estimate(2_600_000, "counted: 205 documents of commit 2e8c873c, kept by the recipe wide"),
    note="Code samples are large; of a page about half is prose. Blog posts of the React team are among the pages.",
)
