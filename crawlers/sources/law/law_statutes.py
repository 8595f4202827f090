"""The statutes in force, from the open API of law.go.kr."""

from collections.abc import Iterable

from lxml import etree

from crawlers.platforms import law_go_kr, law_kinds
from malmoi.source import Expect


def _parts(root: etree._Element) -> Iterable[str]:
    return (*law_go_kr.articles(root), *law_go_kr.paragraphs(root, "부칙내용"))


# 법령ID is one name for all versions of a statute, and the API returns the version in force for it: an amendment
# becomes a new revision of the same document. 법령일련번호 (MST) would name each version separately.
REGISTER = law_go_kr.Register(
    target="law",
    row="law",
    listed="법령ID",
    asked="ID",
    root="법령",
    own=("법령ID",),
    title=("법령명_한글",),
    date=("공포일자",),
    author=("소관부처",),
    page="https://www.law.go.kr/법령/{title}",
    parts=_parts,
    stated="법종구분",
    within="법령/기본정보",
    allowed=lambda _, words: law_kinds.is_statute(words),
)

SOURCE = law_go_kr.source(
    REGISTER,
    name="law_statutes",
    title="국가법령정보 현행법령",
    max_pages=20_000,
    register="statutory",
    # Some five thousand statutes are in force, as is generally known; this API was not counted.
    expect=Expect(at_least=3_000, at_most=15_000),
    family="law.go.kr/law",
    attribution="「{title}」 ({year}), {publisher}, {url}",
    unverified="Whether www.law.go.kr/robots.txt lets machines in, and how many statutes the list counts.",
    note="The key is the id under which an operator has registered at open.law.go.kr, with the addresses from which "
    "the interface will answer. Left out: tables and forms (별표, 별지), which are files, and the reasons for an "
    "amendment (제개정이유).",
)

follow, items, evidence, text, trouble = law_go_kr.functions(REGISTER)
