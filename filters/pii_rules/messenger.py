"""Messenger and social handles: 카톡 아이디 maru_7, open chats, t.me links, @names behind the name of a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.between import BETWEEN
from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import ZERO_WIDTH, matches

_BLANK: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
_WEB: Final = "(?:[Hh][Tt][Tt][Pp][Ss]?://)?(?:www[.]|m[.])?"
_PRIVATE: Final = (  # links that lead to one person or one closed room
    "(?:open[.]kakao[.]com/(?:o|me)/|pf[.]kakao[.]com/_|qr[.]kakao[.]com/talk/|t[.]me/|telegram[.]me/|"
    "line[.]me/(?:ti/p|R/ti/p)/|discord[.]com/users/|wa[.]me/|m[.]me/)"
)
_PUBLIC: Final = (
    "(?:discord[.]gg|discord[.]com/invite|instagram[.]com|twitter[.]com|x[.]com|facebook[.]com|threads[.]net|"
    "tiktok[.]com|linktr[.]ee)/"
)
LINK: Final = f"(?:{_PRIVATE}|{_PUBLIC})[@A-Za-z0-9_~+]"
_LINK: Final = re2.compile(f"{_WEB}(?:{_PRIVATE}|{_PUBLIC})@?[A-Za-z0-9_.~+/-]{{2,64}}")
_SERVICE: Final = (
    "카카오톡|카카오|카톡|까톡|깨톡|카[._-]톡|[kKㅋ]톡|오카|톡|오픈채팅방?|오픈카톡|오픈톡|갠톡|텔레그램|텔레|텔|라인|인스타그램|인스타|"
    "디스코드|디코|트위터|트윗|"
    "스레드|쓰레드|페이스북|페북|틱톡|위챗|왓츠앱|스카이프|[Kk]akao(?:[Tt]alk)?|KAKAO(?:TALK)?|[Tt]elegram|"
    "TELEGRAM|LINE|ㅋㅌ|ㅋㅋㅇㅌ|ㅌㄹ|ㅇㅅㅌ|카카오스토리|카스|밴드|왓챗|시그널|"
    "[Ii]nsta(?:gram)?|INSTAGRAM|[Dd]iscord|[Tt]witter|[Ww]e[Cc]hat|[Ss]kype|SNS|DM|디엠"
)
_ASKED: Final = (
    f"(?:(?:{_BLANK}|_)?(?:아이디|아뒤|아디|ID|id|Id|[Uu]ser ?name|계정|닉네임|닉|핸들|주소|친추|추가|검색)"
    f"(?:(?:해|하고| ?부탁)[^\\nA-Za-z0-9@]{{0,12}})?)"
)
_HANDLE: Final = "@?(?:live:)?[A-Za-z0-9][A-Za-z0-9._-]{2,40}(?:#[0-9]{4})?"
_OPEN: Final = f"{_BLANK}{{0,3}}[\"'「『<(\\[{{“‘]?{_BLANK}?"
LABELLED: Final = f"(?:{_SERVICE}){_ASKED}?(?:은|는|이|가|으로|로|[\"'])?(?:{_BLANK}{{0,3}}[:：=>/|-])?{_OPEN}{_HANDLE}"
FAR: Final = f"(?:{_SERVICE}){_ASKED}"
_FAR: Final = re2.compile(f"(?:{_SERVICE}){_ASKED}{BETWEEN}{_HANDLE}")
_LABELLED: Final = re2.compile(LABELLED)
ANSWER: Final = f"(?:{_SERVICE}){_ASKED}[가는]?{_BLANK}?(?:뭐|어떻게|무엇|알려|좀)[^\n]{{0,16}}\n"
_ANSWER: Final = re2.compile(f"{ANSWER}(?:[^\n:]{{1,12}}:{_BLANK}?)?{_OPEN}{_HANDLE}")
# 인스타 DM 주세요 @hong.gd
OFFERED: Final = "(?:DM|디엠|팔로우|맞팔|쪽지|메시지)[^\\n@A-Za-z0-9]{0,12}@[A-Za-z0-9][A-Za-z0-9._-]{2,40}"
_OFFERED: Final = re2.compile(OFFERED)
# IG: hong.gd, tg @hong_gd
SHORT: Final = "(?:^|[^A-Za-z0-9_])(?:IG|TG|ig|tg)(?: ?[:：] ?@?| ?@)[A-Za-z0-9][A-Za-z0-9._-]{2,40}"
_SHORT: Final = re2.compile(SHORT)
# Without the bounds of a handle: counting to forty makes the automaton large.
GATES: Final = (LINK, *(p.replace("{2,40}", "{2}") for p in (LABELLED, ANSWER, OFFERED, SHORT)))
_TAIL: Final = re2.compile(f"{_HANDLE}$")
_CONTEXT: Final = re2.compile(
    "오픈채팅|오픈톡|카톡|문의|연락|상담|쪽지|주문|예약|제보|DM|디엠|제 계정|놀러|친추|"
    "(?:페이스북|페북|인스타그램|인스타|트위터|틱톡|스레드)[은는]?[ :：(]{0,3}$"
)
_CONTEXT_REACH = 24  # code points before a public profile in which it is given as a way to reach somebody
_BEHIND: Final = re2.compile("맞팔|디엠|DM|쪽지|친추|연락|문의|서로이웃")
_BEHIND_REACH = 32
_PATHS: Final = frozenset(
    "share intent hashtag explore p reel reels stories sharer groups pages events watch home search login i status "
    "dialog tv about policies legal help s tos privacy addstickers".split()
)
_NO_HANDLES: Final = frozenset(
    "api sdk bot app web www com http https login oauth id dm pay talk for the and with ios android channel link "
    "url feed post story messenger inc corp games bank story.com github google apple line kakao telegram "
    "instagram".split()
)


_ASKING: Final = ("아이디", "아뒤", "아디", "ID", "id", "Id", "ser name", "sername", "계정", "핸들", "친추", "주소")
_NO_ENDS: Final = tuple(".com .net .kr .png .html .js .py .ts .io .json _token _id _key _url _name".split())


def found(text: str, data: bytes) -> Iterator[Found]:
    """Handles behind the name of a service, and links to one person or room; linear in the length of `text`.

    Public profiles count where the text offers them as a way to get in touch; a handle without
    the word 아이디 needs a digit, dot, low line or at sign, which words of prose have not.
    """
    for start, end in matches(_LINK, text, data):
        item = _link(text, start, end)
        if item is not None:
            yield item
    for start, end in matches(_LABELLED, text, data):
        item = _labelled(text, start, end)
        if item is not None:
            yield item
    for start, end in matches(_OFFERED, text, data):
        item = _handle(text, start + text[start:end].index("@"), end, asked=True, label="DM")
        if item is not None:
            yield item
    for start, end in matches(_SHORT, text, data):
        value = _tail(text[start:end])
        item = _handle(text, end - len(value), end, asked=value.startswith("@"), label="IG")
        if item is not None:
            yield item
    for start, end in matches(_ANSWER, text, data):
        at = end - len(_tail(text[start:end]))
        item = _handle(text, at, end, asked=True, label="아이디")
        if item is not None:
            yield item


def far(text: str, data: bytes) -> Iterator[Found]:
    """Handles in forms and talks, with marks or words between the label and the value."""
    for start, end in matches(_FAR, text, data):
        value = _tail(text[start:end])
        label = text[start : end - len(value)]
        before = text[start - 1 : start]
        if "가" <= before <= "힣" or (before.isascii() and before.isalnum()):
            continue
        if label.startswith(("라인", "LINE")) and value == value.upper():
            continue
        if _is_mixed(value.removeprefix("@")):
            item = _handle(text, end - len(value), end, asked=True, label="아이디")
            if item is not None:
                yield item


def _link(text: str, start: int, end: int) -> Found | None:
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
        offered = _CONTEXT.search(before) is not None or _BEHIND.search(text[end : end + _BEHIND_REACH]) is not None
        if path.count("/") > 1 or not path or "공식" in before or not offered:
            return None
    return Found(start, end, "messenger", 0.95 if private else 0.85, f"link to {host}")


_PRIVATE_HOSTS: Final = frozenset("t.me telegram.me line.me wa.me m.me me".split())


def _tail(whole: str) -> str:
    match = _TAIL.search(whole)
    return match.group() if match else ""


def _labelled(text: str, start: int, end: int) -> Found | None:
    before = text[start - 1 : start]
    whole = text[start:end]
    if "가" <= before <= "힣" or (before.isascii() and before.isalnum() and whole[0].isascii()):
        return None  # 온라인, 가이드라인, 호텔
    value = _tail(whole)
    label = whole[: len(whole) - len(value)]
    if not label or (label[0].isascii() and "=" in label):
        return None  # install_host; an attribute of a program
    asked = any(word in label for word in _ASKING)
    weak = label.startswith(
        ("LINE", "SNS", "DM", "텔", "라인", "톡", "오카", "IG", "TG", "ig", "tg")
    ) and not label.startswith("텔레그램")
    if label.startswith(("라인", "LINE")) and value == value.upper():
        return None  # 라인 ID L64-A55: a line of a factory; handles of that service have small letters too
    if label.startswith(("밴드", "카스", "시그널")) and not asked:
        return None
    if weak and not asked and not (value.startswith("@") or (_is_mixed(value) and label[:2] not in ("DM", "SN"))):
        return None
    return _handle(text, end - len(value), end, asked=asked, label=label.strip()[:4])


def _handle(text: str, at: int, end: int, *, asked: bool, label: str) -> Found | None:
    value = text[at:end].rstrip("._-")
    end = at + len(value)
    plain = value.removeprefix("@")
    follows = text[end : end + 1]
    if follows == "@" or text[end : end + 3] == "://" or follows in ("(", "=") or plain.lower() in _NO_HANDLES:
        return None  # an e-mail address, a link, a call
    if follows == "/" and text[end + 1 : end + 2].isalnum():
        return None
    if (plain.isdigit() and not asked) or len(plain) < 3:
        return None
    if plain.startswith(("010", "02-", "http", "www.", "com.", "org.")) or plain.lower().endswith(_NO_ENDS):
        return None
    if not asked and not value.startswith("@") and not _is_mixed(plain):
        return None
    return Found(at, end, "messenger", 0.93 if asked else 0.85, f"label {label} before; {len(plain)} characters")


def _is_mixed(plain: str) -> bool:
    letters = any(c.isalpha() for c in plain)
    signs = plain[1:].strip("0123456789_.") != plain[1:] or any(c in "_.#" for c in plain)
    return letters and signs and not _is_version(plain)


def _is_version(plain: str) -> bool:
    """v1.2 and 3.x: digits with one letter."""
    return sum(c.isalpha() for c in plain) < 3
