"""The Korean documentation of Kubernetes: Markdown of kubernetes.io, from its repository."""

from crawlers.platforms import site_builders
from malmoi.source import Expect, Git, LicenceClaim, LicenceRule, Source

SOURCE = Source(
    name="kubernetes_ko",
    title="쿠버네티스 한국어 문서",
    publisher="The Kubernetes Authors",
    access=Git(
        "https://github.com/kubernetes/website",
        include=("content/ko/**/*.md",),
        exclude=("content/ko/**/README.md", "content/ko/includes/**", "content/ko/docs/reference/glossary/**"),
    ),
    claim=(LicenceClaim("CC-BY-4.0", "Creative Commons Attribution 4.0 International Public License", file="LICENSE"),),
    rule=LicenceRule(proofs=("project-licence",), expected=("CC-BY-4.0",)),
    register="technical",
    domain="software",
    # A stored index of the repository's history has 753 paths under content/ko; one commit has fewer.
    expect=Expect(at_least=200, at_most=1500),
    attribution="{publisher}, “{title}”, {url}, {licence}",
    unverified="how many files the head of main holds; LICENSE and the paths were read in stored copies",
    note="Entries of the glossary are left out: each is two sentences, repeated in the tooltips of the pages.",
)

text = site_builders.reader(site_builders.clean_hugo)
