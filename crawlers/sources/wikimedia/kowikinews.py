"""The Korean Wikinews (위키뉴스), from its monthly dump."""

from crawlers.formats.mediawiki import mediawiki_export
from crawlers.platforms import wikimedia
from malmoi.source import Expect, LicenceRule

SOURCE = wikimedia.source(
    "kowikinews",
    title="위키뉴스",
    publisher="위키뉴스 기여자",
    claim=(wikimedia.NEWS,),
    rule=LicenceRule(proofs=("dump-claim",), expected=("CC-BY-2.5",)),
    register="news",
    expect=Expect(at_least=5, at_most=5_000),  # blocks; the size of the dump is unknown
    unverified="How large the dump is. Whether Wikinews has moved to a later version of CC BY.",
    note="The page calls what was written before 2005-09-25 public domain; it is treated as CC BY 2.5 like the rest. "
    "The date of a document is that of its last revision, not of the news.",
)

items, text = mediawiki_export.pages, wikimedia.text
