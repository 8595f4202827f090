"""Abstracts from OAK, the national open access platform: records that it collects from the repositories of Korea."""

from crawlers.rights.repository_rights import FIELDS
from malmoi.source import Expect, LicenceRule, Manners, OaiPmh, Source

SOURCE = Source(
    name="oak",
    title="OAK 국가리포지터리",
    publisher="국립중앙도서관 OAK",
    # Its lists have no resumption token and end after 99 records, so they are split into ranges of days.
    access=OaiPmh("https://oak.go.kr/OAIHandler", cap=99, max_pages=2_000_000),
    rule=LicenceRule(proofs=("field",), fields=FIELDS, expected=("CC-BY-4.0", "LicenseRef-CC-BY-2.0-KR")),
    register="technical",
    domain="science",
    # 770,000 records, said the National Library in 2020.
    expect=Expect(at_least=1_000, at_most=2_000_000),
    manners=Manners(delay=2.0),
    attribution="{author}, 「{title}」 ({year}), {url}, {licence}",
    unverified="Three records of an answer of August 2026 were read (ckgerteis/korea-scholarship-mcp, "
    "oak_listrecords.xml): none has an element with a licence, one has an abstract, and contents_url is a page of "
    "the repository. The missing sets and tokens and the 99 records are those that public programs describe. Whether "
    "deleted records are announced is unknown.",
    note="Expected outcome: nothing is granted until a record names a licence. OAK shows a Creative Commons type "
    "on the page of each article of its journals, CC BY-NC on those that were seen; the page gives no version of "
    "the licence. Files lie on the hosts of the repositories and are not fetched: declare the repository as "
    "a source of its own.",
)
