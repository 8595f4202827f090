"""E-mail addresses, with Hangul on either side of the at sign and particles behind: a@example.kr로."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import ZERO_WIDTH, matches


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HANGUL: Final = "가-힣"
_LOCAL: Final = f"[A-Za-z0-9._%+'{_HANGUL}{ZERO_WIDTH}-]"
_DOMAIN: Final = f"[A-Za-z0-9.{_HANGUL}{ZERO_WIDTH}-]"
GATE: Final = f"{_LOCAL}[@＠]{_DOMAIN}"
_EMAIL: Final = re2.compile(
    f"{_LOCAL}+[@＠]{_DOMAIN}*[.][{ZERO_WIDTH}]*(?:[A-Za-z][A-Za-z{ZERO_WIDTH}]{{0,22}}[A-Za-z]|한국|닷컴|닷넷)"
)
_MAX_LOCAL = 64  # code points; RFC 5321, 4.5.3.1.1
_MAX_DOMAIN = 253  # RFC 1035 counts 255 with its length bytes
_LONG_TLDS: Final = _words(
    "com net org edu gov mil int info biz name pro mobi asia tel jobs travel coop aero museum cat xyz site online "
    "shop store tech dev app blog cloud work email company agency studio design club life live world news media "
    "digital group team center academy school systems solutions services consulting global today space website "
    "page link art top icu vip fun wiki seoul kakao samsung hyundai kia google amazon example test 한국 닷컴 닷넷"
)
_FILES: Final = _words(
    "png jpg jpeg gif svg webp avif ico bmp js mjs cjs ts tsx jsx css scss less html htm xhtml json xml yml yaml toml "
    "txt pdf zip gz tar whl map lock log csv tsv ini cfg conf sql exe dll mp3 mp4 mov webm woff ttf vue java class"
)


def emails(text: str, data: bytes) -> Iterator[Found]:
    """Every address in `text`; package versions, pictures at 2x and git remotes are none."""
    for start, end in matches(_EMAIL, text, data):
        found = _confirmed(text, start, end)
        if found is not None:
            yield found


def _confirmed(text: str, start: int, end: int) -> Found | None:
    raw = text[start:end].replace("＠", "@")
    local, _, domain = raw.rpartition("@")
    skipped = _glued(local)
    local, start = local[skipped:], start + skipped
    while "." in domain and _is_sentence_glued(domain):  # example.kr.See you → example.kr
        cut = len(domain) - domain.rindex(".")
        domain, end = domain[:-cut], end - cut
    plain = _visible(domain).lower()
    labels = plain.split(".")
    if not _visible(local) or len(_visible(local)) > _MAX_LOCAL or len(plain) > _MAX_DOMAIN:
        return None
    if any(not label or len(label) > 63 or label[0] == "-" or label[-1] == "-" for label in labels):
        return None
    top, known = labels[-1], len(labels[-1]) == 2 or labels[-1] in _LONG_TLDS
    if top in _FILES or _is_version(labels) or (labels[0][:1].isdigit() and labels[0][1:] == "x"):
        return None
    if _visible(local) == "git" and text[end : end + 1] in (":", "/"):
        return None
    return Found(start, end, "email", 0.98 if known else 0.85, f"address; top-level domain of {len(top)} letters")


def _glued(local: str) -> int:
    """How many code points before an address belong to the sentence: 주소는hong@ → 3.

    Hangul stays where the address would begin with a digit or sign (홍길동77@) or has nothing else.
    """
    lead = len(local) - len(local.lstrip("._%+'-" + ZERO_WIDTH))
    last = max((i for i, c in enumerate(local) if "가" <= c <= "힣"), default=-1)
    if last < 0 or last + 1 == len(local):
        return lead
    return last + 1 if local[last + 1].isascii() and local[last + 1].isalpha() else lead


def _is_sentence_glued(domain: str) -> bool:
    labels = _visible(domain).split(".")
    if len(labels) < 3:
        return False
    top, before = labels[-1], labels[-2]
    if top.lower() in _LONG_TLDS or (len(top) == 2 and top.islower()):
        return False
    return before.lower() in _LONG_TLDS or len(before) == 2


def _is_version(labels: list[str]) -> bool:
    return len(labels) > 2 and labels[0].isdigit() and labels[1][:1].isdigit()


def _visible(text: str) -> str:
    return text.translate(_INVISIBLE)


_INVISIBLE: Final = dict.fromkeys(map(ord, ZERO_WIDTH))
