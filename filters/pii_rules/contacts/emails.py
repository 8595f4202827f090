"""E-mail addresses: next to Hangul, with particles after, and obfuscated as 골뱅이, [at], (dot) or 점."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match


def _split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HANGUL: Final = "가-힣"
_WIDE: Final = "０-９Ａ-Ｚａ-ｚ．＿－"
_LOCAL: Final = f"[A-Za-z0-9._%+'{_HANGUL}{_WIDE}{ZERO_WIDTH}-]"
_DOMAIN: Final = f"[A-Za-z0-9.{_HANGUL}{_WIDE}{ZERO_WIDTH}-]"
PLAIN: Final = f"{_LOCAL}[@＠﹫]{_DOMAIN}"
_EMAIL: Final = re2.compile(
    f"{_LOCAL}+[@＠﹫]{_DOMAIN}*[.．][{ZERO_WIDTH}]*"
    f"(?:[A-Za-zＡ-Ｚａ-ｚ][A-Za-zＡ-Ｚａ-ｚ{ZERO_WIDTH}]{{0,22}}[A-Za-zＡ-Ｚａ-ｚ]|한국|닷컴|닷넷)"
)
_B: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]{{0,2}}"
_B1: Final = f"[ \u00a0\u3000{ZERO_WIDTH}]{{1,2}}"
_OPEN: Final = "[(\\[{<（［｛【〔《]"
_CLOSE: Final = "[)\\]}>）］｝】〕》]"
_CODED: Final = "ⓐ|%40|&#64;|&#[xX]40;|&commat;"  # as encoded in URLs and HTML
_AT_WORD: Final = "(?:[aA][tT]|[aA]|[@＠﹫]|골뱅이|골벵이|앳|엣|에트)"
_AT: Final = (
    f"(?:{_B}(?:[@＠﹫]|{_OPEN}{_B}{_AT_WORD}{_B}{_CLOSE}|골뱅이|골벵이|앳|엣|에트|{_CODED}){_B}|{_B1}(?:at|"
    f"AT|At){_B1}|[_-](?:at|AT)[_-])"
)
_DOT: Final = (
    f"(?:{_B}(?:[.．]|{_OPEN}{_B}(?:[dD][oO][tT]|[.．]|닷|점|쩜|도트){_B}{_CLOSE}|닷|점|쩜|도트){_B}|{_B1}(?:dot|DOT|Dot){_B1}|"
    f"[_-](?:dot|DOT)[_-]|[,·。])"
)
HOSTS: Final = "네이버|네버|지메일|지멜|쥐메일|핫멜|한메일|다음|네이트|카카오|핫메일|아웃룩|야후|구글"
ENDS: Final = "컴|넷|오알지|케이알"
SAID_HOSTS: Final = {
    "네이버": "naver", "네버": "naver", "지메일": "gmail", "지멜": "gmail", "쥐메일": "gmail", "핫멜": "hotmail",
    "핫메일": "hotmail", "한메일": "hanmail", "다음": "daum", "네이트": "nate", "카카오": "kakao", "아웃룩": "outlook",
    "야후": "yahoo", "구글": "google",
}  # fmt: skip
SAID_ENDS: Final = {"컴": "com", "닷컴": "com", "넷": "net", "닷넷": "net", "오알지": "org", "케이알": "kr"}
ENDINGS: Final = {"hanmail": "net", "daum": "net"} | dict.fromkeys(
    ("naver", "gmail", "nate", "kakao", "hotmail", "outlook", "yahoo"), "com"
)  # of hosts that are written without their ending
SERVICES: Final = tuple("naver gmail hanmail daum nate kakao hotmail outlook".split())
_PART: Final = f"(?:[A-Za-z0-9-]{{1,40}}|{HOSTS})"
_TOP: Final = f"(?:[A-Za-z]{{2,12}}|{ENDS})"
_TRICK: Final = (
    f"(?:골뱅이|골벵이|앳|엣|에트|{_OPEN}{_B}{_AT_WORD}{_B}{_CLOSE}|[ \u00a0\u3000{ZERO_WIDTH}_-](?:at|AT|"
    f"At)[ \u00a0\u3000{ZERO_WIDTH}_-]|[@＠﹫]|{_CODED})"
)
DISGUISED: Final = f"[A-Za-z0-9._+-]{_B}{_TRICK}{_B}(?:[A-Za-z0-9-]|{HOSTS})"
_DISGUISED: Final = re2.compile(
    f"[A-Za-z0-9][A-Za-z0-9._%+-]*(?:(?:{_B1}[.]{_B1}|{_B}(?:쩜|점|닷){_B}|{_B1}dot{_B1})[A-Za-z0-9][A-Za-z0-9_+-]*)?{_AT}"
    f"(?:{_PART}(?:{_DOT}{_PART}){{0,3}}{_DOT}{_TOP}|(?:{HOSTS}))"
)
GATES: Final = (PLAIN, DISGUISED)
_MESSAGE_ID: Final = re2.compile(
    '(?i:(?:message-id|in-reply-to|references|content-id|msgid)"?[ :=]{0,3}(?:<[^<>\n]*>[ ,]*)*[<"]?$)'
)
_PLAIN: Final = re2.compile("^[^\\[\\](){}<>]*$")
_AT_SIGN: Final = re2.compile(_AT)
_DOT_SIGN: Final = re2.compile(_DOT)
_MAX_LOCAL = 64  # code points; RFC 5321, 4.5.3.1.1
_MAX_DOMAIN = 253  # RFC 1035 counts 255 with its length bytes
_LONG_TLDS: Final = _split_words(
    "com net org edu gov mil int info biz name pro mobi asia tel jobs travel coop aero museum cat xyz site online "
    "shop store tech dev app blog cloud work email company agency studio design club life live world news media "
    "digital group team center academy school systems solutions services consulting global today space website "
    "page link art top icu vip fun wiki seoul kakao samsung hyundai kia google amazon example test 한국 닷컴 닷넷 "
    "컴 넷 오알지 케이알"
)
_FILES: Final = _split_words(
    "png jpg jpeg gif svg webp avif ico bmp js mjs cjs ts tsx jsx css scss less html htm xhtml json xml yml "
    "yaml toml "
    "txt pdf zip gz tar whl map lock log csv tsv ini cfg conf sql exe dll mp3 mp4 mov webm woff ttf vue java class "
    "doc docx xls xlsx ppt pptx hwp hwpx md mdx parquet"
)


def find_emails(text: str, data: bytes) -> Iterator[Match]:
    """Find every e-mail address in `text`; skips package versions, images at 2x and git remotes."""
    for start, end in matches(_EMAIL, text, data):
        item = _match_plain_email(text, start, end)
        if item is not None:
            yield item
    for start, end in matches(_DISGUISED, text, data, _is_plain):
        item = _match_disguised_email(text, start, end)
        if item is not None:
            yield item


def _is_plain(raw: bytes) -> bool:
    """Whether the bytes are a plain address (at sign, no blank, bracket, comma or Hangul), which `_EMAIL` handles."""
    return b"@" in raw and raw.isascii() and len(raw.translate(None, b" \t\n()[]{}<>,")) == len(raw)


def _match_plain_email(text: str, start: int, end: int) -> Match | None:
    raw = text[start:end].translate(_NARROW)
    local, _, domain = raw.rpartition("@")
    skipped = _count_glued_letters(local)
    local, start = local[skipped:], start + skipped
    while "." in domain and _is_sentence_glued(domain):  # example.kr.See you → example.kr
        cut = len(domain) - domain.rindex(".")
        domain, end = domain[:-cut], end - cut
    plain = _remove_invisible(domain).lower()
    labels = plain.split(".")
    if not _remove_invisible(local) or len(_remove_invisible(local)) > _MAX_LOCAL or len(plain) > _MAX_DOMAIN:
        return None
    if any(not label or len(label) > 63 or label[0] == "-" or label[-1] == "-" for label in labels):
        return None
    top, known = labels[-1], len(labels[-1]) == 2 or labels[-1] in _LONG_TLDS
    if top in _FILES or _is_version(labels) or (labels[0][:1].isdigit() and labels[0][1:] == "x"):
        return None
    if not known and len(_remove_invisible(local)) == 1:
        return None  # a@b.mean: a product of two tables
    if _MESSAGE_ID.search(text[max(0, start - 120) : start]) is not None:
        return None
    if _remove_invisible(local) == "git" and text[end : end + 1] in (":", "/"):
        return None
    return Match(start, end, "email", 0.98 if known else 0.85, f"address; top-level domain of {len(top)} letters")


def _match_disguised_email(text: str, start: int, end: int) -> Match | None:
    """Parse an obfuscated address: hong 골뱅이 example 점 com."""
    whole = text[start:end]
    if start and ((text[start - 1].isascii() and text[start - 1].isalnum()) or text[start - 1] in "@＠/"):
        return None
    sign = _AT_SIGN.search(whole)
    if sign is None:
        return None
    at, local = sign.group().strip(" \u00a0\u3000\t" + ZERO_WIDTH), whole[: sign.start()]
    domain = _DOT_SIGN.sub(".", whole[sign.end() :]).lower()
    labels = domain.split(".")
    while len(labels) > 2 and not is_top_level_domain(labels[-1]):  # example.org. thanks → example.org
        labels.pop()
        cut = list(_DOT_SIGN.finditer(whole))[-1].start()
        whole, end = whole[:cut], start + cut
    top = labels[-1]
    word = at.lower() == "at"
    bare = at in ("@", "＠", "﹫")
    if len(labels) > 1 and not (is_top_level_domain(top) or (not word and len(top) > 2)):
        return None
    if (
        top in _FILES
        or _is_version(labels)
        or len(_remove_invisible(local)) > _MAX_LOCAL
        or not any(c.isalnum() for c in local)
    ):
        return None
    if not any(c.isalpha() for c in local) and (word or len(labels) == 1):
        return None
    if word and not _is_spelled_address(text, start, end, whole, local):
        return None  # "look at example.com" is English
    follows = text[end : end + 1]
    if (
        bare
        and not any(c.isspace() or c in ZERO_WIDTH or "가" <= c <= "힣" or c in ",·。" for c in whole)
        and _PLAIN.match(whole)
    ):
        return None  # not obfuscated: the rule for plain addresses handled it
    sides = whole[sign.start() : sign.end()].partition(at)
    if (
        bare
        and bool(sides[0].strip(ZERO_WIDTH)) != bool(sides[2].strip(ZERO_WIDTH))
        and not _is_typing_slip(local, sides[0], labels)
    ):
        return None  # "hong @example.com" names an account, "hong@ example" breaks off
    if bare and (len(labels) == 1 or follows == "_" or (follows.isascii() and follows.isalnum())):
        return None  # @name.7 is a handle
    return Match(
        start, end, "email", 0.9 if not word else 0.8, f"disguised address; at written in {len(at)} characters"
    )


def normalise_email(value: str) -> str:
    """Return the deobfuscated address in lower case; equal for all written forms of one address.

    >>> normalise_email("Hong77 [at] example 쩜 KR"), normalise_email("hong77골뱅이네이버")
    ('hong77@example.kr', 'hong77@naver.com')
    """
    value = unicodedata.normalize("NFKC", _remove_invisible(value)).casefold()
    sign = _AT_SIGN.search(value)
    if sign is None:
        return "".join(value.split())
    local = _DOT_SIGN.sub(".", value[: sign.start()])
    domain = "".join(_DOT_SIGN.sub(".", value[sign.end() :]).split())
    labels = [SAID_HOSTS.get(label, SAID_ENDS.get(label, label)) for label in domain.split(".")]
    if len(labels) == 1 and "." not in labels[0] and labels[0] in ENDINGS:
        labels.append(ENDINGS[labels[0]])
    return f"{''.join(local.split())}@{'.'.join(labels)}"


def _is_typing_slip(local: str, before: str, labels: list[str]) -> bool:
    """Whether a blank after the at sign is a typing error: hong@ naver.com; hong77@ example.co.kr."""
    numbered = any(c.isdigit() for c in local) and not before.strip(ZERO_WIDTH)
    return labels[0] in SERVICES or (numbered and len(labels) > 1)


def is_top_level_domain(label: str) -> bool:
    """Whether an address may end in `label`: a known top-level domain, or two letters.

    >>> is_top_level_domain("kr"), is_top_level_domain("mean")
    (True, False)
    """
    return label in _LONG_TLDS or (len(label) == 2 and label.isalpha())


def _is_spelled_address(text: str, start: int, end: int, whole: str, local: str) -> bool:
    """Whether `x at y` is an address: the dot is spelled out too, the local part has signs, or a label is near."""
    if _DOT_SIGN.search(whole) is not None and any(d in whole.lower() for d in ("dot", "닷", "점", "쩜", "[.]", "(.)")):
        return True
    if any(c in "._+" or c.isdigit() for c in local):
        return True
    before = text[max(0, start - 16) : start].lower()
    return any(word in before for word in ("메일", "mail", "연락", "주소"))


def _count_glued_letters(local: str) -> int:
    """Return the number of code points before an address that belong to the sentence: 주소는hong@ → 3.

    Hangul stays where the address would begin with a digit or sign (홍길동77@) or has nothing else.
    """
    lead = len(local) - len(local.lstrip("._%+'-" + ZERO_WIDTH))
    last = max((i for i, c in enumerate(local) if "가" <= c <= "힣"), default=-1)
    if last < 0 or last + 1 == len(local):
        return lead
    return last + 1 if local[last + 1].isascii() and local[last + 1].isalpha() else lead


def _is_sentence_glued(domain: str) -> bool:
    """Whether the last label of a domain is the first word of the next sentence."""
    labels = _remove_invisible(domain).split(".")
    if len(labels) < 3:
        return False
    top, before = labels[-1], labels[-2]
    if top.lower() in _LONG_TLDS or (len(top) == 2 and top.islower()):
        return False
    return before.lower() in _LONG_TLDS or len(before) == 2


def _is_version(labels: list[str]) -> bool:
    """Whether the labels are a version, such as 3.11.2."""
    return len(labels) > 2 and labels[0].isdigit() and labels[1][:1].isdigit()


def _remove_invisible(text: str) -> str:
    return text.translate(_INVISIBLE)


_INVISIBLE: Final = dict.fromkeys(map(ord, ZERO_WIDTH))
_NARROW: Final = {
    **{0xFF01 + i: 0x21 + i for i in range(94)},
    ord("﹫"): ord("@"),
}
