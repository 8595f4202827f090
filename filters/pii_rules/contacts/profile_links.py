"""Links to a personal profile or chat room: open.kakao.com/o/…, t.me/…, instagram.com/… if offered as a contact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.contacts.handles import BLANK
from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match

_WEB: Final = "(?:[Hh][Tt][Tt][Pp][Ss]?://)?(?:www[.]|m[.])?"
_PRIVATE: Final = (
    "(?:open[.]kakao[.]com/(?:o|me)/|pf[.]kakao[.]com/_|qr[.]kakao[.]com/talk/|t[.]me/|telegram[.]me/|"
    "line[.]me/(?:ti/p|R/ti/p)/|discord[.]com/users/|wa[.]me/|m[.]me/)"
)
_PUBLIC: Final = (
    "(?:discord[.]gg|discord[.]com/invite|instagram[.]com|twitter[.]com|x[.]com|facebook[.]com|threads[.]net|"
    "tiktok[.]com|linktr[.]ee|blog[.]naver[.]com|brunch[.]co[.]kr)/"
)
_LINK: Final = re2.compile(f"{_WEB}(?:{_PRIVATE}|{_PUBLIC})@?[A-Za-z0-9_~+][A-Za-z0-9_.~+/-]{{1,63}}")
_B: Final = f"{BLANK}{{0,2}}"
_DOT: Final = f"{_B}(?:[.．]|[(\\[]?(?:쩜|점|닷|dot)[)\\]]?){_B}"
_SLASH: Final = f"{_B}(?:[/／]|슬래시|슬래쉬){_B}"
_DISGUISED: Final = f"(?:open|오픈){_DOT}(?:kakao|카카오){_DOT}(?:com|컴|닷컴){_SLASH}(?:o|me){_SLASH}[A-Za-z0-9_]"
_DISGUISED_LINK: Final = re2.compile(f"(?:https?://)?{_DISGUISED}{{4,20}}")
LINKS: Final = f"(?:{_PRIVATE}|{_PUBLIC})[@A-Za-z0-9_~+]|{_DISGUISED}"
_CONTEXT: Final = re2.compile(
    "오픈채팅|오픈톡|카톡|문의|연락|상담|쪽지|주문|예약|제보|DM|디엠|계정|놀러|친추|맞팔|팔로우|포트폴리오|작업물|사진|피드|"
    "후기|작가|"
    "블로그(?: ?(?:주소|링크))?[은는]?[ :：(]{0,3}$|브런치[은는]?[ :：(]{0,3}$|"
    "(?:페이스북|페북|인스타그램|인스타|트위터|틱톡|스레드)(?: ?(?:주소|계정|아이디|링크))?[은는]?[ :：(]{0,3}$"
)
_OFFERED: Final = re2.compile("^ ?(?:맞팔|팔로우|친추|(?:으?로 ?)?(?:DM|디엠|연락|문의|놀러))")
_CONTEXT_REACH = 24  # code points before a public profile in which a word must offer it as a contact
_PATHS: Final = frozenset(
    "share intent hashtag explore p reel reels stories sharer groups pages events watch home search login i status "
    "dialog tv about policies legal help s tos privacy addstickers".split()
)
_PRIVATE_HOSTS: Final = frozenset("t.me telegram.me line.me wa.me m.me me".split())


def find_profile_links(text: str, data: bytes) -> Iterator[Match]:
    """Find links to a person or chat room, also obfuscated (open쩜kakao쩜com/o/…); public profiles only if offered."""
    for start, end in matches(_LINK, text, data):
        item = _match_profile_link(text, start, end)
        if item is not None:
            yield item
    for start, end in matches(_DISGUISED_LINK, text, data):
        yield Match(start, end, "messenger", 0.9, "link to an open chat, in disguise or not")


def _match_profile_link(text: str, start: int, end: int) -> Match | None:
    if start and text[start - 1].isascii() and (text[start - 1].isalnum() or text[start - 1] in ".-_/"):
        return None
    url = text[start:end].rstrip("./-+~")
    end = start + len(url)
    bare = url.lower().split("://")[-1].removeprefix("www.").removeprefix("m.")
    host, _, path = bare.partition("/")
    first = path.split("/")[0].lstrip("@")
    private = host.endswith("kakao.com") or host in _PRIVATE_HOSTS or path.startswith("users/")
    person = host.endswith("kakao.com") or path.startswith(("users/", "invite/", "ti/p/", "r/ti/p/"))
    if first in _PATHS and not person:
        return None
    if not private:
        before = text[max(0, start - _CONTEXT_REACH) : start]
        offered = _CONTEXT.search(before) is not None or _OFFERED.match(text[end : end + 8]) is not None
        if path.count("/") > 1 or not path or "공식" in before or not offered:
            return None
    return Match(start, end, "messenger", 0.95 if private else 0.85, f"link to {host}")
