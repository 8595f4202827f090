"""Check e-mail addresses, handles and user ids, and bring their written forms (골뱅이, [at], 점) into one form.

A handle is not a URL, a file, a version, a product or a word of the services themselves; a user id in a list is not a
product, file, domain or part of a program.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import re2

from filters.pii_rules.candidate import Candidate
from filters.pii_rules.digit_runs import ZERO_WIDTH
from filters.pii_rules.name_model import read_words
from filters.pii_rules.rule_table import compile_word, read_word_set

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


NO_HANDLES: Final = read_word_set("contacts/handles", "no_handle")
_NO_ENDS: Final = tuple(read_word_set("contacts/handles", "no_handle_end"))
_TECHNICAL: Final = read_word_set("contacts/handles", "technical_part")
_NO_STARTS: Final = ("010", "02-", "http", "www.", "com.", "org.")
_CALL: Final = re2.compile("[ (-][+]?(?:01[016789]|02|0[3-6][1-5]|070|050[0-9]|82)[-. ·)]{1,3}[0-9]{3,4}")
_PRODUCT: Final = compile_word("contacts/handles", "product")
_CONVERTER: Final = compile_word("contacts/handles", "converter")
_NARROW: Final = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFF01, 0xFF5F), *range(0x24B6, 0x24EA), *range(0x1D400, 0x1D800))
}


def to_half_width(value: str) -> str:
    """Return the same letters, digits and signs at half width."""
    return value.translate(_NARROW)


def trim_handle(candidate: Candidate) -> tuple[int, int]:
    """Cut a handle before a telephone number: maru_7 - 010-…"""
    call = _CALL.search(candidate.value)
    value = candidate.value if call is None else candidate.value[: call.start()].rstrip(" -(")
    return candidate.start, candidate.start + len(value)


def trim_to_bracket(candidate: Candidate) -> tuple[int, int]:
    """Return the place within the brackets of a cell such as 마루(maru_2), else the whole cell."""
    name, bracket, handle = candidate.value.rstrip(")）").replace("（", "(").partition("(")
    if not bracket:
        return candidate.start, candidate.end
    return candidate.start + len(name) + 1, candidate.start + len(name) + 1 + len(handle)


def is_handle(candidate: Candidate) -> bool:
    """Whether the value may be a handle: neither a URL, a file, a number, inline code nor a word such as login."""
    if "`" in (candidate.read_before(1), candidate.read_after(1)):
        return False
    plain = to_half_width(candidate.value).removeprefix("골뱅이").lstrip(" @")
    low = plain.lower()
    if not _TECHNICAL.isdisjoint(low.replace(".", "_").replace("-", "_").split("_")):
        return False
    if _CONVERTER.match(low) is not None or low in NO_HANDLES or low.partition(" ")[0] in NO_HANDLES or len(plain) < 3:
        return False
    return any(c.isalpha() for c in plain) and not low.startswith(_NO_STARTS) and not low.endswith(_NO_ENDS)


def is_mixed(candidate: Candidate) -> bool:
    """Whether the value has an at sign, or three letters and a digit, underscore or dot, or two hyphens in a long word.

    Ordinary words and versions (v1.2) do not.
    """
    plain = to_half_width(candidate.value)
    if plain.startswith("@") or " " in plain or any("가" <= c <= "힣" for c in plain):
        return True  # also in words or with letters apart
    signed = any(c in "_.#" or c.isdigit() for c in plain)
    hyphens = plain.count("-") >= 2 and plain.islower() and len(plain) >= 8
    return sum(c.isalpha() for c in plain) >= 3 and (signed or hyphens)


def is_product(candidate: Candidate) -> bool:
    """Whether the value is a product or a program with its version: iphone15, python3.11."""
    return _PRODUCT.match(candidate.value.lstrip("@")) is not None


def is_attribute(candidate: Candidate) -> bool:
    """Whether a Latin label assigns a value without digits, as programs do: kakao_id = channel."""
    lead = candidate.lead.strip()
    return lead[:1].isascii() and "=" in lead and not any(c.isdigit() for c in candidate.value)


_PARTS: Final = re2.compile("(?:^|[._-])[0-9]*([a-z]+)")  # not of tofu2min: there a digit joins two words
_LONG: Final = re2.compile("[A-Za-z]{3}")
_SHAPE: Final = re2.compile("^[A-Za-z0-9_][A-Za-z0-9._-]{2,28}[A-Za-z0-9_]$")
_SIGNED: Final = re2.compile(
    "[a-z0-9]_+[a-z0-9]|^__?[a-z]|[a-z]_$|[a-z][.][a-z]|[a-z]{4}[._]?[0-9]{1,8}$|[a-z][0-9]+[a-z]"
)
_CODE: Final = re2.compile(
    "^[a-z]{1,3}[0-9]+[a-z]{0,2}$|^[a-z]{1,4}_(?:0[0-9]{4,}|[0-9a-f]{6,})$|^[a-z]+2(?:vec|seq|text|image|img|speech|[a-z]{2})$"
)
_TERMS: Final = frozenset(read_words("program_terms"))
_LAST: Final = read_word_set("contacts/user_ids", "last_part")
_RECEIVERS: Final = read_word_set("contacts/user_ids", "receiver")
_PEER: Final = re2.compile("(?:^|[^A-Za-z0-9가-힣@/=._-])([A-Za-z0-9_][A-Za-z0-9._-]{2,28}[A-Za-z0-9_])")
PEER_REACH: Final = 240  # code points on either side, in which other members of the same list stand


def is_user_id(candidate: Candidate) -> bool:
    """Whether the value has the shape of a user id, with an at sign before or a digit, underscore or dot inside."""
    plain = candidate.value.lstrip("@")
    signed = plain != candidate.value or _SIGNED.search(plain.lower()) is not None
    return signed and _is_name(plain) and not is_product(candidate) and is_handle(candidate)


def is_plain_user_id(candidate: Candidate) -> bool:
    """Whether the value is an unusual word of letters and hyphens."""
    return candidate.value.islower() and _is_name(candidate.value) and is_handle(candidate)


def is_in_record(candidate: Candidate) -> bool:
    """Whether the value has one of the two shapes; beside other fields of a person, letters alone are enough."""
    return is_user_id(candidate) or is_plain_user_id(candidate)


def has_peer(candidate: Candidate) -> bool:
    """Whether another user id with a digit, an underscore or a dot stands near the value."""
    first = max(0, candidate.start - PEER_REACH)
    window = candidate.text[first : candidate.end + PEER_REACH]
    for match in _PEER.finditer(window):
        peer = Candidate(window, *match.span(1))
        if peer.value != candidate.value and is_user_id(peer):
            return True
    return False


def _is_name(plain: str) -> bool:
    low = plain.lower()
    if _SHAPE.match(plain) is None or _CODE.match(low) is not None or _LONG.search(plain) is None or plain.isupper():
        return False
    pieces = low.split(".")
    if len(pieces) > 1 and (pieces[-1] in _LAST or pieces[0] in _RECEIVERS):
        return False
    return _TERMS.isdisjoint(_PARTS.findall(low))
