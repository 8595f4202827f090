"""Check e-mail addresses, and bring their written forms (골뱅이, [at], 점) into one form."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import compile_word, read_word_set
from filters.pii_rules.text.digit_runs import ZERO_WIDTH

SAID_HOSTS: Final = {
    "네이버": "naver", "네버": "naver", "지메일": "gmail", "지멜": "gmail", "쥐메일": "gmail", "핫멜": "hotmail",
    "핫메일": "hotmail", "한메일": "hanmail", "다음": "daum", "네이트": "nate", "카카오": "kakao", "아웃룩": "outlook",
    "야후": "yahoo", "구글": "google",
}  # fmt: skip
SAID_ENDS: Final = {"컴": "com", "닷컴": "com", "넷": "net", "닷넷": "net", "오알지": "org", "케이알": "kr"}
_ENDINGS: Final = {"hanmail": "net", "daum": "net"} | dict.fromkeys(
    ("naver", "gmail", "nate", "kakao", "hotmail", "outlook", "yahoo"), "com"
)  # of hosts that are written without their ending
_AT: Final = compile_word("contacts/emails", "any_at")
_DOT: Final = compile_word("contacts/emails", "dot")
_PLAIN: Final = re2.compile("^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$")
_MAX_LOCAL = 64  # code points; RFC 5321, 4.5.3.1.1
_MAX_DOMAIN = 253  # RFC 1035 counts 255 with its length bytes
_TOPS: Final = read_word_set("contacts/emails", "known_top")
_FILES: Final = read_word_set("contacts/emails", "file_end")
_RESERVED: Final = compile_word("contacts/emails", "reserved")
_DUMMY_HOST: Final = compile_word("contacts/emails", "dummy_host")
_VAGUE_HOST: Final = compile_word("contacts/emails", "vague_host")
_DUMMY_LOCAL: Final = compile_word("contacts/emails", "dummy_local")
_ALWAYS_DUMMY: Final = compile_word("contacts/emails", "always_dummy")
_CALLED: Final = re2.compile("(?i:메일|mail|주소|연락|회신|문의|보내)")
_INVISIBLE: Final = dict.fromkeys(map(ord, ZERO_WIDTH))


@lru_cache(maxsize=256)  # several rules read the same address
def normalise_email(value: str) -> str:
    """Return the deobfuscated address in lower case; equal for all written forms of one address.

    >>> normalise_email("Hong77 [at] example 쩜 KR"), normalise_email("hong77골뱅이네이버")
    ('hong77@example.kr', 'hong77@naver.com')
    >>> normalise_email("look_at_me@example.kr")
    'look_at_me@example.kr'
    """
    if _PLAIN.match(value) is not None:
        return value.lower()
    value = unicodedata.normalize("NFKC", value.translate(_INVISIBLE)).casefold()
    sign = _AT.search(value)
    if sign is None:
        return "".join(value.split())
    local = _DOT.sub(".", value[: sign.start()])
    domain = "".join(_DOT.sub(".", value[sign.end() :]).split())
    labels = [SAID_HOSTS.get(label, SAID_ENDS.get(label, label)) for label in domain.split(".")]
    if len(labels) == 1 and labels[0] in _ENDINGS:
        labels.append(_ENDINGS[labels[0]])
    return f"{''.join(local.split())}@{'.'.join(labels)}"


def is_top_level_domain(label: str) -> bool:
    """Whether an address may end in `label`: a known top-level domain, or two letters.

    >>> is_top_level_domain("kr"), is_top_level_domain("mean")
    (True, False)
    """
    return label in _TOPS or (len(label) == 2 and label.isalpha() and label not in _FILES)


def trim_sentence(candidate: Candidate) -> tuple[int, int]:
    """Cut the first word of the next sentence: hong@example.kr.See → hong@example.kr."""
    start, value = candidate.start, candidate.value
    labels = value.translate(_INVISIBLE).split(".")
    known = is_top_level_domain(labels[-1].lower()) and not labels[-1].istitle()
    if len(labels) > 2 and not known and "@" not in labels[-2] and is_top_level_domain(labels[-2]):
        value = value[: value.rindex(".")]
    return start, start + len(value)


def is_address(candidate: Candidate) -> bool:
    """Whether the lengths of an address are permitted, and its top-level domain is known."""
    return _is_sized(candidate) and is_top_level_domain(normalise_email(candidate.value).rpartition(".")[2])


def is_rare_address(candidate: Candidate) -> bool:
    """Whether the lengths are permitted, and the address does not end like a file."""
    top = normalise_email(candidate.value).rpartition(".")[2]
    return _is_sized(candidate) and top not in _FILES and len(candidate.value.partition("@")[0]) > 1


def is_sample(candidate: Candidate) -> bool:
    """Whether the address belongs to nobody: a domain of documentation (RFC 2606), foo@bar.com, your-name@…"""
    local, _, host = normalise_email(candidate.value).rpartition("@")
    if _RESERVED.search(host) is not None or _DUMMY_HOST.match(host) is not None:
        return True
    if _ALWAYS_DUMMY.match(local) is not None:
        return True
    return _VAGUE_HOST.match(host) is not None and _DUMMY_LOCAL.match(local) is not None


def is_folded(candidate: Candidate) -> bool:
    """Whether a line end splits an address: a label precedes it, or its local part has a sign or digit."""
    text, start, whole = candidate.text, candidate.start, candidate.value
    if not is_top_level_domain(whole.rpartition(".")[2].strip().lower()):
        return False
    line = text.rfind("\n", 0, start) + 1
    called = any(c in text[line:start] for c in "|│\t") or _CALLED.search(candidate.read_before(24)) is not None
    host = whole.rpartition("@")[2].replace("\n", "").partition(".")[0]
    return called or host in _ENDINGS or any(c.isdigit() or c in "_+" for c in whole.partition("@")[0])


def is_spelled_address(candidate: Candidate) -> bool:
    """Whether `x at y` is an address: the dot is spelled out too, the local part has signs, or a label is near."""
    value = candidate.value.lower()
    local = value.partition("at")[0].strip(" _-")
    spelled = any(d in value for d in ("dot", "닷", "점", "쩜", "[.]", "(.)"))
    if spelled or any(c in "._+" or c.isdigit() for c in local):
        return True
    return _CALLED.search(candidate.read_before(16)) is not None


def _is_sized(candidate: Candidate) -> bool:
    local, _, domain = candidate.value.translate(_INVISIBLE).replace("＠", "@").rpartition("@")
    return len(local) <= _MAX_LOCAL and len(domain) <= _MAX_DOMAIN and all(len(d) < 64 for d in domain.split("."))
