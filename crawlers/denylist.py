"""Denylist: what is never collected, and why; shipped as data, so that an auditor sees what was left out on purpose.

A source whose access point leads to a host of this list is refused when it is loaded. Rows without hosts
describe kinds of material that no URL identifies; they bind the author of a source.
The grounds come from reading the terms; this is not legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class DenylistEntry:
    """One row: the material, its hosts, why it is not collected, and the basis of that reason."""

    id: str
    title: str
    hosts: tuple[str, ...]  # with all their subdomains; () for a kind of material
    reason: str
    basis: str
    unless_marked: bool = False  # a source is allowed if it declares a proof on each item, and no claim


STATUTE = "저작권법 (Copyright Act of Korea), art. 16 to 22: reserved to the author where nothing permits"
DENIED: tuple[DenylistEntry, ...] = (
    DenylistEntry(
        "ai-hub",
        "AI-Hub data, and whatever is uploaded again from it",
        ("aihub.or.kr",),
        "for training only; not to be passed on, and not to leave Korea without an agreement of its own",
        "terms of use of AI-Hub, as quoted by a second source; read them before you rely on this",
    ),
    DenylistEntry(
        "nikl-corpora",
        "모두의 말뭉치 and 세종 말뭉치",
        ("kli.korean.go.kr", "corpus.korean.go.kr", "ithub.korean.go.kr"),
        "each user signs an agreement; use beyond its scope and passing on to third parties are forbidden",
        "the agreement of the National Institute of Korean Language (국립국어원), and its public statement",
    ),
    DenylistEntry(
        "press",
        "Newspapers, broadcasters, agencies and news portals",
        (
            "chosun.com", "joongang.co.kr", "donga.com", "hani.co.kr", "khan.co.kr", "hankookilbo.com", "mk.co.kr",
            "hankyung.com", "asiae.co.kr", "sedaily.com", "edaily.co.kr", "etnews.com", "yna.co.kr", "newsis.com",
            "news1.kr", "ytn.co.kr", "sbs.co.kr", "kbs.co.kr", "imbc.com", "jtbc.co.kr", "ohmynews.com",
            "news.naver.com", "news.daum.net", "v.daum.net", "news.nate.com",
        ),
        "no reproduction and no use for AI training, say their footers; reports licensed for money",
        "footers (무단전재·재배포 금지, AI 학습 이용 금지) as read on donga.com; art. 7 (5) covers bare facts only",
    ),
    DenylistEntry(
        "namuwiki",
        "나무위키",
        ("namu.wiki", "namu.moe"),
        "CC-BY-NC-SA-2.0-KR: no commercial use",
        "licence line at the foot of each page",
    ),
    DenylistEntry(
        "blogs",
        "Personal blogs: 브런치, 네이버 블로그, 티스토리, 벨로그",
        ("brunch.co.kr", "blog.naver.com", "tistory.com", "velog.io", "blog.daum.net"),
        "each post is its author's; without a licence of its own it is reserved",
        STATUTE + "; a post may carry a Creative Commons mark (CCL)",
        unless_marked=True,
    ),
    DenylistEntry(
        "forums",
        "DCInside and other forums and communities, cafés included",
        (
            "dcinside.com", "fmkorea.com", "theqoo.net", "clien.net", "ppomppu.co.kr", "ruliweb.com",
            "mlbpark.donga.com", "todayhumor.co.kr", "bobaedream.co.kr", "inven.co.kr", "ilbe.com", "arca.live",
            "instiz.net", "pann.nate.com", "blind.com", "cafe.naver.com", "cafe.daum.net", "kin.naver.com",
        ),
        "posts belong to many authors who gave no licence; personal data and insult are frequent",
        STATUTE + "; 개인정보 보호법 (Personal Information Protection Act)",
    ),
    DenylistEntry(
        "schoolbooks",
        "Textbooks, EBS material, 수능 and mock examinations",
        ("ebs.co.kr", "ebsi.co.kr", "suneung.re.kr", "textbook114.com"),
        "reserved, and licensed for money; examination papers quote works of third parties",
        "Supreme Court, August 2024, on examination papers of KICE on the web, as reported by a second source",
    ),
    DenylistEntry(
        "hub-machine-translations",
        "Machine-translated data sets on model hubs, without provenance",
        (),
        "neither the licence of the original nor that of the translation can be shown",
        "no archived evidence can exist for them; what is unknown is excluded (docs/rights.md)",
    ),
    DenylistEntry(
        "kipris-bulk",
        "KIPRIS bulk data",
        (),
        "sold under a contract that is the buyer's alone; seven sets for AI are reported to be free since, under terms "
        "that no person has read for this project; specifications are the applicants' works",
        "price list of KIPRIS Plus; art. 7 covers acts of the state, which a specification is not beyond doubt",
    ),
    DenylistEntry(
        "industry-reports",
        "SEMI Korea, trade associations, reports of securities firms",
        ("semi.org", "ksia.or.kr", "finance.naver.com"),
        "all rights reserved; sold or for members",
        STATUTE,
    ),
)  # fmt: skip


def reason(url: str, *, marked: bool = False) -> str:
    """Return why `url` must not be collected, or "". `marked`: the source declares a proof on each item.

    >>> reason("https://www.namu.wiki/w/말모이")
    'namuwiki: CC-BY-NC-SA-2.0-KR: no commercial use'
    >>> reason("https://notnamu.wiki/"), reason("https://a.tistory.com/1", marked=True)
    ('', '')
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    for row in DENIED:
        if any(host == known or host.endswith(f".{known}") for known in row.hosts) and not (
            marked and row.unless_marked
        ):
            return f"{row.id}: {row.reason}"
    return ""


def search(word: str = "") -> tuple[DenylistEntry, ...]:
    """Return the rows that contain `word`, in their order; all of them for "".

    >>> [row.id for row in search("나무")]
    ['namuwiki']
    """
    wanted = word.casefold()
    return tuple(
        row for row in DENIED if wanted in " ".join((row.id, row.title, *row.hosts, row.reason, row.basis)).casefold()
    )
