"""Secrets of machines and people: keys, tokens, passwords, and what a URL carries of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import log2
from typing import Final

import re2

from filters.pii_rules.between import BETWEEN
from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import ZERO_WIDTH, matches

_QUERY_KEYS: Final = (
    "access_?token|refresh_?token|id_?token|auth_?token|token|api_?key|apikey|service_?key|app_?key|client_?secret|"
    "secret|signature|x-amz-signature|x-amz-security-token|x-goog-signature|sig|session_?id|session|jsessionid|"
    "phpsessid|sid|auth_?key|auth|code|key|pass(?:word|wd)?|pwd|otp|ticket"
)
QUERY: Final = f"(?i)[?&;](?:amp;)?(?:{_QUERY_KEYS})=[{ZERO_WIDTH}]?[A-Za-z0-9%_~+/=-]{{6}}"
_QUERY: Final = re2.compile(f"{QUERY}[A-Za-z0-9%_~+/=-]*")
USERINFO: Final = "[A-Za-z][A-Za-z0-9+.-]{1,20}://[A-Za-z0-9._~%+-]{1,64}:[^\\s/@:\"'<>{}$]{3,100}@[A-Za-z0-9가-힣\\[]"
_USERINFO: Final = re2.compile(USERINFO)
PEM: Final = "-----BEGIN [A-Z ]{0,24}PRIVATE KEY(?: BLOCK)?-----"
_PEM: Final = re2.compile(PEM)
_PEM_REACH: Final = 16_384  # code points; a key of 16,384 bits takes about 13,000
_BASE64: Final = re2.compile("^[A-Za-z0-9+/=\\r\\n]+")
_FORMS: Final = (  # prefixes their issuers publish so that scanners find the keys
    "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,}|"
    "glpat-[A-Za-z0-9_-]{20,64}|sk-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{30,45}|"
    "eyJ[A-Za-z0-9_-]{8,}[.]eyJ[A-Za-z0-9_-]{8,}(?:[.][A-Za-z0-9_-]{4,})?|npm_[A-Za-z0-9]{36}|"
    "hf_[A-Za-z0-9]{30,40}|SG[.][A-Za-z0-9_-]{16,32}[.][A-Za-z0-9_-]{16,64}|[a-z]{2,8}_(?:live|test|"
    "prod)_[A-Za-z0-9]{16,}|"
    "ya29[.][A-Za-z0-9_-]{20,}|pypi-[A-Za-z0-9_-]{40,}|dop_v1_[a-f0-9]{64}"
)
_FORM: Final = re2.compile(f"(?:^|[^A-Za-z0-9_])(?:{_FORMS})")
KEY: Final = (
    "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20}|github_pat_|glpat-|sk-[A-Za-z0-9_-]{20}|"
    "xox[abeoprs]-|AIza[0-9A-Za-z_-]{30}|eyJ[A-Za-z0-9_-]{8}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30}|SG[.]|"
    "_(?:live|test|prod)_[A-Za-z0-9]{16}|ya29[.]|pypi-[A-Za-z0-9_-]{40}|dop_v1_"
)
_KEY_LABELS: Final = (
    "api[ _-]?key|secret[ _-]?(?:access[ _-]?)?key|access[ _-]?key(?:[ _-]?id)?|service[ _-]?key|client[ _-]?secret|"
    "app[ _-]?(?:key|secret)|private[ _-]?key|auth[ _-]?(?:key|token)|(?:access|refresh|secret)[ _-]?token|"
    "token|secret|"
    "bearer|인증 ?키|서비스 ?키|접근 ?키|비밀 ?키|시크릿|토큰|api ?키"
)
_PASSWORD_LABELS: Final = "password|passwd|passphrase|pwd|pw|[_.]pass|비밀 ?번호|비번|패스워드|암호"
_S: Final = "[\\s\u00a0\u3000]"
_Z: Final = f"[{ZERO_WIDTH}]?"
_TO_VALUE: Final = f"[\"'`]?(?:{_S}{{0,3}}(?:[:：=]|=>|:=){_S}{{0,3}}|[은는]?{_S})(?:bearer{_S})?{_Z}[\"'`「<(]?{_Z}"
LABELLED: Final = f"(?i)(?:{_KEY_LABELS}|{_PASSWORD_LABELS}){_TO_VALUE}[!-~]{{6}}"
_LABELLED: Final = re2.compile(f"(?i)(?:{_KEY_LABELS}|{_PASSWORD_LABELS}){_TO_VALUE}[!-~]{{6,}}")
_LABEL: Final = re2.compile(f"(?i)^(?:({_PASSWORD_LABELS})|(?:{_KEY_LABELS})){_TO_VALUE}")
# In forms, tables and talks: [비밀번호] …, | password | … |, 비밀번호⏎…
FAR: Final = "비밀 ?번호|비번|패스워드|인증 ?키|서비스 ?키|토큰|(?i:password|api[ _-]?key)"
_FAR: Final = re2.compile(f"(?:{FAR}){BETWEEN}[A-Za-z0-9!@#$%^&*][!-;=?-{{}}~]{{7,}}")
_FAR_HEAD: Final = re2.compile(f"^(?:{FAR}){BETWEEN}")
# Without the bounds of USERINFO: counting to a hundred at every position makes the automaton large and slow.
_USERINFO_GATE: Final = "[A-Za-z0-9+.-]://[A-Za-z0-9._~%+-]+:[^\\s/@:\"'<>{}$]+@"
GATES: Final = (QUERY, _USERINFO_GATE, PEM, KEY, LABELLED)
_MIN_KEY = 14  # characters of a key known only by its label
_ALGORITHM: Final = re2.compile("^(?:AES|SHA|RSA|MD|DES|ARIA|SEED|HMAC|UTF|TLS|WPA)[0-9]{1,4}$")
_MIN_PASSWORD = 6
_MIN_UNMARKED = 8
_MIN_BITS = 2.6  # bits per character (Shannon); words of prose and of code in this length mostly lie below
_PLACEHOLDERS: Final = (*"example your xxxx **** changeme placeholder dummy sample".split(), "<", "{", "$", "...")
_NO_PASSWORDS: Final = ("pass", "password", "passwd", "pw", "secret", "비밀번호")


def found(text: str, data: bytes) -> Iterator[Found]:
    """Findings of kind `key` and `url_secret`; linear in the length of `text`.

    A value without a published prefix needs a label and the look of chance: letters and digits
    mixed. Names of variables, calls of functions and placeholders stay.
    """
    yield from _in_urls(text, data)
    yield from _blocks(text, data)
    for start, end in matches(_FORM, text, data):
        first = start if text[start].isalnum() and text[start].isascii() else start + 1
        if len(set(text[end - 8 : end])) > 2 and (not text[end : end + 1].isalnum() or not text[end].isascii()):
            yield Found(first, end, "key", 0.97, "published prefix of a key")
    for start, end in matches(_LABELLED, text, data):
        item = _labelled(text, start, end)
        if item is not None:
            yield item


def _in_urls(text: str, data: bytes) -> Iterator[Found]:
    for start, end in matches(_QUERY, text, data) if b"=" in data else ():
        first = text.index("=", start) + 1
        key = text[start + 1 : first - 1].lower().removeprefix("amp;")
        first += text[first] in ZERO_WIDTH
        value = text[first:end].rstrip("=")
        secret = len(value) >= 4 and value.isascii() if key.startswith(("pass", "pwd")) else _is_chance(value, 8)
        if key == "code" and len(value) < 12:
            continue
        if secret and text[start] == ";" and text[end : end + 1] in tuple("#!@$%^*"):
            continue  # Password=a1#b;Encrypt=true: no query, and the value goes on
        if secret:
            yield Found(first, end, "url_secret", 0.96, f"query key {key}")
    for start, end in matches(_USERINFO, text, data) if b"://" in data else ():
        first, last = text.index("://", start) + 3, end - 2
        user, _, word = text[first:last].partition(":")
        if word.lower() in _NO_PASSWORDS or (word.isdigit() and len(word) < 6):
            continue
        yield Found(first, last, "url_secret", 0.99, f"user of {len(user)} characters and password in a URL")


def _blocks(text: str, data: bytes) -> Iterator[Found]:
    last = 0
    for start, end in matches(_PEM, text, data) if b"-----BEGIN" in data else ():
        if start < last:
            continue
        stop = text.find("-----END", end, end + _PEM_REACH)
        close = text.find("-----", stop + 8, stop + 60) if stop >= 0 else -1
        if stop < 0:  # cut short: the lines of base 64 that are there
            last = _lines_of_base64(text, end)
            if last == end:
                continue
        else:
            last = close + 5 if close >= 0 else stop
        yield Found(start, last, "key", 0.99, "block of a private key")


def _lines_of_base64(text: str, end: int) -> int:
    match = _BASE64.match(text[end : end + _PEM_REACH])
    length = len(match.group()) if match is not None else 0
    return end + length if length > 40 else end


def _labelled(text: str, start: int, end: int) -> Found | None:
    whole = text[start:end]
    if start and text[start - 1].isascii() and text[start - 1].isalnum() and whole[0].islower():
        return None  # mytoken, tokens of a longer word; serviceKey and AWS_SECRET_KEY go on
    match = _LABEL.match(whole)
    if match is None:
        return None
    label = match.group()
    value = whole[len(label) :]
    stop = next((i for i, c in enumerate(value) if c in "\"'`<>,;()[]{}|\\&" or not c.isascii()), len(value))
    if value[stop : stop + 1] in ("(", "[", "{", "<"):
        return None  # a call or an index
    quoted = label[-1] in "\"'`"
    value = value[:stop] if quoted else value[:stop].rstrip(".:")
    marked = any(c in label for c in ":：=은는")
    password = match.group(1) is not None
    # Without a mark only what stands behind a Korean word and is as long as passwords must be.
    long = marked or (len(value) >= _MIN_UNMARKED and not label[0].isascii() and value != value.upper())
    if password and not (long and len(value) >= _MIN_PASSWORD and _is_password(value, quoted)):
        return None
    if not password and not (_is_chance(value, _MIN_KEY if marked else 20) and (marked or "earer" in label)):
        return None
    first = start + len(label)
    return Found(first, first + len(value), "key", 0.85, f"label of a {'password' if password else 'key'} before")


def far(text: str, data: bytes) -> Iterator[Found]:
    """Passwords and keys with marks or words between the label and the value."""
    for start, end in matches(_FAR, text, data):
        head = _FAR_HEAD.match(text[start:end])
        if head is None:
            continue
        first = start + len(head.group())
        value = text[first:end].rstrip("|*.,;:'\"`)]}")
        before = text[start - 1 : start]
        if text[start].isascii() and before.isascii() and before.isalnum():
            continue
        password = text[start] in "비패" or text[start : start + 4].lower() == "pass"
        chance = any(c.isdigit() for c in value) and _is_chance(value, 20)
        if any(c in value for c in "\"'`<>,;()[]{}|\\&") or value == value.upper():
            continue
        if chance or (password and len(value) >= _MIN_UNMARKED and _is_password(value, quoted=False)):
            yield Found(first, first + len(value), "key", 0.8, "label before, with marks or words between")


def _is_password(value: str, quoted: bool) -> bool:
    """Letters with digits or signs; a bare word is the name of a variable or prose."""
    if any(p in value.lower() for p in _PLACEHOLDERS) or "://" in value or value.startswith(("/", "-", "#")):
        return False
    if value.lower().startswith("password") or (not quoted and _ALGORITHM.match(value) is not None):
        return False  # the example of a bad one; AES256
    letters, digits = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    return (letters and digits) or (quoted and letters and any(c in "!@#%^&*?" for c in value))


def _is_chance(value: str, least: int) -> bool:
    """Whether a value looks drawn at random: letters and digits mixed, and few repeats.

    >>> _is_chance("9f2c41d07ab84e6fb1c3", 12), _is_chance("getVilageFcst", 12)
    (True, False)
    """
    low = value.lower()
    if len(value) < least or any(p in low and p != "example" for p in _PLACEHOLDERS) or "://" in value:
        return False
    if not any(c.isalpha() for c in value) or _bits(value) < _MIN_BITS:
        return False
    return any(c.isdigit() for c in value) or (len(value) >= _MIN_KEY and _is_shuffled(value))


def _is_shuffled(value: str) -> bool:
    """Upper and lower case change more often than in the names of programs."""
    changes = sum(a.isupper() != b.isupper() for a, b in pairwise(value) if a.isalpha() and b.isalpha())
    return 2 * changes >= len(value) - 1


def _bits(value: str) -> float:
    counts = Counter(value[:128])
    total = sum(counts.values())
    return -sum(n / total * log2(n / total) for n in counts.values())
