"""The Rust Programming Language in Korean: the Markdown of an mdBook, from its repository."""

from crawlers.platforms import site_builders
from malmoi.source import Expect, Git, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="rust_book_ko",
    title="러스트 프로그래밍 언어 (2021판)",
    publisher="rust-kr 번역 참여자, The Rust Project",
    access=Git(
        "https://github.com/rust-kr/doc.rust-kr.org",
        include=("src/**/*.md",),
        exclude=("src/SUMMARY.md",),
        branch="master",
    ),
    claim=(
        LicenceClaim(
            "MIT OR Apache-2.0",
            "This repository is licensed under the Apache License, Version 2.0 "
            "<LICENSE-APACHE or https://www.apache.org/licenses/LICENSE-2.0> or the MIT license",
            file="COPYRIGHT",
        ),
    ),
    rule=LicenceRule(proofs=("project-licence",), expected=("MIT OR Apache-2.0",)),
    register="technical",
    domain="software",
    expect=Expect(at_least=90, at_most=150),  # 105 paths in a stored index of the history, SUMMARY.md among them
    attribution="{publisher}, “{title}”, {url}, {licence}",
    unverified="what the head of master holds; COPYRIGHT, README and the paths were read in stored copies",
    note="Listings lie in files of their own and are left out. The README says that the translation is also printed.",
)

text = site_builders.reader(site_builders.clean_mdbook)
